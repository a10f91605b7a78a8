/** Training a session's LensNet: the engine's last report, the form of the next run, and what a user can do. */
import { createStore } from 'zustand';
import type { LensTrainingReport, LensTrainingRequest } from '../../../runtime/engine/protocol/protocol.ts';
import type { Registry } from '../../commands/registry.ts';
import type { Model } from '../../model/model.ts';
import type { ReadableStore } from '../../model/readable-store.ts';
import { saveFile } from '../../widgets/save-file.ts';
import { formatCompact } from '../../words/format.ts';
import { DEFAULT_FORM, type TrainingForm } from './training-form.ts';

export interface LensTrainingState {
  readonly report: LensTrainingReport | null;
  readonly form: TrainingForm;
}

const LARGEST_BYTES = 256 * 2 ** 20;

const FAILURES: Readonly<Record<LensTrainingRequest['action'], string>> = {
  status: 'The state of training could not be read',
  start: 'Training could not start',
  pause: 'Training could not be paused',
  resume: 'Training could not go on',
  discard: 'The run could not be discarded',
  keep: 'The trained LensNet could not be kept',
  useShipped: 'The model’s own LensNet could not be brought back',
  import: 'The weights were not taken',
};

export class LensTraining {
  readonly #store = createStore<LensTrainingState>()(() => ({ report: null, form: DEFAULT_FORM }));
  readonly #model: Model;

  constructor({ model, commands, notices }: Pick<Registry, 'model' | 'commands' | 'notices'>) {
    this.#model = model;
    notices.on('lensTraining', ({ report }) => {
      this.#store.setState({ report });
    });
    commands.register({
      id: 'train-lens',
      title: 'Train LensNet on this session',
      group: 'Session',
      keys: ['Shift+N'],
      run: () => {
        model.shell.setState({ dialog: 'lens-training' });
      },
    });
  }

  get store(): ReadableStore<LensTrainingState> {
    return this.#store;
  }

  changeForm(changes: Partial<TrainingForm>): void {
    this.#store.setState(({ form }) => ({ form: { ...form, ...changes } }));
  }

  async request(request: LensTrainingRequest): Promise<void> {
    const command = { kind: 'lensTraining', request } as const;
    const report = await this.#model.engine.attempt(FAILURES[request.action], command);
    if (report) this.#store.setState({ report });
  }

  async importWeights(file: File): Promise<void> {
    if (file.size > LARGEST_BYTES) {
      this.#model.problems.report({
        title: FAILURES.import,
        message: `${file.name} has ${formatCompact(file.size)} bytes; a LensNet has far fewer.`,
        kept: 'The LensNet in use is unchanged.',
        tryNext: 'Choose a LensNet that was exported for this model.',
        tone: 'error',
      });
      return;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    await this.request({ action: 'import', fileName: file.name, bytes });
  }

  async exportWeights(): Promise<void> {
    const command = { kind: 'exportLens' } as const;
    const exported = await this.#model.engine.attempt('The weights could not be exported', command);
    if (exported) saveFile(exported.fileName, exported.file);
  }
}
