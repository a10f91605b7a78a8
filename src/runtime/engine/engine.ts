/** Carries out the page's commands: owns the model, the store and the one open session. Knows no worker. */
import { type RunConfig, DEFAULT_RUN_CONFIG, applyConfigChanges } from '../../core/trace/config.ts';
import { TRACE_FORMAT, TRACE_VERSION, type TelemetryEvent } from '../../core/trace/telemetry.ts';
import type { BackendReport, LoadedModel } from '../../nn/ports.ts';
import type {
  SessionHandle,
  SessionId,
  SessionRecord,
  SessionStore,
  StoredSession,
} from '../../storage/ports.ts';
import type { BranchReplay } from '../session/branching/branch-replay.ts';
import type { PlannedBranch } from './branch-preparation.ts';
import { StoredRuns } from '../session/branching/stored-runs.ts';
import type { Clock } from '../../base/clock.ts';
import type { Session } from '../session/session.ts';
import {
  EngineError,
  answerUnderWay,
  branchUnderWay,
  noSession,
  probeUnderWay,
  readOnlySession,
  transferStopped,
  transferUnderWay,
} from '../session/messages/errors.ts';
import type { EvaluationService } from './evaluation-service.ts';
import { removeForGood, removeLongDeleted } from './deleted-sessions.ts';
import type { ModelShelf } from './models/model-shelf.ts';
import { LensTraining } from '../lens-training/lens-training.ts';
import { applyModelChanges, lensVariantsOf } from '../session/head/lens-variant.ts';
import { learnedHeadsOf } from '../session/head/learned-heads.ts';
import type {
  BootReport,
  Command,
  CommandKind,
  CommandResults,
  ExportedFile,
  ExportFormat,
  Notice,
  SessionSnapshot,
  SessionState,
} from './protocol/protocol.ts';
import type { EvaluationOutcome } from './protocol/evaluation.ts';
import type { ProbeResult, StoredRun } from '../session/messages/run-messages.ts';
import { type SessionSurroundings, emptySession, storedSession } from './session-opening.ts';
import { interruptedTurn } from '../session/journal/session-restore.ts';
import { type RunningProbe, startProbe } from './probe.ts';
import { EngineProfile, type ProfilePorts } from './engine-profile.ts';
import type { Transfer } from './session-files/export-session.ts';

type CommandMap = { readonly [K in CommandKind]: Extract<Command, { kind: K }> };
type CommandOf<K extends CommandKind> = CommandMap[K];
type Handlers = {
  readonly [K in CommandKind]: (command: CommandMap[K]) => CommandResults[K] | Promise<CommandResults[K]>;
};

/** What the engine needs of its surroundings; the worker gives the real ones. */
export interface EnginePorts {
  /** Start a backend and load a model onto it; `progress` counts bytes. */
  loadModel(
    boot: CommandOf<'boot'>,
    progress: (label: string, done: number, total: number) => void,
  ): Promise<{ readonly model: LoadedModel; readonly backend: BackendReport }>;
  readonly models: Omit<ModelShelf, 'open'>;
  openStore(): Promise<SessionStore>;
  readonly measureBackend: ProfilePorts['measureBackend'];
  readonly clock: Clock;
  readonly notify: (notice: Notice) => void;
}

interface Booted {
  readonly model: LoadedModel;
  readonly backend: BackendReport;
  readonly store: SessionStore;
}

/** A longer past is shown from its checkpoint on, and read when the session is open. */
const EVENTS_AT_ONCE = 8192;

/** What the page is told of a session's past at once. */
async function pastOf(
  { checkpoint, events, eventCount }: StoredSession,
  handle: SessionHandle,
): Promise<{ readonly events: readonly TelemetryEvent[]; readonly isWhole: boolean }> {
  if (checkpoint === undefined) return { events, isWhole: true };
  if (eventCount > EVENTS_AT_ONCE) return { events, isWhole: false };
  return { events: await handle.readEvents(0, eventCount), isWhole: true };
}

/** The parameters that a model's manifest recommends. */
export function defaultsOf(model: LoadedModel): RunConfig {
  return applyConfigChanges(DEFAULT_RUN_CONFIG, model.manifest.defaults);
}

export class Engine {
  private booted: Booted | null = null;
  private store: SessionStore | null = null;
  private opened: Session | null = null;
  private lensTraining: LensTraining | null = null;
  private branch: BranchReplay | null = null;
  private storedRuns: StoredRuns | null = null;
  private transferStop: AbortController | null = null;
  private evaluationService: Promise<EvaluationService> | null = null;
  private runningProbe: RunningProbe | null = null;
  private readonly profile: EngineProfile;
  private readonly handlers: Handlers = {
    boot: (command) => this.boot(command),
    examineModel: ({ place }) => this.ports.models.examine(place),
    findModel: ({ address, endpoint, file }) => this.ports.models.find(address, endpoint, file),
    listModels: () => this.ports.models.list(),
    fetchModel: ({ plan }) => this.ports.models.fetch(plan),
    keepModel: ({ name, files }) => this.ports.models.keep(name, files),
    pauseFetch: () => {
      this.ports.models.pause();
      return null;
    },
    removeModel: async ({ folder }) => {
      await this.ports.models.remove(folder);
      return null;
    },
    listSessions: () => this.ready.store.list(),
    createSession: (command) => this.createSession(command),
    openSession: ({ sessionId }) => this.openSession(sessionId as SessionId),
    changeSession: (command) => this.changeSession(command),
    duplicateSession: (command) => this.duplicateSession(command),
    removeSession: ({ sessionId }) => this.removeSession(sessionId as SessionId),
    ingestText: this.changing(({ text, title, role }) => this.session.ingestText(text, title, role)),
    importHistory: this.changing(({ messages, title }) => this.session.ingestHistory(messages, title)),
    removeWaiting: this.changing(({ documentId }) => this.session.removeWaiting(documentId)),
    moveWaiting: this.changing(({ documentId, before }) => this.session.moveWaiting(documentId, before)),
    run: this.changing(({ tokensPerSecond }) => this.session.run(tokensPerSecond)),
    pause: () => this.session.pause(),
    step: this.changing(() => this.session.step()),
    ask: this.changing(({ text, head }) => this.profile.turn(() => this.session.ask(text, head))),
    stopAnswer: () => {
      this.session.stopAnswer();
      return null;
    },
    setConfig: this.changing(({ changes }) => this.session.setConfig(changes)),
    act: this.changing((command) => this.session.act(command.action, command, command)),
    hideDocument: this.changing(({ documentId, hidden }) => this.session.hideDocument(documentId, hidden)),
    renewGists: this.changing(({ runs }) => this.session.renewGists(runs)),
    prune: this.changing(({ runs }) => this.session.prune(runs)),
    restorePruned: this.changing(({ runs }) => this.session.restorePruned(runs)),
    refocus: this.changing(() => this.session.refocus()),
    inspect: (query) => this.session.query(query),
    spanText: (query) => this.session.query(query),
    tokens: (query) => this.session.query(query),
    nextTokens: (query) => this.session.query(query),
    scoreContinuation: (query) => this.session.query(query),
    measureSensitivity: this.changing((query) => this.session.query(query)),
    planPruning: this.changing((query) => this.session.query(query)),
    treeCells: (query) => this.session.query(query),
    listNodes: (query) => this.session.query(query),
    searchText: (query) => this.session.query(query),
    searchSimilar: (query) => this.session.query(query),
    probe: (request) => this.probe(request),
    profile: ({ act }) => {
      const { model, backend } = this.ready;
      return this.profile.act(act, { model: model.id, backend: backend.id });
    },
    branchSession: (command) => this.branchSession(command),
    leaveOutDocument: (command) => this.leaveOutDocument(command),
    stopBranch: async () => {
      await this.branch?.stop();
      return null;
    },
    readRun: ({ sessionId }) => this.readRun(sessionId as SessionId),
    readEvents: async ({ first, count }) => {
      return { events: await this.session.steps.storedEvents(first, count) };
    },
    runTexts: (command) => this.runTexts(command),
    exportNodes: (command) => this.exportNodes(command),
    exportTrace: ({ format }) => this.exportTrace(format),
    exportSession: ({ sessionId }) => this.exportSession(sessionId as SessionId),
    importSession: ({ file }) => this.importSession(file),
    stopTransfer: () => {
      this.transferStop?.abort(transferStopped());
      return null;
    },
    listEvaluations: async () => (await this.evaluations()).catalogue,
    evaluate: (command) => this.evaluate(command),
    lensTraining: this.changing(({ request }) => this.lens.request(request)),
    exportLens: () => this.lens.exportWeights(),
    cancelEvaluation: async () => {
      await this.cancelEvaluation();
      return null;
    },
  };

  constructor(private readonly ports: EnginePorts) {
    const { clock, measureBackend } = ports;
    this.profile = new EngineProfile({ now: () => clock.now(), measureBackend });
  }

  /** @throws what the command's errors are; see the protocol. Nothing is half done then. */
  async handle<C extends Command>(command: C): Promise<CommandResults[C['kind']]>;
  async handle(command: Command): Promise<CommandResults[CommandKind]> {
    return this.dispatch(command.kind, command);
  }

  async dispose(): Promise<void> {
    this.ports.models.pause();
    await this.cancelEvaluation();
    await this.closeSession();
    this.discard();
    this.store?.close();
    this.store = null;
  }

  private dispatch<K extends CommandKind>(
    kind: K,
    command: CommandMap[K],
  ): CommandResults[K] | Promise<CommandResults[K]> {
    return this.handlers[kind](command);
  }

  /** For what changes the open session, and so has to wait while a branch is replayed into it. */
  private changing<C, R>(handler: (command: C) => R): (command: C) => R {
    return (command) => {
      if (this.branch?.isRunning === true) throw branchUnderWay();
      return handler(command);
    };
  }

  /** Suites, tasks and baselines are fetched when they are first asked for. */
  private evaluations(): Promise<EvaluationService> {
    const { clock, notify } = this.ports;
    return (this.evaluationService ??= import('./evaluation-service.ts').then(
      ({ EvaluationService }) => new EvaluationService(clock, notify),
    ));
  }

  private async cancelEvaluation(): Promise<void> {
    await (await this.evaluationService)?.cancel();
  }

  private async evaluate({ request }: CommandOf<'evaluate'>): Promise<EvaluationOutcome> {
    const { model, backend } = this.ready;
    const evaluations = await this.evaluations();
    return evaluations.run(request, { model, backend: backend.id, config: defaultsOf(model) });
  }

  private get ready(): Booted {
    if (this.booted !== null) return this.booted;
    throw new EngineError(
      'not-booted',
      'No model is loaded yet.',
      'Nothing was changed.',
      'Load a model first.',
    );
  }

  private get session(): Session {
    if (this.opened !== null) return this.opened;
    throw noSession();
  }

  private get lens(): LensTraining {
    if (this.lensTraining !== null) return this.lensTraining;
    throw noSession();
  }

  private discard(): void {
    this.booted?.model.dispose();
    this.booted = null;
  }

  private async boot(command: CommandOf<'boot'>): Promise<BootReport> {
    await this.cancelEvaluation();
    await this.closeSession();
    this.discard();
    const loaded = await this.ports.loadModel(command, (label, done, total) => {
      this.ports.notify({ kind: 'progress', task: 'load', label, done, total });
    });
    const { backend } = loaded;
    const model = this.profile.ofModel(loaded.model);
    this.store ??= await this.openStore();
    const { store } = this;
    // Another boot may have ended meanwhile.
    this.discard();
    this.booted = { model, backend, store };
    const { manifest, base } = model;
    return {
      backend,
      model: {
        id: model.id,
        title: model.title,
        hash: model.hash,
        hiddenSize: base.hiddenSize,
        layers: base.layers,
        vocabularySize: base.vocabularySize,
        parameters: base.parameters,
        trainedContextTokens: manifest.trainedContextTokens,
        lensVariants: lensVariantsOf(model),
        learnedHeads: learnedHeadsOf(model),
        hasStagingLens: model.stagingLensNet !== undefined,
        figures: manifest.figures ?? [],
        hasHeads: model.lensNet !== null,
        headsTitle: model.headsTitle ?? null,
        licence: manifest.licence,
      },
      storage: { kind: store.kind, reason: store.reason },
      defaults: defaultsOf(model),
    };
  }

  private async openStore(): Promise<SessionStore> {
    const store = this.profile.ofStore(await this.ports.openStore());
    await removeLongDeleted(store, this.ports.clock.wallClockMs());
    return store;
  }

  private async createSession(command: CommandOf<'createSession'>): Promise<SessionSnapshot> {
    const { model, store } = this.ready;
    const config = applyModelChanges(model, defaultsOf(model), command.config);
    await this.closeSession();
    const createdAt = this.ports.clock.wallClockMs();
    const fields = { title: command.title, createdAt, modelId: model.id, modelHash: model.hash, config };
    const handle = await store.create(fields);
    const record: SessionRecord = {
      ...fields,
      id: handle.id,
      updatedAt: createdAt,
      tokenCount: 0,
      stepCount: 0,
    };
    this.opened = emptySession(handle, record, this.surroundings);
    await this.openLens(this.opened);
    const event = this.opened.steps.announce();
    return { state: this.opened.state, events: [event], chat: [], provenance: [], damage: [] };
  }

  private async openSession(id: SessionId): Promise<SessionSnapshot> {
    const { store } = this.ready;
    await this.closeSession();
    const handle = await store.open(id);
    try {
      return await this.restore(handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private get runs(): StoredRuns {
    return (this.storedRuns ??= new StoredRuns(this.ready.store));
  }

  private async readRun(id: SessionId): Promise<StoredRun> {
    if (this.opened?.state.record.id === id) await this.opened.steps.store();
    const { record, events, chat } = await this.runs.read(id);
    return { record, events, chat };
  }

  private async runTexts({ sessionId, spans }: CommandOf<'runTexts'>): Promise<readonly string[]> {
    const { tokenizer } = this.ready.model;
    if (this.opened?.state.record.id !== sessionId) {
      return this.runs.texts(sessionId as SessionId, spans, tokenizer);
    }
    const { tree } = this.opened.memory;
    const upTo = (token: number) => Math.min(token, tree.tokenCount);
    return spans.map(([start, end]) => tokenizer.decode(tree.tokens(upTo(start), upTo(end))));
  }

  private async branchSession({ sessionId, ...as }: CommandOf<'branchSession'>): Promise<SessionSnapshot> {
    const { planBranch } = await import('../session/branching/branch-plan.ts');
    const from = { step: as.step, without: null };
    return this.replayInto(sessionId, (stored) => ({ ...as, from, plan: planBranch(stored, as.step) }));
  }

  private async leaveOutDocument({
    sessionId,
    documentId,
    title,
  }: CommandOf<'leaveOutDocument'>): Promise<SessionSnapshot> {
    const { planWithout } = await import('../session/branching/plan-without.ts');
    return this.replayInto(sessionId, (stored) => {
      const { plan, without } = planWithout(stored, documentId);
      return { title, changes: {}, from: { step: 0, without }, plan };
    });
  }

  /** Make a session out of another one's run, and do there what is left of the plan. */
  private async replayInto(
    sessionId: string,
    planned: (stored: StoredSession) => PlannedBranch,
  ): Promise<SessionSnapshot> {
    const { model, store } = this.ready;
    if (this.opened?.answering != null) throw answerUnderWay();
    if (this.opened?.state.record.id === sessionId) await this.opened.steps.store();
    const ports = { store, model, runs: this.runs, defaults: defaultsOf(model) };
    const { prepareBranch } = await import('./branch-preparation.ts');
    const branched = await prepareBranch(sessionId as SessionId, planned, ports);
    await this.closeSession();
    const handle = await branched.create(this.ports.clock.wallClockMs());
    const snapshot = await this.restore(handle, { resumesTurn: false });
    this.branch = branched.replayIn(this.session, (progress) => {
      this.ports.notify({ kind: 'branch', progress });
    });
    this.branch.start();
    return snapshot;
  }

  /** @param options - `resumesTurn`: go on with an answer that was interrupted. */
  private async restore(
    handle: SessionHandle,
    options: { readonly resumesTurn: boolean } = { resumesTurn: true },
  ): Promise<SessionSnapshot> {
    const { session, stored, damage } = await storedSession(handle, this.surroundings);
    const { tree } = session.memory;
    const past = await pastOf(stored, handle);
    this.opened = session;
    await this.openLens(session);
    const event = handle.readOnly ? null : session.steps.announceIfChanged(stored.events);
    if (!handle.readOnly && tree.staleGistCount > 0) void session.renewGists(true);
    const mayResume = options.resumesTurn && !handle.readOnly;
    const interrupted = mayResume ? interruptedTurn(stored, tree) : null;
    if (interrupted !== null) session.resumeTurn(interrupted.question, interrupted.isSettled);
    return {
      state: session.state,
      events: event === null ? past.events : [...past.events, event],
      ...(past.isWhole ? {} : { earlier: { eventCount: stored.eventCount, shown: past.events.length } }),
      chat: stored.chat,
      provenance: tree.provenance,
      damage,
    };
  }

  private get surroundings(): SessionSurroundings {
    const { model, backend } = this.ready;
    const { clock } = this.ports;
    const notify = (notice: Notice): void => {
      this.profile.hear(notice);
      this.ports.notify(notice);
    };
    return { model, backend: backend.id, clock, notify, defaults: defaultsOf(model) };
  }

  /** The session's own LensNet, if one was kept, is in use before anything is scored. */
  private async openLens(session: Session): Promise<void> {
    const { model, store } = this.ready;
    const { record, readOnly } = session.state;
    const { clock, notify } = this.ports;
    this.lensTraining = new LensTraining({
      sessionId: record.id,
      model,
      tree: session.memory.tree,
      config: () => session.steps.activeConfig,
      readOnly,
      isDurable: store.kind !== 'memory',
      settings: store,
      useLens: (kept, mark) => session.useLens(kept, mark),
      announce: () => {
        session.steps.announce();
      },
      answering: () => session.answering,
      now: () => clock.now(),
      notify: (report) => {
        notify({ kind: 'lensTraining', report });
      },
    });
    const problem = await this.lensTraining.restore();
    if (problem !== null) notify({ kind: 'problem', error: problem });
  }

  private async changeSession({
    sessionId,
    title,
    tags,
    deleted,
  }: CommandOf<'changeSession'>): Promise<SessionState | null> {
    const { store } = this.ready;
    const id = sessionId as SessionId;
    const patch = { ...(title !== undefined && { title }), ...(tags !== undefined && { tags }) };
    const isOpen = this.opened?.state.record.id === id;
    if (isOpen && deleted !== true) return this.session.describe(patch);
    if (isOpen) {
      if (this.session.state.readOnly) throw readOnlySession();
      await this.closeSession();
    }
    const record = (await store.list()).find((each) => each.id === id);
    const handle = await store.open(id);
    try {
      const deletedAt = deleted === true ? this.ports.clock.wallClockMs() : null;
      const isDeletion = deleted === undefined ? {} : { deletedAt };
      // What it holds did not change, nor its place in a list.
      const kept = record && { updatedAt: record.updatedAt };
      await handle.append({ patch: { ...kept, ...patch, ...isDeletion } }, 'strict');
    } finally {
      await handle.close();
    }
    return null;
  }

  private async duplicateSession({ sessionId, title }: CommandOf<'duplicateSession'>): Promise<SessionId> {
    const { store } = this.ready;
    if (this.opened?.state.record.id === sessionId) await this.opened.steps.store();
    const { duplicateSession } = await import('./session-files/duplicate-session.ts');
    return this.transferring('Duplicating the session', (transfer) =>
      duplicateSession(sessionId as SessionId, title, store, transfer),
    );
  }

  private async removeSession(id: SessionId): Promise<null> {
    if (this.opened?.state.record.id === id) await this.closeSession();
    await removeForGood(this.ready.store, id);
    return null;
  }

  private async closeSession(): Promise<void> {
    const { opened, lensTraining, branch } = this;
    this.branch = null;
    this.opened = null;
    this.lensTraining = null;
    await this.runningProbe?.stop();
    await branch?.stop();
    await opened?.close();
    await lensTraining?.close();
  }

  private async probe(request: CommandOf<'probe'>): Promise<ProbeResult> {
    if (this.runningProbe !== null) throw probeUnderWay();
    const { backend } = this.ready;
    const probe = startProbe(this.session, request, { backend: backend.id, clock: this.ports.clock });
    this.runningProbe = probe;
    try {
      return await probe.result;
    } finally {
      this.runningProbe = null;
    }
  }

  private async exportTrace(format: ExportFormat): Promise<ExportedFile> {
    const { model, backend } = this.ready;
    const { record, config } = this.session.state;
    const header = {
      format: TRACE_FORMAT,
      version: TRACE_VERSION,
      createdAt: new Date(record.createdAt).toISOString(),
      modelId: model.id,
      modelHash: model.hash,
      backend: backend.id,
      seed: config.seed,
      config,
    } as const;
    const { exportTrace } = await import('./trace-files/export-trace.ts');
    return exportTrace(format, record.title, header, await this.session.events());
  }

  private async exportNodes(command: CommandOf<'exportNodes'>): Promise<ExportedFile> {
    const { memory, steps, state } = this.session;
    const { exportNodes } = await import('./session-files/export-nodes.ts');
    return exportNodes(state.record.title, memory.tree, steps.marks.list, command);
  }

  private async exportSession(id: SessionId): Promise<ExportedFile> {
    const { model, store } = this.ready;
    if (this.opened?.state.record.id === id) await this.opened.steps.store();
    const { exportSession } = await import('./session-files/export-session.ts');
    return this.transferring('Saving the session', (transfer) =>
      exportSession(id, store, { model, defaults: defaultsOf(model) }, transfer),
    );
  }

  private async importSession(file: Blob): Promise<SessionSnapshot> {
    const { model, store } = this.ready;
    const around = { model, store, defaults: defaultsOf(model) };
    const { importSession } = await import('./session-files/import-session.ts');
    const { id, notes } = await this.transferring('Reading the session file', (transfer) =>
      importSession(file, around, transfer),
    );
    const snapshot = await this.openSession(id);
    return { ...snapshot, damage: [...notes, ...snapshot.damage] };
  }

  /** One file at a time comes or goes, with progress, until it is stopped. */
  private async transferring<T>(label: string, work: (transfer: Transfer) => Promise<T>): Promise<T> {
    if (this.transferStop !== null) throw transferUnderWay();
    const stop = new AbortController();
    this.transferStop = stop;
    try {
      return await work({
        signal: stop.signal,
        onProgress: (done, total) => {
          this.ports.notify({ kind: 'progress', task: 'transfer', label, done, total });
        },
      });
    } finally {
      this.transferStop = null;
    }
  }
}
