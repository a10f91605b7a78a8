/**
 * What an open session does one step at a time: tokens come in, heads refocus, and what happened is noted, told and
 * stored. Ingestion, turns of the chat, moves by hand and queries are made of these steps; each takes its step
 * exclusively. Decides nothing about when to run.
 */
import {
  isRefocusDue,
  nextPieceTokens,
  refocusEveryTokens,
} from '../../../core/allocator/refocus-cadence.ts';
import type { NodeRun } from '../../../core/tree/ids.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { protectedStart } from '../../../core/context/moves.ts';
import type { PinnedSpan } from '../../../core/context/working-context.ts';
import { K } from '../../../core/tree/ids.ts';
import { CHAT_OPENING, type Provenance, isOfChat } from '../../../core/tree/provenance.ts';
import type { TelemetryEvent } from '../../../core/trace/telemetry.ts';
import { AsyncMutex } from '../../../base/async-mutex.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { KeptLens } from '../head/lens-variant.ts';
import type {
  ChatMessageRecord,
  SessionBatch,
  SessionHandle,
  SessionRecord,
} from '../../../storage/ports.ts';
import { DeltaNllMeter, horizonDue } from '../decoding/delta-nll.ts';
import type { RefocusTrigger } from '../head/head.ts';
import { MultiHeadFocus } from '../head/multi-head-focus.ts';
import { Pruner } from '../pruning/pruner.ts';
import { CheckpointKeeper } from '../journal/checkpoint-keeper.ts';
import { SessionJournal } from '../journal/session-journal.ts';
import type { BuiltGists } from '../memory/gist-builder.ts';
import { HiddenDocuments } from '../memory/hidden-documents.ts';
import { IngestQueue } from '../memory/ingest-queue.ts';
import { SpanMarks } from '../memory/span-marks.ts';
import { chatWords, openingDue, openingPins } from '../chat-words/chat-words.ts';
import { EngineError, toWireError } from '../messages/errors.ts';
import type { SessionNotice } from '../messages/session-messages.ts';
import { type SessionEvent, saysTheSame, sessionEvent } from '../telemetry/session-event.ts';
import { TelemetryRecorder } from '../telemetry/telemetry-recorder.ts';
import type { SessionOptions } from './session-options.ts';

/** Milliseconds between two batches while nothing else makes one due. */
const FLUSH_EVERY_MS = 250;

export class SessionSteps {
  readonly model: LoadedModel;
  readonly telemetry: TelemetryRecorder;
  readonly focus: MultiHeadFocus;
  readonly queue = new IngestQueue();
  readonly marks: SpanMarks;
  readonly hidden: HiddenDocuments;
  readonly pruner: Pruner;
  private readonly messages: ChatMessageRecord[];
  private readonly mutex = new AsyncMutex();
  private readonly journal: SessionJournal | null;
  private readonly checkpoints: CheckpointKeeper;
  private readonly meter: DeltaNllMeter;
  private readonly handle: SessionHandle | null;
  private stored: SessionRecord;
  private config: RunConfig;
  /** What the next refocus will run with. */
  private requested: RunConfig;
  private lensInUse: { readonly kept: KeptLens | null; readonly mark: string | null } | null = null;
  private lastFlushMs = 0;
  private canPrefetch = true;
  /** Marks changed, and no refocus has followed them yet. */
  private marksWait = false;

  /**
   * @param onChange - called when the session's state is another one.
   * @param pause - awaited between the chunks of a long prefill; may throw to give up.
   */
  constructor(
    private readonly options: SessionOptions,
    private readonly onChange: () => void,
    pause: () => Promise<void>,
  ) {
    const { model, focus, record, handle, clock, resumed } = options;
    this.model = model;
    this.handle = handle;
    this.stored = record;
    this.config = this.requested = record.config;
    this.marks = new SpanMarks(focus.tree, resumed?.marks ?? []);
    this.hidden = new HiddenDocuments(focus.tree, resumed?.hidden ?? []);
    this.messages = [...(resumed?.chat ?? [])];
    this.telemetry = new TelemetryRecorder(clock, resumed?.timeMs ?? 0);
    this.focus = new MultiHeadFocus(focus, model, this.telemetry, this.config, pause);
    this.meter = new DeltaNllMeter(model.base, focus.tree, model.manifest.trainedContextTokens);
    this.followMarks();
    this.journal = handle === null ? null : this.openJournal(handle);
    this.pruner = new Pruner({
      tree: focus.tree,
      telemetry: this.telemetry,
      storage: handle === null || this.journal === null ? null : { handle, journal: this.journal },
      standing: () => {
        const { heads, staging } = this.focus.state;
        return {
          step: this.focus.step,
          config: this.config,
          layouts: [...heads, ...(staging === undefined ? [] : [staging])].map(({ layout }) => layout),
          marks: this.marks.list,
        };
      },
    });
    this.checkpoints = new CheckpointKeeper(
      focus.tree,
      () => this.focus.memory.words.seal(),
      resumed?.standing ?? null,
    );
    this.telemetry.listen((events) => {
      this.checkpoints.observe(events);
      this.notify({ kind: 'telemetry', events });
      this.journal?.addEvents(events);
    });
  }

  /** As storage has it, but for counts and parameters. */
  get record(): SessionRecord {
    return this.stored;
  }

  get readOnly(): boolean {
    return this.handle?.readOnly ?? false;
  }

  /** False while storage refuses what is written. */
  get isSaved(): boolean {
    return !(this.journal?.isFailing ?? false);
  }

  /** The parameters in force; they change at a refocus only. */
  get activeConfig(): RunConfig {
    return this.config;
  }

  /** The parameters that the next refocus runs with. */
  get requestedConfig(): RunConfig {
    return this.requested;
  }

  get chat(): readonly ChatMessageRecord[] {
    return this.messages;
  }

  /** Run one step in line with everything else. */
  exclusive<T>(step: () => Promise<T>): Promise<T> {
    return this.mutex.runExclusive(step);
  }

  /** Append tokens up to the open block's end, and refocus if that closes it. */
  async appendTokens(ids: Uint32Array, origin: Provenance): Promise<void> {
    const closesBlock = isRefocusDue(K, this.focus.memory.tree.tokenCount + ids.length);
    await this.append(ids, origin, closesBlock);
    if (closesBlock) await this.refocus('block');
    await this.storeIfDue();
  }

  /** Append a token of an answer, and refocus where what was decoded pays for it or somebody asked for another focus. */
  async appendAnswered(id: number, origin: Provenance): Promise<void> {
    const end = this.focus.memory.tree.tokenCount + 1;
    const closesBlock = isRefocusDue(K, end);
    const pace = closesBlock ? this.focus.answerPace() : null;
    const isAsked = this.config !== this.requested || this.marksWait;
    const refocuses = closesBlock && (pace === null || isAsked || isRefocusDue(pace.everyTokens, end));
    await this.append(Uint32Array.of(id), origin, refocuses);
    if (refocuses) await this.refocus('block', isAsked ? undefined : pace?.maxActions);
    await this.storeIfDue();
  }

  /**
   * Write what the chat's template and system text open the history with, unless it stands there already. An opening
   * that changed comes where the history is now.
   */
  async writeOpening(): Promise<void> {
    const { model, focus } = this;
    const { tree } = focus.memory;
    const due = openingDue(tree, model, chatWords(model, this.requested));
    if (due.length === 0) return;
    const wallClockMs = this.telemetry.wallClockMs();
    const origin = {
      role: 'system',
      title: 'System text',
      documentId: CHAT_OPENING,
      wallClockMs,
    } as const;
    for (const piece of focus.memory.pieces(due)) await this.appendTokens(piece, origin);
    this.followMarks();
  }

  /** Tokens from one refocus to the next for what waits now. @param isPaced - whether a pace is set. */
  refocusEveryTokens(isPaced: boolean): number {
    const { pendingTokens: waitingTokens } = this.queue;
    return refocusEveryTokens(this.requested.refocusCadence, { waitingTokens, isPaced });
  }

  /** Read the next piece of the queue, and refocus where that is due. @returns how many tokens came in. */
  async readOn(isPaced: boolean): Promise<number> {
    await this.writeOpeningIfEmpty();
    const every = this.refocusEveryTokens(isPaced);
    const { tokenCount } = this.focus.memory.tree;
    const isDue = (end: number): boolean => isRefocusDue(every, end) || this.queue.pendingTokens === 0;
    return this.readPiece(nextPieceTokens(every, tokenCount), isDue);
  }

  /** Read up to the end of the open block, and refocus in any case. */
  async readBlock(): Promise<void> {
    await this.writeOpeningIfEmpty();
    await this.readPiece(nextPieceTokens(K, this.focus.memory.tree.tokenCount), () => true);
  }

  /**
   * Append what comes next in the queue, all of one origin, and refocus where that is due.
   *
   * @param most - tokens at most.
   * @param isDue - whether a refocus follows a history of that length.
   * @returns how many tokens came in.
   */
  async readPiece(most: number, isDue: (tokenCount: number) => boolean): Promise<number> {
    const { tree } = this.focus.memory;
    const taken = this.queue.take(most);
    const tokens = taken?.ids.length ?? 0;
    const refocuses = isDue(tree.tokenCount + tokens);
    if (taken !== null) await this.append(taken.ids, taken.origin, refocuses);
    if (refocuses) await this.refocus('block');
    return tokens;
  }

  /**
   * @param maxActions - of each head, in one look, in place of the parameters.
   * @returns how many actions were applied in all heads.
   */
  async refocus(trigger: RefocusTrigger, maxActions?: number): Promise<number> {
    this.marksWait = false;
    if (this.config !== this.requested) {
      this.config = this.requested;
      this.focus.setConfig(this.config);
      this.announce();
    }
    const applied = await this.focus.refocus(trigger, maxActions);
    const { pruneEverySteps } = this.config;
    const isDue = pruneEverySteps > 0 && this.focus.step % pruneEverySteps === 0;
    if (isDue && this.isSaved) await this.pruner.pruneByRules();
    this.noteStaging();
    await this.prefetchCold();
    this.noteStanding();
    this.onChange();
    return applied;
  }

  /**
   * Take back from storage what the staging context asks for, so that its next refocus can open it. Where storage cannot
   * give it, that is told once, and the session goes on without.
   */
  private async prefetchCold(): Promise<void> {
    const wanted = this.focus.coldWanted;
    if (wanted.length === 0 || this.journal === null || !this.isSaved || !this.canPrefetch) return;
    try {
      await this.pruner.restore(wanted, 'rules');
    } catch (error) {
      this.canPrefetch = false;
      this.notify({ kind: 'problem', error: toWireError(error) });
    }
  }

  /** What the staging context's refocus left beside its frame is stored with it. */
  private noteStaging(): void {
    const { journal, focus } = this;
    const staging = focus.stagingToKeep;
    if (staging !== null && journal?.readOnly === false) journal.addChange({ staging });
  }

  /** Where the session stands is stored now and then. */
  private noteStanding(): void {
    const { journal, checkpoints, focus } = this;
    if (journal === null || journal.readOnly || !checkpoints.isDue) return;
    journal.addChange({ standing: checkpoints.take(focus.state) });
  }

  /** What `useLens` was told last; null where it never was. */
  get lens(): { readonly kept: KeptLens | null; readonly mark: string | null } | null {
    return this.lensInUse;
  }

  /** Score with this LensNet from the next refocus on, or with the model's again; `mark` names its weights. */
  useLens(kept: KeptLens | null, mark: string | null): void {
    this.focus.useLens(kept);
    this.lensInUse = { kept, mark };
  }

  /** Note in the trace with what the run begins or goes on. */
  announce(): TelemetryEvent {
    const event = this.announcement();
    this.telemetry.emit(event);
    return event;
  }

  private announcement(): SessionEvent {
    const { telemetry, stored, model, config } = this;
    const subject = { record: stored, model, config, backend: this.options.backend };
    return sessionEvent(telemetry.base(this.focus.step), subject, this.lensInUse?.mark ?? null);
  }

  /** The same for a session that goes on; null where its last announcement still says what is. */
  announceIfChanged(past: readonly TelemetryEvent[]): TelemetryEvent | null {
    const last = past.findLast((event) => event.type === 'session');
    return last !== undefined && saysTheSame(last, this.announcement()) ? null : this.announce();
  }

  async measureDeltaNll(): Promise<void> {
    const { focus, telemetry, meter, config, queue } = this;
    const coming = horizonDue(config, focus.step, queue);
    if (coming === null) return;
    const gains = await focus.gains(coming);
    for (const { id, step, layout, decoder, parameters } of focus.heads) {
      const measured = await meter.measureHead(parameters, decoder, layout, coming);
      const at = gains === null ? -1 : gains.heads.indexOf(id);
      const merged = at < 0 ? {} : { merged: { nll: gains!.mergedNll, withoutNll: gains!.withoutNll[at]! } };
      const { cursor } = layout;
      telemetry.emit({ ...telemetry.base(step), type: 'deltaNll', head: id, cursor, ...measured, ...merged });
    }
  }

  addMessage(message: ChatMessageRecord): void {
    this.messages.push(message);
    this.journal?.addMessage(message);
    this.notify({ kind: 'chat', message });
  }

  /** The marks are others now: heads follow their pins from the next refocus on. */
  marksChanged(): void {
    this.marksWait = true;
    this.followMarks();
    this.journal?.addChange({ marks: this.marks.list });
  }

  /** Change what is stored of the session beside its run. */
  patch(patch: NonNullable<SessionBatch['patch']>): void {
    if (patch.config !== undefined) this.requested = patch.config;
    this.stored = { ...this.stored, ...patch };
    this.journal?.addChange({ patch });
    void this.flush('relaxed');
    this.onChange();
  }

  /**
   * Hide a document from focus, or show it again, in a refocus of its own. What is shown again comes back raw where
   * it lies in the recent window; elsewhere the scores say what is worth its detail.
   *
   * @throws {EngineError} `bad-span` if the history holds no such document.
   */
  async hideDocument(documentId: string, isHidden: boolean): Promise<void> {
    const runs = this.hidden.runsOf(documentId);
    const [first] = runs;
    if (first === undefined || isOfChat(documentId)) {
      throw new EngineError('bad-span', 'The history holds no such document.');
    }
    const { title } = first;
    this.hidden.set(documentId, isHidden);
    this.telemetry.emit({
      ...this.telemetry.base(this.focus.step),
      type: 'hide',
      documentId,
      title,
      hidden: isHidden,
    });
    const { tree } = this.focus.memory;
    const recentStart = protectedStart(tree.tokenCount, this.requested);
    const recent = isHidden ? [] : runs.filter(({ end }) => end > recentStart);
    this.followMarks(recent.map(({ start, end }) => ({ start: Math.max(start, recentStart), end })));
    await this.refocus('manual');
    this.followMarks();
  }

  /**
   * Make some gists of an older GistNet anew. The last ones are stored together with the name of the weights.
   *
   * @returns how many.
   */
  async renewGists(): Promise<number> {
    const { telemetry, focus } = this;
    const { memory, step } = focus;
    const renew = (): Promise<BuiltGists | null> => memory.renewNextGists(step);
    const built = await telemetry.timed('gist', null, step, renew);
    if (built !== null) focus.gistsChanged({ lod: built.lod, first: built.firstIndex, count: built.count });
    if (memory.tree.staleGistCount === 0) {
      await memory.makeGists(step);
      this.patch({ modelHash: this.model.hash });
    }
    await this.storeIfDue();
    this.onChange();
    return built?.count ?? 0;
  }

  /** Gists are to be made anew, for which these came back from the cold tier. */
  broughtBack(restored: readonly NodeRun[]): void {
    if (restored.length > 0) this.journal?.addPruning({ restored });
  }

  notify(notice: SessionNotice): void {
    this.options.notify(notice);
  }

  /** Store what there is, so that it survives the worker. */
  async store(): Promise<void> {
    this.lastFlushMs = this.telemetry.now();
    await this.flush('relaxed');
  }

  async storeIfDue(): Promise<void> {
    const isDue = this.journal?.isDue ?? false;
    if (isDue || this.telemetry.now() - this.lastFlushMs > FLUSH_EVERY_MS) await this.store();
  }

  async flush(durability: 'relaxed' | 'strict'): Promise<void> {
    await this.journal?.flush(durability);
  }

  /** Events that storage holds, from one on. */
  async storedEvents(first: number, count: number): Promise<readonly TelemetryEvent[]> {
    return (await this.handle?.readEvents(first, count)) ?? [];
  }

  /** Every event of the session, stored or not. */
  async events(): Promise<readonly TelemetryEvent[]> {
    if (this.handle === null || this.journal === null) return [];
    await this.journal.flush('relaxed');
    const { events } = await this.handle.load();
    return [...events, ...this.journal.unstoredEvents];
  }

  /** Wait for the step under way, store what is left, give the models' caches back. */
  async close(): Promise<void> {
    await this.mutex.runExclusive(() => Promise.resolve());
    this.focus.dispose();
    this.meter.dispose();
    await this.journal?.close();
  }

  private async writeOpeningIfEmpty(): Promise<void> {
    if (this.focus.memory.tree.tokenCount === 0 && this.queue.pendingTokens > 0) await this.writeOpening();
  }

  private async append(ids: Uint32Array, origin: Provenance, refocusFollows: boolean): Promise<void> {
    await this.focus.append(ids, origin, refocusFollows);
    this.hidden.extend(origin);
    this.notify({ kind: 'provenance', run: this.focus.memory.tree.provenance.at(-1)! });
  }

  /** @param more - what is held at full detail beside the marks. */
  private followMarks(more: readonly PinnedSpan[] = []): void {
    this.focus.pins = [...this.marks.pins, ...openingPins(this.focus.memory.tree), ...more];
  }

  private openJournal(handle: SessionHandle): SessionJournal {
    const { tree } = this.focus.memory;
    const source = {
      tree,
      pending: () => this.queue.toPending(),
      step: () => this.focus.step,
      modelHash: this.model.hash,
    };
    return new SessionJournal(
      handle,
      source,
      this.options.resumed ?? null,
      (error) => {
        this.notify({ kind: 'problem', error: toWireError(error) });
      },
      this.onChange,
    );
  }
}
