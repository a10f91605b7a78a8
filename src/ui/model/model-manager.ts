/** Which model the page runs: looks at one before it is loaded, loads it, and opens a session with it. */
import { createStore } from 'zustand';
import type {
  BackendReport,
  BootReport,
  ModelCheck,
  ModelPlace,
  ModelReport,
  SessionRecord,
} from '../../runtime/engine/protocol/protocol.ts';
import type { EngineLink } from './engine-link.ts';
import { modelOf } from './files/model-files.ts';
import { type Problems, wordsOf } from './problems.ts';
import type { ReadableStore } from './readable-store.ts';
import type { Recordings } from './recordings.ts';
import type { SessionActions } from './session-actions.ts';
import { type SessionMirror, canChangeSession } from './session.ts';
import type { Shell } from './shell.ts';

export type BackendChoice = 'auto' | BackendReport['id'];

/** A model that the user looks at, before anything of it is loaded. */
export interface ModelChoice {
  readonly name: string;
  readonly place: ModelPlace;
  /** Null while its headers are read, and where it cannot be loaded. */
  readonly check: ModelCheck | null;
  /** Why it cannot be loaded, and what could. */
  readonly problem: { readonly message: string; readonly tryNext: string } | null;
}

export interface ModelManagerState {
  /** The model that runs, or that is being loaded. */
  readonly place: ModelPlace;
  readonly choice: ModelChoice | null;
}

interface Parts {
  readonly engine: EngineLink;
  readonly mirror: SessionMirror;
  readonly actions: Pick<SessionActions, 'create' | 'open'>;
  readonly recordings: Pick<Recordings, 'close'>;
  readonly shell: Shell;
  readonly problems: Problems;
}

export const SHIPPED_MODEL: ModelPlace = { kind: 'shipped', id: 'tiny', baseUrl: './models/' };

export class ModelManager {
  readonly #parts: Parts;
  readonly #store = createStore<ModelManagerState>()(() => ({ place: SHIPPED_MODEL, choice: null }));
  #backend: BackendChoice = 'auto';

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get store(): ReadableStore<ModelManagerState> {
    return this.#store;
  }

  /** Look at the model that these files are, and show what it is: nothing is loaded before the user says so. */
  async choose(files: readonly File[]): Promise<void> {
    const { name, files: own } = modelOf(files);
    await this.look(name, { kind: 'files', name, files: own });
  }

  async look(name: string, place: ModelPlace): Promise<void> {
    const { engine, shell } = this.#parts;
    const choice: ModelChoice = { name, place, check: null, problem: null };
    this.#store.setState({ choice });
    shell.setState({ dialog: 'models' });
    const show = (found: Partial<ModelChoice>): void => {
      if (this.#store.getState().choice === choice) this.#store.setState({ choice: { ...choice, ...found } });
    };
    try {
      show({ check: await engine.send({ kind: 'examineModel', place }) });
    } catch (error) {
      show({ problem: wordsOf(error) });
    }
  }

  dismiss(): void {
    this.#store.setState({ choice: null });
  }

  /** Start the engine with the model that runs, or another backend for it. @throws as the engine does. */
  async boot(backend: BackendChoice = this.#backend): Promise<BootReport> {
    const { engine, mirror } = this.#parts;
    this.#backend = backend;
    mirror.setState({ phase: 'booting', progress: null });
    const { place } = this.#store.getState();
    const boot = await engine.send({ kind: 'boot', place, backend });
    mirror.setState({ boot, phase: 'opening', progress: null });
    return boot;
  }

  /** Load a model and open a new session with it. If it fails, the model that ran before is loaded again. */
  async use(place: ModelPlace): Promise<void> {
    const { mirror, recordings, problems } = this.#parts;
    if (!canChangeSession(mirror.getState())) return;
    const { place: before } = this.#store.getState();
    recordings.close();
    try {
      await this.#switchTo(place);
      this.#store.setState({ choice: null });
    } catch (error) {
      problems.reportError('The model could not be loaded', error);
      try {
        await this.#switchTo(before);
      } catch (second) {
        mirror.setState({ phase: 'failed', progress: null });
        problems.reportError('The model before could not be loaded again either', second);
      }
    }
  }

  async #switchTo(place: ModelPlace): Promise<void> {
    const { engine, mirror, actions } = this.#parts;
    this.#store.setState({ place });
    const { model } = await this.boot();
    const sessions = await engine.send({ kind: 'listSessions' });
    mirror.setState({ sessions });
    const [newest] = sessionsOf(model, sessions);
    if (newest?.tokenCount === 0) await actions.open(newest.id);
    else await actions.create(`Session with ${model.title}`);
  }
}

/** The sessions that this model can go on with, the newest first. */
export function sessionsOf(
  { id, hash, hasHeads }: ModelReport,
  sessions: readonly SessionRecord[],
): readonly SessionRecord[] {
  // A base without heads is known by its weights alone: the same name comes in many quantisations.
  const fits = ({ modelId, modelHash }: SessionRecord) => modelId === id && (hasHeads || modelHash === hash);
  return sessions.filter(fits).sort((a, b) => b.updatedAt - a.updatedAt);
}
