/** What can be done with heads by command: show another one's context, hear one alone, leave one out, open their table. */
import { createStore } from 'zustand';
import {
  headCues,
  mutedHeads,
  STAGING_HEAD,
  type WeightedCue,
  writtenCues,
} from '../../../core/heads/head-specs.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { Registry } from '../../commands/registry.ts';
import type { Model } from '../../model/model.ts';
import type { ReadableStore } from '../../model/readable-store.ts';

interface HeadsState {
  /** "Head by head" is open. */
  readonly tableOpen: boolean;
}

export class Heads {
  readonly #store = createStore<HeadsState>()(() => ({ tableOpen: false }));
  readonly #model: Model;

  constructor({ model, commands }: Pick<Registry, 'model' | 'commands'>) {
    this.#model = model;
    const { view } = model;
    commands.register(
      {
        id: 'next-head',
        title: 'Show the next head’s working context',
        group: 'View',
        keys: ['h'],
        run: () => {
          const { headIds } = view.source.run;
          const at = headIds.indexOf(view.viewport.state.head);
          view.showHead(headIds[(at + 1) % headIds.length]!);
        },
      },
      {
        id: 'heads-table',
        title: 'Head by head: each head’s cue, share, use and worth, and what two of them hold',
        group: 'View',
        keys: [],
        run: () => {
          if (this.#hasSeveral()) this.toggleTable();
        },
      },
      {
        id: 'solo-head',
        title: 'Read the shown head alone, or all of them again',
        group: 'Session',
        keys: [],
        run: () => {
          this.#ofShown((head) => this.solo(head));
        },
      },
      {
        id: 'mute-head',
        title: 'Leave the shown head out, or take it in again',
        group: 'Session',
        keys: [],
        run: () => {
          this.#ofShown((head) => this.toggleMute(head));
        },
      },
    );
  }

  get store(): ReadableStore<HeadsState> {
    return this.#store;
  }

  toggleTable(): void {
    this.#store.setState(({ tableOpen }) => ({ tableOpen: !tableOpen }));
  }

  /** Let the base read this head alone; all of them again where it is alone already. */
  solo(head: number): Promise<void> {
    const all = this.#heads();
    const others = all.filter((other) => other !== head);
    const muted = this.#muted();
    const isAlone = others.every((other) => muted.includes(other)) && !muted.includes(head);
    return this.#mute(isAlone ? [] : others);
  }

  /** Leave a head out, or take it in again. */
  toggleMute(head: number): Promise<void> {
    const muted = this.#muted();
    return this.#mute(muted.includes(head) ? muted.filter((other) => other !== head) : [...muted, head]);
  }

  /** Give one head another cue or another share of the budget; the others keep theirs. */
  async setCue(head: number, change: Partial<WeightedCue>): Promise<void> {
    const config = this.#model.mirror.getState().session?.config;
    if (!config) return;
    const cues = headCues(config).map((cue, id) => (id === head ? { ...cue, ...change } : cue));
    await this.#set({ headCues: writtenCues(cues) }, 'The head could not be changed');
  }

  /** Act on the head whose context is shown; where that cannot be, say why. */
  #ofShown(act: (head: number) => Promise<void>): void {
    if (!this.#hasSeveral()) return;
    const { view, mirror, shown } = this.#model;
    const why = whyFixed(shown.isLive, mirror.getState().session?.readOnly ?? false);
    if (why !== null) {
      const tryNext = shown.isLive
        ? 'Close the other tab to change it here.'
        : 'Go back to the live session.';
      this.#report(why, tryNext);
    } else if (view.head === STAGING_HEAD) {
      const message = 'The staging context is shown, which the base never reads.';
      this.#report(message, 'Show a head, by its lane or with H.');
    } else void act(view.head);
  }

  #hasSeveral(): boolean {
    const hasSeveral = this.#model.view.source.run.headIds.length > 1;
    if (!hasSeveral) this.#report('The run that is shown has one head.', 'Set the parameter “Heads” to 4.');
    return hasSeveral;
  }

  #report(message: string, tryNext: string): void {
    const title = 'The heads are left as they are';
    this.#model.problems.report({ title, message, kept: 'Nothing was changed.', tryNext, tone: 'info' });
  }

  #heads(): number[] {
    return Array.from(
      { length: this.#model.mirror.getState().session?.config.heads ?? 1 },
      (_, head) => head,
    );
  }

  #muted(): number[] {
    const config = this.#model.mirror.getState().session?.config;
    return config ? mutedHeads(config) : [];
  }

  #mute(heads: readonly number[]): Promise<void> {
    const mutedHeads = [...heads].sort((a, b) => a - b).join(',');
    return this.#set({ mutedHeads }, 'The heads could not be muted');
  }

  async #set(changes: Partial<RunConfig>, failed: string): Promise<void> {
    const { actions, problems } = this.#model;
    const refused = await actions.setParameters(changes);
    if (refused !== null) problems.reportError(failed, new Error(refused));
  }
}

/** Why nothing of the shown heads can be changed, as a sentence; null where it can. */
export function whyFixed(isLive: boolean, readOnly: boolean): string | null {
  if (!isLive) return 'A recording has its heads behind it.';
  return readOnly ? 'This session is open in another tab.' : null;
}
