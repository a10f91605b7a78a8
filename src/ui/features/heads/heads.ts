/** What can be done with heads by command: show another one's context, hear one alone, leave one out. */
import { headCues, mutedHeads, type WeightedCue, writtenCues } from '../../../core/heads/head-specs.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { Registry } from '../../commands/registry.ts';
import type { Model } from '../../model/model.ts';

export class Heads {
  readonly #model: Model;

  constructor({ model, commands }: Pick<Registry, 'model' | 'commands'>) {
    this.#model = model;
    commands.register({
      id: 'next-head',
      title: 'Show the next head’s working context',
      group: 'View',
      keys: ['h'],
      run: () => {
        const { view } = model;
        const { headIds } = view.source.run;
        const at = headIds.indexOf(view.viewport.state.head);
        view.showHead(headIds[(at + 1) % headIds.length]!);
      },
    });
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
