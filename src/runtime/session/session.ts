/**
 * One open session, run: ingestion, turns, manual moves and measurements over one memory. Long work passes a
 * mutex step by step, so that every command gets its turn between two steps.
 */
import type { RunConfig } from '../../core/trace/config.ts';
import { K } from '../../core/tree/ids.ts';
import type { RunTotals } from '../../core/trace/metrics.ts';
import type { Provenance, Role } from '../../core/tree/provenance.ts';
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import type { LensNet, LoadedModel } from '../../nn/ports.ts';
import type {
  ChatMessageRecord,
  SessionBatch,
  SessionHandle,
  SessionRecord,
  SpanMark,
} from '../../storage/ports.ts';
import { yieldToEvents } from '../../base/clock.ts';
import { Decoder } from './decoding/decoder.ts';
import { DeltaNllMeter } from './decoding/delta-nll.ts';
import { answerUnderWay, readOnlySession, toWireError } from './messages/errors.ts';
import { FocusLoop, type RefocusTrigger } from './head/head.ts';
import { IngestQueue } from './memory/ingest-queue.ts';
import type { SessionOptions } from './steps/session-options.ts';
import { Ingestion } from './memory/ingestion.ts';
import { applyModelChanges } from './head/lens-variant.ts';
import { applyManualAct } from './head/manual-act.ts';
import type {
  AnsweredQuestion,
  ManualAct,
  QueuedDocument,
  SessionNotice,
  SessionState,
} from './messages/session-messages.ts';
import { answerQuery } from './queries/answer-query.ts';
import type { QuerySession } from './queries/answer-query.ts';
import type { BlockSpan } from '../../core/tree/ids.ts';
import type { Query, QueryResults } from './messages/query-messages.ts';
import { sessionEvent } from './telemetry/session-event.ts';
import { SessionJournal } from './journal/session-journal.ts';
import { TelemetryRecorder } from './telemetry/telemetry-recorder.ts';
import { SpanMarks } from './memory/span-marks.ts';
import { acceptText } from './memory/text-intake.ts';
import { AnswerStopped, TURN_END_REFOCUSES, Turn } from './chat/turn.ts';
import type { TurnBeginning, TurnSession } from './chat/turn.ts';
import { AsyncMutex } from '../../base/async-mutex.ts';

/** Milliseconds between two batches while nothing else makes one due. */
const FLUSH_EVERY_MS = 250;

export class Session implements TurnSession, QuerySession {
  readonly focus: FocusLoop;
  readonly queue = new IngestQueue();
  readonly decoder: Decoder;
  readonly model: LoadedModel;
  readonly telemetry: TelemetryRecorder;
  private record: SessionRecord;
  private config: RunConfig;
  /** What the next refocus will run with. */
  private requested: RunConfig;
  private readonly marks: SpanMarks;
  private readonly messages: ChatMessageRecord[];
  private readonly mutex = new AsyncMutex();
  private readonly journal: SessionJournal | null;
  private readonly meter: DeltaNllMeter;
  private readonly handle: SessionHandle | null;
  private lastFlushMs = 0;
  private readonly ingestion: Ingestion;
  private turn: Turn | null = null;
  private turnEnded: Promise<unknown> = Promise.resolve();
  private lensMark: string | null = null;

  constructor(private readonly options: SessionOptions) {
    const { model, memory, record, handle, clock, resumed } = options;
    this.model = model;
    this.handle = handle;
    this.record = record;
    this.config = this.requested = record.config;
    this.marks = new SpanMarks(memory.tree, resumed?.marks ?? []);
    this.messages = [...(resumed?.chat ?? [])];
    this.telemetry = new TelemetryRecorder(clock, resumed?.timeMs ?? 0);
    this.focus = new FocusLoop(memory, model, this.telemetry, this.config);
    this.decoder = new Decoder(model.base, memory.tree, () => this.yieldToEvents());
    this.decoder.configure(this.config, this.model.manifest.trainedContextTokens);
    this.meter = new DeltaNllMeter(model.base, memory.tree, model.manifest.trainedContextTokens);
    this.ingestion = this.createIngestion();
    this.focus.pins = this.marks.pins;
    this.journal = handle === null ? null : this.openJournal(handle);
    this.telemetry.listen((events) => {
      this.notify({ kind: 'telemetry', events });
      this.journal?.addEvents(events);
    });
  }

  get state(): SessionState {
    const { tree, step } = this.focus;
    const tokenCount = tree.tokenCount;
    const { id, title, createdAt, updatedAt, modelId, modelHash } = this.record;
    return {
      record: { id, title, createdAt, updatedAt, modelId, modelHash, tokenCount, stepCount: step },
      config: this.requested,
      readOnly: this.handle?.readOnly ?? false,
      cursor: tokenCount,
      step,
      pendingTokens: this.queue.pendingTokens,
      activity: this.turn !== null ? 'answering' : this.ingestion.isRunning ? 'ingesting' : 'idle',
      marks: this.marks.list,
    };
  }

  get spanMarks(): readonly SpanMark[] {
    return this.marks.list;
  }

  /** The answer that is being decoded, or null. */
  get answering(): Promise<unknown> | null {
    return this.turn === null ? null : this.turnEnded;
  }

  get chat(): readonly ChatMessageRecord[] {
    return this.messages;
  }

  totals(): RunTotals {
    return this.focus.totals();
  }

  /** Note in the trace with what the run begins or goes on. */
  announce(): TelemetryEvent {
    const { options, telemetry } = this;
    const event = sessionEvent(telemetry.base(this.focus.step), this, this.lensMark, options.backend);
    telemetry.emit(event);
    return event;
  }

  /** @throws {IntakeError} before anything is queued; {EngineError} `read-only`. */
  ingestText(text: string, title: string, role: Role): QueuedDocument {
    this.mustWrite();
    const ids = this.model.tokenizer.encode(acceptText(text));
    const wallClockMs = this.telemetry.wallClockMs();
    const documentId = `document-${this.focus.tree.tokenCount + this.queue.pendingTokens}-${wallClockMs}`;
    this.queue.add(ids, { role, title, documentId, wallClockMs });
    this.notifyState();
    void this.journal?.flush('relaxed');
    return { documentId, tokens: ids.length };
  }

  /** Score with this LensNet from the next refocus on; `mark` names its weights, null the model's own. */
  useLens(lensNet: LensNet, mark: string | null): Promise<void> {
    return this.mutex.runExclusive(() => {
      this.focus.useLens(lensNet);
      this.lensMark = mark;
      return Promise.resolve();
    });
  }

  /** Ingest the queue until it is empty or paused. Returns at once. */
  run(tokensPerSecond: number): SessionState {
    this.mustWrite();
    if (this.queue.pendingTokens > 0) this.ingestion.run(tokensPerSecond);
    return this.state;
  }

  async pause(): Promise<SessionState> {
    this.ingestion.pause();
    if (this.turn === null) await this.ingestion.settled();
    return this.state;
  }

  async step(): Promise<SessionState> {
    this.mustNotAnswer();
    return this.change(async () => {
      await this.ingestBlock();
      await this.refocusOnce('block');
    });
  }

  async refocus(): Promise<SessionState> {
    return this.change(() => this.refocusOnce('manual'));
  }

  /** @throws {ConfigError} as `applyModelChanges` does; nothing is changed then. */
  setConfig(changes: Readonly<Record<string, unknown>>): SessionState {
    this.mustWrite();
    this.requested = applyModelChanges(this.model, this.requested, changes);
    return this.storePatch({ config: this.requested });
  }

  rename(title: string): SessionState {
    this.mustWrite();
    this.record = { ...this.record, title };
    return this.storePatch({ title });
  }

  /** @param name - what a tag says. */
  async act(kind: ManualAct, block: BlockSpan, name?: string): Promise<SessionState> {
    return this.change(async () => {
      const changed = applyManualAct(this.focus, this.marks, this.config, { kind, block, name });
      if (changed !== 'layout') this.journal?.addChange({ marks: this.marks.list });
      if (changed === 'pins') await this.refocusOnce('manual');
      else this.notifyState();
    });
  }

  /**
   * Append a user's turn, refocus until the memory has settled, and decode an answer. Ingestion waits meanwhile.
   *
   * @throws {EngineError} `busy` while another answer is being decoded; {IntakeError} for what is no text.
   */
  async ask(text: string): Promise<AnsweredQuestion> {
    this.mustWrite();
    this.mustNotAnswer();
    return this.takeTurn({ kind: 'ask', text: acceptText(text) });
  }

  /** Go on with an answer that was interrupted; the same tokens come out. Failures become problems. */
  resumeTurn(question: ChatMessageRecord, isSettled: boolean): void {
    const settledPasses = isSettled ? TURN_END_REFOCUSES : 0;
    this.takeTurn({ kind: 'resume', question, settledPasses }).catch((error: unknown) => {
      this.notify({ kind: 'problem', error: toWireError(error) });
    });
  }

  stopAnswer(): void {
    this.turn?.stop();
  }

  /** @throws what the query's errors are; a measurement is noted, so `read-only` may be one of them. */
  async query(query: Query): Promise<QueryResults[Query['kind']]> {
    if (query.kind === 'measureSensitivity') this.mustWrite();
    return answerQuery(this, query);
  }

  /** Every event of the session, stored or not. */
  async events(): Promise<readonly TelemetryEvent[]> {
    if (this.handle === null || this.journal === null) return [];
    await this.journal.flush('relaxed');
    const { events } = await this.handle.load();
    return [...events, ...this.journal.unstoredEvents];
  }

  /** Stop everything, store what is left, give the models' caches back. */
  async close(): Promise<void> {
    this.ingestion.pause();
    this.stopAnswer();
    await this.turnEnded;
    await this.ingestion.settled();
    await this.mutex.runExclusive(() => Promise.resolve());
    this.decoder.dispose();
    this.meter.dispose();
    await this.journal?.close();
  }

  // What a turn uses.

  get activeConfig(): RunConfig {
    return this.config;
  }

  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.mutex.runExclusive(work);
  }

  async appendTokens(ids: Uint32Array, origin: Provenance): Promise<void> {
    await this.append(ids, origin);
    if (this.focus.tree.tokenCount % K === 0) await this.refocusOnce('block');
    await this.storeIfDue();
  }

  async store(): Promise<void> {
    this.lastFlushMs = this.telemetry.now();
    await this.journal?.flush('relaxed');
  }

  async refocusOnce(trigger: RefocusTrigger): Promise<number> {
    if (this.config !== this.requested) {
      this.config = this.requested;
      this.focus.setConfig(this.config);
      this.decoder.configure(this.config, this.model.manifest.trainedContextTokens);
      this.announce();
    }
    const applied = await this.focus.refocus(trigger);
    this.notifyState();
    return applied;
  }

  addMessage(message: ChatMessageRecord): void {
    this.messages.push(message);
    this.journal?.addMessage(message);
    this.notify({ kind: 'chat', message });
  }

  notify(notice: SessionNotice): void {
    this.options.notify(notice);
  }

  /** Do this between two steps of whatever is under way, and store it. */
  private async change(work: () => Promise<unknown>): Promise<SessionState> {
    this.mustWrite();
    await this.mutex.runExclusive(work);
    await this.journal?.flush('relaxed');
    return this.state;
  }

  private storePatch(patch: NonNullable<SessionBatch['patch']>): SessionState {
    this.journal?.addChange({ patch });
    void this.journal?.flush('relaxed');
    this.notifyState();
    return this.state;
  }

  private notifyState(): void {
    this.notify({ kind: 'state', state: this.state });
  }

  private createIngestion(): Ingestion {
    return new Ingestion({
      step: () => this.mutex.runExclusive(() => this.ingestStep()),
      hasMore: () => this.queue.pendingTokens > 0,
      turn: () => this.answering,
      now: () => this.telemetry.now(),
      onEnd: async (error) => {
        if (error !== null) this.notify({ kind: 'problem', error: toWireError(error) });
        this.notifyState();
        await this.journal?.flush('strict');
      },
    });
  }

  /** @returns how many tokens came in. */
  private async ingestStep(): Promise<number> {
    const tokens = await this.ingestBlock();
    const isBlockClosed = this.focus.tree.tokenCount % K === 0;
    if (isBlockClosed || this.queue.pendingTokens === 0) await this.refocusOnce('block');
    await this.measureDeltaNll();
    await this.storeIfDue();
    return tokens;
  }

  private async storeIfDue(): Promise<void> {
    const isDue = this.journal?.isDue ?? false;
    if (isDue || this.telemetry.now() - this.lastFlushMs > FLUSH_EVERY_MS) await this.store();
  }

  /** Take a turn from wherever it stands. Nothing may be under way. */
  async takeTurn(beginning: TurnBeginning): Promise<AnsweredQuestion> {
    const turn = (this.turn = new Turn(this, beginning));
    // What is sent before the command's reply would be lost on the page.
    const work = yieldToEvents().then(() => turn.take());
    this.turnEnded = work.catch(() => undefined);
    try {
      return await work;
    } finally {
      this.turn = null;
      this.notifyState();
      await this.journal?.flush('strict');
    }
  }

  private async ingestBlock(): Promise<number> {
    const taken = this.queue.take(this.focus.tokensToBlockEnd);
    if (taken === null) return 0;
    await this.append(taken.ids, taken.origin);
    return taken.ids.length;
  }

  private async append(ids: Uint32Array, origin: Provenance): Promise<void> {
    await this.focus.append(ids, origin);
    this.notify({ kind: 'provenance', run: this.focus.tree.provenance.at(-1)! });
  }

  async measureDeltaNll(): Promise<void> {
    const { step, layout } = this.focus;
    const measured = await this.meter.measureIfDue(this.config, step, this.decoder, layout, this.queue);
    if (measured === null) return;
    const { cursor } = layout;
    this.telemetry.emit({ ...this.telemetry.base(step), type: 'deltaNll', head: 0, cursor, ...measured });
  }

  private openJournal(handle: SessionHandle): SessionJournal {
    const { tree } = this.focus;
    const source = { tree, pending: () => this.queue.toPending(), step: () => this.focus.step };
    return new SessionJournal(handle, source, this.options.resumed ?? null, (error) => {
      this.notify({ kind: 'problem', error: toWireError(error) });
    });
  }

  /** Between the chunks of a long prefill: let messages in, and heed a stop. */
  private async yieldToEvents(): Promise<void> {
    await yieldToEvents();
    if (this.turn?.isStopped ?? false) throw new AnswerStopped();
  }

  private mustWrite(): void {
    if (this.handle?.readOnly ?? false) throw readOnlySession();
  }

  private mustNotAnswer(): void {
    if (this.turn !== null) throw answerUnderWay();
  }
}
