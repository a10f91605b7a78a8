/** What can be done with heads by command: show another one's context, hear one alone, leave one out. */
import { mutedHeads } from '../../../core/heads/head-specs.ts';
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

  async #mute(heads: readonly number[]): Promise<void> {
    const { actions, problems } = this.#model;
    const refused = await actions.setParameters({ mutedHeads: [...heads].sort((a, b) => a - b).join(',') });
    if (refused !== null) problems.reportError('The heads could not be muted', new Error(refused));
  }
}
