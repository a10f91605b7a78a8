/**
 * One open session, run: what may be asked of it, over one memory and its heads. Long work goes step by step, so that
 * every command gets its place between two steps.
 */
import type { RunTotals } from '../../core/trace/metrics.ts';
import type { ImportedMessage } from '../../core/history-import/history-format.ts';
import { type Role, importId } from '../../core/tree/provenance.ts';
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import { yieldToEvents } from '../../base/clock.ts';
import type { KeptLens } from './head/lens-variant.ts';
import type { ChatMessageRecord, SessionBatch } from '../../storage/ports.ts';
import { AnswerStopped, TURN_END_REFOCUSES, Turn } from './chat/turn.ts';
import type { TurnBeginning } from './chat/turn.ts';
import type { Head } from './head/head.ts';
import { applyModelChanges } from './head/lens-variant.ts';
import { applyManualAct } from './head/manual-act.ts';
import type { BlockSpan } from '../../core/tree/ids.ts';
import type { NodeRun } from '../../core/tree/ids.ts';
import { encodeHistory } from './memory/history-intake.ts';
import type { IngestQueue } from './memory/ingest-queue.ts';
import { Ingestion } from './memory/ingestion.ts';
import type { Memory } from './memory/memory.ts';
import { acceptText } from './memory/text-intake.ts';
import { answerUnderWay, readOnlySession, toWireError } from './messages/errors.ts';
import type { Query, QueryResults } from './messages/query-messages.ts';
import type {
  AnsweredQuestion,
  ManualAct,
  QueuedDocument,
  QueuedHistory,
  SessionState,
} from './messages/session-messages.ts';
import { answerQuery } from './queries/answer-query.ts';
import type { SessionOptions } from './steps/session-options.ts';
import { SessionSteps } from './steps/session-steps.ts';

export class Session {
  readonly steps: SessionSteps;
  private readonly ingestion: Ingestion;
  /** Makes gists of an older GistNet anew, at the pace of the machine. */
  private readonly renewal: Ingestion;
  private turn: Turn | null = null;
  private turnEnded: Promise<unknown> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.steps = new SessionSteps(
      options,
      () => {
        this.notifyState();
      },
      () => this.yieldToEvents(),
    );
    this.ingestion = this.createIngestion();
    this.renewal = this.createRenewal();
  }

  get memory(): Memory {
    return this.steps.focus.memory;
  }

  /** @throws {EngineError} `bad-message` if there is no such head. */
  head(id = 0): Head {
    return this.steps.focus.head(id);
  }

  get state(): SessionState {
    const { steps, memory } = this;
    const { tokenCount } = memory.tree;
    const { step } = steps.focus;
    const { id, title, createdAt, updatedAt, modelId, modelHash, tags = [] } = steps.record;
    return {
      record: { id, title, createdAt, updatedAt, modelId, modelHash, tokenCount, stepCount: step, tags },
      config: steps.requestedConfig,
      readOnly: steps.readOnly,
      isSaved: steps.isSaved,
      cursor: tokenCount,
      step,
      pendingTokens: steps.queue.pendingTokens,
      refocusEveryTokens: this.cadence,
      waiting: steps.queue.documents,
      activity: this.turn !== null ? 'answering' : this.ingestion.isRunning ? 'ingesting' : 'idle',
      marks: steps.marks.list,
      hiddenDocuments: steps.hidden.list,
      cold: steps.pruner.totals,
      gistRenewal: this.gistRenewal,
    };
  }

  private get gistRenewal(): SessionState['gistRenewal'] {
    const { tree } = this.memory;
    const left = tree.staleGistCount;
    if (left === 0) return null;
    let total = 0;
    for (let lod = 1; lod <= tree.maxLod; lod++) total += tree.countAt(lod);
    return { left, total, isRunning: this.renewal.isRunning };
  }

  private get cadence(): number | null {
    const every = this.steps.refocusEveryTokens(this.ingestion.isPaced);
    return Number.isFinite(every) ? every : null;
  }

  /** The answer that is being decoded, or null. */
  get answering(): Promise<unknown> | null {
    return this.turn === null ? null : this.turnEnded;
  }

  totals(head = 0): RunTotals {
    return this.head(head).totals();
  }

  /** @throws {IntakeError} before anything is queued; {EngineError} `read-only`. */
  ingestText(text: string, title: string, role: Role): QueuedDocument {
    this.mustWrite();
    const { steps, memory } = this;
    const ids = steps.model.tokenizer.encode(acceptText(text));
    const wallClockMs = steps.telemetry.wallClockMs();
    const documentId = `document-${memory.tree.tokenCount + steps.queue.pendingTokens}-${wallClockMs}`;
    steps.queue.add(ids, { role, title, documentId, wallClockMs });
    this.notifyState();
    void steps.flush('relaxed');
    return { documentId, tokens: ids.length };
  }

  /** Queue the messages of a log. @throws {IntakeError} before anything is queued; {EngineError} `read-only`. */
  ingestHistory(messages: readonly ImportedMessage[], title: string): QueuedHistory {
    this.mustWrite();
    const { steps, memory } = this;
    const wallClockMs = steps.telemetry.wallClockMs();
    const documentId = importId(memory.tree.tokenCount + steps.queue.pendingTokens, wallClockMs);
    const from = { importId: documentId, wallClockMs };
    const { ids, parts, leftOut } = encodeHistory(messages, steps.model.tokenizer, from);
    steps.queue.add(ids, { role: 'document', title, documentId, wallClockMs }, parts);
    this.notifyState();
    void steps.flush('relaxed');
    return { documentId, tokens: ids.length, leftOut };
  }

  /** Take back a document that waits. */
  removeWaiting(documentId: string): Promise<SessionState> {
    return this.changeQueue((queue) => queue.remove(documentId));
  }

  /** @param before - the document that it is to be read before; null: read it last. */
  moveWaiting(documentId: string, before: string | null): Promise<SessionState> {
    return this.changeQueue((queue) => queue.move(documentId, before));
  }

  /** Score with this LensNet from the next refocus on, or with the model's again; `mark` names its weights. */
  useLens(kept: KeptLens | null, mark: string | null): Promise<void> {
    return this.steps.exclusive(() => {
      this.steps.useLens(kept, mark);
      return Promise.resolve();
    });
  }

  /** Ingest the queue until it is empty or paused. Returns at once. */
  run(tokensPerSecond: number): SessionState {
    this.mustWrite();
    if (this.steps.queue.pendingTokens > 0) this.ingestion.run(tokensPerSecond);
    return this.state;
  }

  async pause(): Promise<SessionState> {
    this.ingestion.pause();
    if (this.turn === null) await this.ingestion.settled();
    return this.state;
  }

  async step(): Promise<SessionState> {
    this.mustNotAnswer();
    return this.change(() => this.steps.readBlock());
  }

  async refocus(): Promise<SessionState> {
    return this.change(() => this.steps.refocus('manual'));
  }

  /** Make gists of an older GistNet anew until none is left, or pause that; the session is used meanwhile. */
  async renewGists(runs: boolean): Promise<SessionState> {
    this.mustWrite();
    if (runs && this.memory.tree.staleGistCount > 0) this.renewal.run(0);
    else {
      this.renewal.pause();
      await this.renewal.settled();
    }
    return this.state;
  }

  /** Move nodes to the cold tier, those of them that may still go. */
  prune(runs: readonly NodeRun[]): Promise<SessionState> {
    return this.change(() => this.steps.pruner.prune(runs, 'manual'));
  }

  /** Take nodes back from the cold tier; all of them where none are named. */
  restorePruned(runs: readonly NodeRun[] = this.memory.tree.coldRuns): Promise<SessionState> {
    return this.change(() => this.steps.pruner.restore(runs, 'manual'));
  }

  /** @throws {ConfigError} as `applyModelChanges` does; nothing is changed then. */
  setConfig(changes: Readonly<Record<string, unknown>>): SessionState {
    this.mustWrite();
    const { model, requestedConfig } = this.steps;
    this.steps.patch({ config: applyModelChanges(model, requestedConfig, changes) });
    return this.state;
  }

  /** Give it another name or other tags. */
  describe(patch: Pick<NonNullable<SessionBatch['patch']>, 'title' | 'tags'>): Promise<SessionState> {
    return this.change(() => {
      this.steps.patch(patch);
      return Promise.resolve();
    });
  }

  /** @param act - `name`: what a tag says; `head`: whose window a move changes, marks being everyone's. */
  async act(
    kind: ManualAct,
    block: BlockSpan,
    act: { readonly name?: string | undefined; readonly head?: number | undefined } = {},
  ): Promise<SessionState> {
    return this.change(async () => {
      const { steps } = this;
      const { name } = act;
      const changed = applyManualAct(this.head(act.head), steps.marks, { kind, block, name });
      if (changed !== 'layout') steps.marksChanged();
      if (changed === 'pins') await steps.refocus('manual');
      else this.notifyState();
    });
  }

  /** Keep a document out of focus: its tokens stay in the history, at their coarsest; or let it back in. */
  hideDocument(documentId: string, isHidden: boolean): Promise<SessionState> {
    return this.change(() => this.steps.hideDocument(documentId, isHidden));
  }

  /**
   * Append a user's turn, refocus until the memory has settled, and decode an answer. Ingestion waits meanwhile.
   *
   * @param head - who answers; absent: the heads that are read, merged.
   * @throws {EngineError} `busy` while another answer is being decoded; {IntakeError} for what is no text.
   */
  async ask(text: string, head?: number): Promise<AnsweredQuestion> {
    this.mustWrite();
    this.mustNotAnswer();
    return this.takeTurn({ kind: 'ask', text: acceptText(text), ...(head !== undefined && { head }) });
  }

  /** Go on with an answer that was interrupted; the same tokens come out. Failures become problems. */
  resumeTurn(question: ChatMessageRecord, isSettled: boolean): void {
    const settledPasses = isSettled ? TURN_END_REFOCUSES : 0;
    this.takeTurn({ kind: 'resume', question, settledPasses }).catch((error: unknown) => {
      this.steps.notify({ kind: 'problem', error: toWireError(error) });
    });
  }

  stopAnswer(): void {
    this.turn?.stop('stopped');
  }

  /** Take a turn from wherever it stands. Nothing may be under way. */
  async takeTurn(beginning: TurnBeginning): Promise<AnsweredQuestion> {
    const turn = (this.turn = new Turn(this.steps, beginning));
    // What is sent before the command's reply would be lost on the page.
    const work = yieldToEvents().then(() => turn.take());
    this.turnEnded = work.catch(() => undefined);
    try {
      return await work;
    } finally {
      this.turn = null;
      this.notifyState();
      await this.steps.flush('strict');
    }
  }

  /** @throws what the query's errors are; a measurement is noted, so `read-only` may be one of them. */
  async query<Q extends Query>(query: Q): Promise<QueryResults[Q['kind']]> {
    const notes = query.kind === 'measureSensitivity' || (query.kind === 'planPruning' && query.measure > 0);
    if (notes) this.mustWrite();
    return answerQuery(this.steps, query);
  }

  /** Every event of the session, stored or not. */
  events(): Promise<readonly TelemetryEvent[]> {
    return this.steps.events();
  }

  /** Stop everything, store what is left, give the models' caches back. */
  async close(): Promise<void> {
    this.ingestion.pause();
    this.renewal.pause();
    this.turn?.stop('interrupted');
    await this.turnEnded;
    await this.ingestion.settled();
    await this.renewal.settled();
    await this.steps.close();
  }

  /** Do this between two steps of whatever is under way, and store it. */
  private async change(work: () => Promise<unknown>): Promise<SessionState> {
    this.mustWrite();
    await this.steps.exclusive(work);
    await this.steps.flush('relaxed');
    return this.state;
  }

  /** A document that was read in the meantime is no error: the state says so. */
  private changeQueue(change: (queue: IngestQueue) => boolean): Promise<SessionState> {
    return this.change(() => {
      if (change(this.steps.queue)) this.notifyState();
      return Promise.resolve();
    });
  }

  private notifyState(): void {
    this.steps.notify({ kind: 'state', state: this.state });
  }

  private createIngestion(): Ingestion {
    const { steps } = this;
    return new Ingestion({
      step: () => steps.exclusive(() => this.ingestStep()),
      hasMore: () => steps.queue.pendingTokens > 0,
      turn: () => this.answering,
      now: () => steps.telemetry.now(),
      onEnd: async (error) => {
        if (error !== null) steps.notify({ kind: 'problem', error: toWireError(error) });
        this.notifyState();
        await steps.flush('strict');
      },
    });
  }

  private createRenewal(): Ingestion {
    const { steps } = this;
    return new Ingestion({
      step: () => steps.exclusive(() => steps.renewGists()),
      hasMore: () => this.memory.tree.staleGistCount > 0,
      turn: () => this.answering,
      now: () => steps.telemetry.now(),
      onEnd: async (error) => {
        if (error !== null) steps.notify({ kind: 'problem', error: toWireError(error) });
        this.notifyState();
        await steps.flush('strict');
      },
    });
  }

  /** @returns how many tokens came in. */
  private async ingestStep(): Promise<number> {
    const { steps } = this;
    const tokens = await steps.readOn(this.ingestion.isPaced);
    await steps.measureDeltaNll();
    await steps.storeIfDue();
    return tokens;
  }

  /** Between the chunks of a long prefill: let messages in, and heed a stop. */
  private async yieldToEvents(): Promise<void> {
    await yieldToEvents();
    if (this.turn?.isStopped ?? false) throw new AnswerStopped();
  }

  private mustWrite(): void {
    if (this.steps.readOnly) throw readOnlySession();
  }

  private mustNotAnswer(): void {
    if (this.turn !== null) throw answerUnderWay();
  }
}
