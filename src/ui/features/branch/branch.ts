/** Branching as the user does it: open the form at the shown step, start, stop. */
import { createStore } from 'zustand';
import { ConfigError, type RunConfig, applyConfigChanges } from '../../../core/trace/config.ts';
import type { BranchProgress } from '../../../runtime/engine/protocol/protocol.ts';
import type { Registry } from '../../commands/registry.ts';
import type { Model } from '../../model/model.ts';
import type { ReadableStore } from '../../model/readable-store.ts';
import { formatCount } from '../../words/format.ts';

interface BranchForm {
  /** The refocus step to branch from. */
  readonly step: number;
  /** The parameters in force at that step. */
  readonly original: RunConfig;
  readonly changes: Partial<RunConfig>;
}

export interface BranchState {
  readonly form: BranchForm | null;
  readonly starting: boolean;
  readonly progress: BranchProgress | null;
}

/** The branch that is replayed or was last, and the form of the next one. */
export class Branch {
  readonly #store = createStore<BranchState>()(() => ({ form: null, starting: false, progress: null }));
  readonly #model: Model;

  constructor({ model, commands, notices }: Pick<Registry, 'model' | 'commands' | 'notices'>) {
    this.#model = model;
    notices.on('branch', ({ progress }) => {
      this.#store.setState({ progress });
    });
    commands.register({
      id: 'branch',
      title: 'Branch from this step with other parameters',
      group: 'Session',
      keys: ['b'],
      run: () => {
        this.#open();
      },
    });
  }

  get store(): ReadableStore<BranchState> {
    return this.#store;
  }

  /** Branch from another step; what was changed stays changed where it still differs. */
  setStep(step: number): void {
    const { mirror, shown } = this.#model;
    const run = shown.live;
    const original = run.configAt(run.indexOfStep(step)) ?? mirror.getState().session?.config;
    if (!original) return;
    const { form } = this.#store.getState();
    this.#store.setState({ form: { step, original, changes: differing(original, form?.changes ?? {}) } });
  }

  /** @returns what is wrong with a value; null if it was taken. */
  change(changes: Readonly<Record<string, unknown>>): string | null {
    const { form } = this.#store.getState();
    if (!form) return null;
    try {
      const config = applyConfigChanges({ ...form.original, ...form.changes }, changes);
      this.#store.setState({ form: { ...form, changes: differing(form.original, config) } });
      return null;
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
  }

  /** Make the branch and show it while it grows. */
  async start(): Promise<void> {
    const { engine, intake, mirror, shell, problems, actions } = this.#model;
    const { form } = this.#store.getState();
    const { session } = mirror.getState();
    if (!form || !session) return;
    const { id: sessionId, title } = session.record;
    this.#store.setState({ starting: true, progress: null });
    try {
      const snapshot = await engine.send({
        kind: 'branchSession',
        sessionId,
        step: form.step,
        title: `Branch of ${title} at step ${formatCount(form.step)}`.slice(0, 120),
        changes: form.changes,
      });
      await intake.acceptSnapshot(snapshot);
      this.#store.setState({ form: null });
      shell.setState({ dialog: null });
    } catch (error) {
      problems.reportError('The branch could not be made', error);
    } finally {
      this.#store.setState({ starting: false });
      await actions.refreshSessions();
    }
  }

  async stop(): Promise<void> {
    await this.#model.engine.attempt('The branch could not be stopped', { kind: 'stopBranch' });
  }

  dismiss(): void {
    this.#store.setState({ progress: null });
  }

  /** Open the form at the step under the playhead. */
  #open(): void {
    const { mirror, shell, problems, shown, view } = this.#model;
    const frame = shown.live.frameAt(Math.max(0, view.shownIndex));
    const isRecording = !shown.isLive;
    if (isRecording || !frame || !mirror.getState().session) {
      problems.report({
        title: 'There is nothing to branch from',
        message: isRecording
          ? 'A recording has no history that could be read again.'
          : 'The session has no refocus step yet.',
        kept: 'Nothing was changed.',
        tryNext: isRecording
          ? 'Go back to the live session, then branch from one of its steps.'
          : 'Add a document or ask something first.',
        tone: 'info',
      });
      return;
    }
    this.setStep(frame.step);
    shell.setState({ dialog: 'branch' });
  }
}

function differing(original: RunConfig, config: Partial<RunConfig>): Partial<RunConfig> {
  return Object.fromEntries(
    Object.entries(config).filter(([id, value]) => original[id as keyof RunConfig] !== value),
  );
}
