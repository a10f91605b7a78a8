/** What a command is; the list of all is in commands.ts. */
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
