/** Which model the page runs: looks at one before it is fetched or loaded, keeps it, loads it, opens sessions with it. */
import { createStore } from 'zustand';
import type {
  BackendReport,
  BootReport,
  FetchPlan,
  ModelCheck,
  ModelOffer,
  ModelPlace,
  SessionRecord,
  ShelfReport,
} from '../../runtime/engine/protocol/protocol.ts';
import type { EngineLink, NoticeHandlers } from './engine-link.ts';
import { modelOf } from './files/model-files.ts';
import { ModelMemory } from './model-memory.ts';
import { type Problems, wordsOf } from './problems.ts';
import type { ReadableStore } from './readable-store.ts';
import type { Recordings } from './recordings.ts';
import type { SessionActions } from './session-actions.ts';
import { type SessionMirror, canChangeSession, listsOf, sessionsOf } from './session.ts';
import { SHIPPED_ID } from './shipped-model.ts';
import type { Shell } from './shell.ts';

export type BackendChoice = 'auto' | BackendReport['id'];

/** What the model is to run on. */
export interface DeviceChoice {
  readonly backend: BackendChoice;
  /** Of the processor, for WASM. */
  readonly threads: 'auto' | number;
}

/** A model that the user looks at, before anything of it is fetched or loaded. */
export interface ModelChoice {
  readonly name: string;
  /** Where it is; null for one on the hub. */
  readonly place: ModelPlace | null;
  /** Of one on the hub. */
  readonly offer: ModelOffer | null;
  /** Null while it is looked at, and where it cannot be loaded. */
  readonly check: ModelCheck | null;
  /** Why it cannot be loaded, and what could. */
  readonly problem: { readonly message: string; readonly tryNext: string } | null;
}

export interface FetchState {
  readonly name: string;
  readonly folder: string;
  readonly isCopy: boolean;
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface ModelManagerState {
  /** The model that runs, or that is being loaded. */
  readonly place: ModelPlace;
  readonly choice: ModelChoice | null;
  readonly fetching: FetchState | null;
  /** What this browser keeps; null until it was looked at. */
  readonly shelf: ShelfReport | null;
  readonly endpoint: string;
  /** A session whose model has to be loaded first. */
  readonly wanted: SessionRecord | null;
  readonly device: DeviceChoice;
}

interface Parts {
  readonly engine: EngineLink;
  readonly notices: NoticeHandlers;
  readonly mirror: SessionMirror;
  readonly actions: Pick<SessionActions, 'create' | 'open'>;
  readonly recordings: Pick<Recordings, 'close'>;
  readonly shell: Shell;
  readonly problems: Problems;
}

export const SHIPPED_MODEL: ModelPlace = { kind: 'shipped', id: SHIPPED_ID, baseUrl: './models/' };

export class ModelManager {
  readonly #parts: Parts;
  readonly #memory = new ModelMemory();
  readonly #store = createStore<ModelManagerState>()(() => ({
    place: this.#memory.place ?? SHIPPED_MODEL,
    choice: null,
    fetching: null,
    shelf: null,
    endpoint: this.#memory.endpoint,
    wanted: null,
    device: { backend: 'auto', threads: 'auto' },
  }));

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.notices.on('modelFetch', ({ progress: { receivedBytes, totalBytes } }) => {
      const { fetching } = this.#store.getState();
      if (fetching) this.#store.setState({ fetching: { ...fetching, receivedBytes, totalBytes } });
    });
  }

  get store(): ReadableStore<ModelManagerState> {
    return this.#store;
  }

  /** Look at the model that these files are, and show what it is: nothing is loaded before the user says so. */
  async choose(files: readonly File[]): Promise<void> {
    const { name, files: own } = modelOf(files);
    await this.look({ kind: 'files', name, files: own });
  }

  /** Look at a model that is at hand. @param place - not the embedded one. */
  async look(place: Exclude<ModelPlace, { kind: 'shipped' }>): Promise<void> {
    await this.#examine(place.name, async () => {
      const check = await this.#parts.engine.send({ kind: 'examineModel', place });
      return { place, check };
    });
  }

  /** Look at a model on the hub. @param file - one of its GGUF files; null for its safetensors. */
  async find(address: string, file?: string | null): Promise<void> {
    const { endpoint } = this.#store.getState();
    await this.#examine(address, async () => {
      const offer = await this.#parts.engine.send({ kind: 'findModel', address, endpoint, file });
      return { offer, check: offer.check };
    });
  }

  dismiss(): void {
    this.#store.setState({ choice: null, wanted: null });
  }

  /** Where models are fetched from: the hub, or a mirror of it. */
  setEndpoint(endpoint: string): void {
    this.#memory.endpoint = endpoint;
    this.#store.setState({ endpoint });
  }

  async refreshShelf(): Promise<void> {
    const shelf = await this.#parts.engine.attempt('The kept models could not be listed', {
      kind: 'listModels',
    });
    if (shelf) this.#store.setState({ shelf });
  }

  /** Fetch a model, or go on with it; then look at it. What came is kept if it fails or is paused. */
  async fetch(plan: FetchPlan): Promise<void> {
    const { engine } = this.#parts;
    const outcome = await this.#working(plan.name, plan.folder, false, () =>
      engine.attempt(`${plan.name} was not fetched`, { kind: 'fetchModel', plan }),
    );
    if (outcome === 'whole') await this.look({ kind: 'kept', folder: plan.folder, name: plan.name });
  }

  /** Copy chosen files into this browser, and load the copy. */
  async keepAndUse({ name, files }: Extract<ModelPlace, { kind: 'files' }>): Promise<void> {
    const { engine } = this.#parts;
    const plan = await this.#working(name, '', true, () =>
      engine.attempt(`${name} was not copied`, { kind: 'keepModel', name, files: [...files] }),
    );
    if (plan) await this.use({ kind: 'kept', folder: plan.folder, name });
  }

  async pauseFetch(): Promise<void> {
    await this.#parts.engine.attempt('The fetch could not be paused', { kind: 'pauseFetch' });
  }

  async remove(folder: string): Promise<void> {
    await this.#parts.engine.attempt('The model could not be deleted', { kind: 'removeModel', folder });
    const { choice } = this.#store.getState();
    if (choice?.place?.kind === 'kept' && choice.place.folder === folder)
      this.#store.setState({ choice: null });
    await this.refreshShelf();
  }

  /** Start the engine with the model that runs, or another device for it. @throws as the engine does. */
  async boot(change: Partial<DeviceChoice> = {}): Promise<BootReport> {
    const { engine, mirror } = this.#parts;
    const device = { ...this.#store.getState().device, ...change };
    this.#store.setState({ device });
    mirror.setState({ phase: 'booting', progress: null });
    const { place } = this.#store.getState();
    const boot = await engine.send({ kind: 'boot', place, ...device });
    mirror.setState({ boot, phase: 'opening', progress: null });
    this.#memory.ran(boot.model, place, this.#originOf(place));
    return boot;
  }

  /** Start the engine for the first time, with the embedded model where the remembered one cannot be had. */
  async bootFirst(change: Partial<DeviceChoice> = {}): Promise<BootReport> {
    if (this.#store.getState().place.kind === 'shipped') return this.boot(change);
    try {
      await this.refreshShelf();
      return await this.boot(change);
    } catch (error) {
      this.#parts.problems.reportError('The model that ran last could not be loaded', error);
      this.#store.setState({ place: SHIPPED_MODEL });
      return this.boot(change);
    }
  }

  /**
   * Load a model and open a new session with it. If it fails, the model that ran before is loaded again.
   *
   * @param sessionId - a session of that model to open instead.
   */
  async use(place: ModelPlace, sessionId?: string): Promise<void> {
    const { mirror, recordings, problems } = this.#parts;
    if (!canChangeSession(mirror.getState())) return;
    const { place: before } = this.#store.getState();
    recordings.close();
    try {
      await this.#switchTo(place, sessionId);
      this.#store.setState({ choice: null, wanted: null });
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

  /** Open a session; if another model made it, load that one first, or say what has to be fetched. */
  async openSession(record: SessionRecord): Promise<void> {
    const { mirror, actions, shell } = this.#parts;
    const model = mirror.getState().boot?.model;
    if (model !== undefined && sessionsOf(model, [record]).length > 0) {
      await actions.open(record.id);
      return;
    }
    if (record.modelId === SHIPPED_ID) {
      await this.use(SHIPPED_MODEL, record.id);
      return;
    }
    const origin = this.#memory.originOf(record);
    await this.refreshShelf();
    const kept = this.#store.getState().shelf?.models.find(({ plan }) => plan.folder === origin?.folder);
    if (kept?.isComplete === true) {
      await this.use({ kind: 'kept', folder: kept.plan.folder, name: kept.plan.name }, record.id);
      return;
    }
    this.#store.setState({ wanted: record, choice: null });
    shell.setState({ dialog: 'models' });
    if (origin?.origin != null) await this.find(origin.origin);
  }

  /** What the model of a session was called and where it came from, as far as this browser knows. */
  originOf(record: SessionRecord): ReturnType<ModelMemory['originOf']> {
    return this.#memory.originOf(record);
  }

  async #examine(
    name: string,
    read: () => Promise<Pick<ModelChoice, 'check'> & Partial<ModelChoice>>,
  ): Promise<void> {
    const choice: ModelChoice = { name, place: null, offer: null, check: null, problem: null };
    this.#store.setState({ choice });
    this.#parts.shell.setState({ dialog: 'models' });
    const show = (found: Partial<ModelChoice>): void => {
      if (this.#store.getState().choice === choice) this.#store.setState({ choice: { ...choice, ...found } });
    };
    try {
      show(await read());
    } catch (error) {
      show({ problem: wordsOf(error) });
    }
  }

  async #working<T>(name: string, folder: string, isCopy: boolean, run: () => Promise<T>): Promise<T> {
    // Browsers clear what is kept when they need space, unless asked not to.
    void (globalThis.navigator as Partial<Navigator> | undefined)?.storage?.persist().catch(() => false);
    this.#store.setState({ fetching: { name, folder, isCopy, receivedBytes: 0, totalBytes: 0 } });
    try {
      return await run();
    } finally {
      this.#store.setState({ fetching: null });
      await this.refreshShelf();
    }
  }

  async #switchTo(place: ModelPlace, sessionId?: string): Promise<void> {
    const { engine, mirror, actions } = this.#parts;
    this.#store.setState({ place });
    const { model } = await this.boot();
    const lists = listsOf(await engine.send({ kind: 'listSessions' }));
    const { sessions } = lists;
    mirror.setState(lists);
    const own = sessionsOf(model, sessions);
    const known = own.find(({ id }) => id === (sessionId ?? this.#store.getState().wanted?.id));
    const [newest] = own;
    if (known !== undefined) await actions.open(known.id);
    else if (newest?.tokenCount === 0) await actions.open(newest.id);
    else await actions.create(`Session with ${model.title}`);
  }

  #originOf(place: ModelPlace): string | null {
    if (place.kind !== 'kept') return null;
    const { shelf } = this.#store.getState();
    return shelf?.models.find(({ plan }) => plan.folder === place.folder)?.plan.origin ?? null;
  }
}
