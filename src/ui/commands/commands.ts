/** The registry of commands: buttons, keys and the palette run these and nothing else. */

export interface CommandEntry {
  readonly id: string;
  readonly title: string;
  readonly group: 'Playback' | 'View' | 'Session' | 'Page';
  /** As `Shift+ArrowLeft`, `?`, `Mod+k`; Mod is Ctrl or Cmd. */
  readonly keys: readonly string[];
  readonly run: () => void;
  /** A held key repeats it. */
  readonly repeats?: boolean;
}

export class Commands {
  readonly #entries = new Map<string, CommandEntry>();
  readonly #byChord = new Map<string, CommandEntry>();

  /** @throws {Error} if an id or a chord is taken. */
  register(...entries: readonly CommandEntry[]): void {
    for (const entry of entries) {
      if (this.#entries.has(entry.id)) throw new Error(`There are two commands “${entry.id}”.`);
      this.#entries.set(entry.id, entry);
      for (const chord of entry.keys) {
        const taken = this.#byChord.get(chord);
        if (taken) throw new Error(`“${taken.id}” and “${entry.id}” share the chord ${chord}.`);
        this.#byChord.set(chord, entry);
      }
    }
  }

  /** In the order in which they were registered. */
  get all(): readonly CommandEntry[] {
    return [...this.#entries.values()];
  }

  /** @throws {Error} if nobody registered it. */
  of(id: string): CommandEntry {
    const entry = this.#entries.get(id);
    if (!entry) throw new Error(`There is no command “${id}”.`);
    return entry;
  }

  /** The command of a chord, if any. */
  ofChord(chord: string): CommandEntry | undefined {
    return this.#byChord.get(chord);
  }

  run(id: string): void {
    this.of(id).run();
  }
}
