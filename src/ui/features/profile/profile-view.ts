/** The engine's profile as the page shows it: the last report, of which span, and what a user can do with it. */
import { createStore } from 'zustand';
import { profileCsv, profileJson } from '../../../core/profile/profile-file.ts';
import type { ProfileTally } from '../../../core/profile/profile.ts';
import type { ProfileAct, ProfileReport } from '../../../runtime/engine/protocol/protocol.ts';
import type { Registry } from '../../commands/registry.ts';
import type { Model } from '../../model/model.ts';
import type { ReadableStore } from '../../model/readable-store.ts';
import { saveFile } from '../../widgets/save-file.ts';

/** The last turn, or everything since it was cleared. */
export type ProfileSpan = 'turn' | 'all';

export interface ProfileState {
  readonly report: ProfileReport | null;
  readonly span: ProfileSpan;
  readonly isMeasuring: boolean;
}

const FAILURES: Readonly<Record<ProfileAct, string>> = {
  read: 'The profile could not be read',
  clear: 'The profile could not be cleared',
  'time-kernels': 'The kernels are not timed',
  'skip-kernels': 'The kernels are still timed',
  measure: 'The machine could not be measured',
};

export class ProfileView {
  readonly #store = createStore<ProfileState>()(() => ({ report: null, span: 'turn', isMeasuring: false }));
  readonly #engine: Model['engine'];

  constructor({ model, commands }: Pick<Registry, 'model' | 'commands'>) {
    this.#engine = model.engine;
    commands.register({
      id: 'profile',
      title: 'Profile: where the time goes',
      group: 'Page',
      keys: ['Shift+P'],
      run: () => {
        model.shell.setState({ dialog: 'profile' });
      },
    });
  }

  get store(): ReadableStore<ProfileState> {
    return this.#store;
  }

  show(span: ProfileSpan): void {
    this.#store.setState({ span });
  }

  /** @returns false if it failed, which the user is told. */
  async act(act: ProfileAct): Promise<boolean> {
    const isMeasuring = act === 'measure';
    if (isMeasuring) this.#store.setState({ isMeasuring });
    const report = await this.#engine.attempt(FAILURES[act], { kind: 'profile', act });
    this.#store.setState({ ...(report && { report }), ...(isMeasuring && { isMeasuring: false }) });
    return report !== null;
  }

  /** What is shown as a file. */
  save(format: 'csv' | 'json'): void {
    const { report, span } = this.#store.getState();
    const tally = shownTally(report, span);
    if (report === null || tally === null) return;
    const { limits } = report;
    const text = format === 'csv' ? profileCsv(tally, limits) : profileJson(tally, report);
    const type = format === 'csv' ? 'text/csv' : 'application/json';
    saveFile(`profile-${report.model}-${report.backend}-${span}.${format}`, new Blob([text], { type }));
  }
}

/** @returns null where there was no turn yet, or nothing was read. */
export function shownTally(report: ProfileReport | null, span: ProfileSpan): ProfileTally | null {
  return report?.[span] ?? null;
}
