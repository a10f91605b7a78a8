/**
 * Writes what a session gained to storage, in batches. Batches leave in order and one at a time. When storage
 * fails the run goes on in memory: what was not stored is kept, and the end of every turn tries again.
 */
import type { Lod, NodeRun } from '../../../core/tree/ids.ts';
import { unionRuns } from '../../../core/tree/node-runs.ts';
import type { TelemetryEvent } from '../../../core/trace/telemetry.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { ProvenanceRun } from '../../../core/tree/provenance.ts';
import { StorageError } from '../../../storage/ports.ts';
import type { ChatMessageRecord, PendingText, SessionBatch, SessionHandle } from '../../../storage/ports.ts';
import { laterStanding, type Standing } from './checkpoint-keeper.ts';
import { AsyncMutex } from '../../../base/async-mutex.ts';

/** Events after which a batch is due. */
const EVENTS_PER_BATCH = 1024;

export interface JournalSource {
  readonly tree: GistTree;
  /** The queue as it is now. */
  pending(): readonly PendingText[];
  step(): number;
  /** Of the model whose GistNet makes gists now. */
  readonly modelHash: string;
}

type Pruning = Pick<SessionBatch, 'pruned' | 'restored'>;
type Change = Pick<SessionBatch, 'marks' | 'patch' | 'staging'> & Pruning & { readonly standing?: Standing };

export class SessionJournal {
  private readonly writes = new AsyncMutex();
  private events: TelemetryEvent[] = [];
  private readonly chat = new Map<string, ChatMessageRecord>();
  private change: Change = {};
  private storedTokens: number;
  private storedRuns = 0;
  private readonly storedGists: number[];
  private hadPending: boolean;
  private failing = false;
  /** Gists that storage holds as they were before they were made anew. */
  private replaced: readonly NodeRun[] = [];
  private wasRefreshing = false;

  /**
   * @param resumed - what storage holds beside every token: gists by level (index 0 unused); null for a new session.
   * @param onProblem - told once when writing begins to fail.
   * @param onTurn - told when it begins to fail, and when it succeeds again.
   */
  constructor(
    private readonly handle: SessionHandle,
    private readonly source: JournalSource,
    resumed: { readonly gistsStored: readonly number[]; readonly hasPending: boolean } | null,
    private readonly onProblem: (error: StorageError) => void,
    private readonly onTurn: () => void,
  ) {
    const { tree } = source;
    this.storedTokens = resumed === null ? 0 : tree.tokenCount;
    this.storedGists = Array.from(
      { length: tree.maxLod + 1 },
      (_, level) => resumed?.gistsStored[level] ?? 0,
    );
    this.hadPending = resumed?.hasPending ?? false;
  }

  get readOnly(): boolean {
    return this.handle.readOnly;
  }

  /** True from a write that failed to the next that succeeds. */
  get isFailing(): boolean {
    return this.failing;
  }

  /** Events that storage does not hold. */
  get unstoredEvents(): readonly TelemetryEvent[] {
    return this.events;
  }

  /** True when enough has gathered that it should be written now. */
  get isDue(): boolean {
    return !this.failing && this.events.length >= EVENTS_PER_BATCH;
  }

  addEvents(events: readonly TelemetryEvent[]): void {
    for (const event of events) this.events.push(event);
  }

  addMessage(message: ChatMessageRecord): void {
    this.chat.set(message.id, message);
  }

  addChange(change: Change): void {
    const patch = { ...this.change.patch, ...change.patch };
    const { standing: later } = change;
    const standing = later === undefined ? this.change.standing : laterStanding(this.change.standing, later);
    this.change = { ...this.change, ...change, patch, ...(standing !== undefined && { standing }) };
  }

  /** Nodes went to the cold tier, or came back. What was gathered before is stored before the next one is added. */
  addPruning(pruning: Pruning): void {
    this.change = { ...this.change, ...pruning };
  }

  /**
   * Store everything gathered so far. Never rejects: a failure is reported and the data kept for the next try.
   *
   * @param durability - `strict` at the end of a turn; it also tries again after a failure.
   */
  flush(durability: 'relaxed' | 'strict'): Promise<void> {
    if (this.handle.readOnly || (this.failing && durability === 'relaxed')) return Promise.resolve();
    return this.writes.runExclusive(() => this.write(durability));
  }

  async close(): Promise<void> {
    await this.flush('strict');
    await this.writes.runExclusive(() => this.handle.close());
  }

  private async write(durability: 'relaxed' | 'strict'): Promise<void> {
    const { tree } = this.source;
    const tokenCount = tree.tokenCount;
    const runCount = tree.provenance.length;
    const gistCounts = this.storedGists.map((_, level) => tree.countAt(level));
    const events = this.events;
    const chat = [...this.chat.values()];
    const { change } = this;
    this.replaced = unionRuns(this.replaced, tree.takeReplaced());
    const { replaced } = this;
    const refresh = tree.refreshStanding;
    const batch = this.compose(tokenCount, gistCounts, events, chat, change);
    this.events = [];
    this.chat.clear();
    this.change = {};
    this.replaced = [];
    try {
      await this.handle.append(batch, durability);
    } catch (error) {
      this.takeBack(events, chat, change);
      this.replaced = unionRuns(this.replaced, replaced);
      const begins = !this.failing;
      this.failing = true;
      if (begins) {
        this.onProblem(stillRunning(error));
        this.onTurn();
      }
      return;
    }
    const recovers = this.failing;
    this.failing = false;
    if (recovers) this.onTurn();
    this.wasRefreshing = refresh !== null;
    this.storedTokens = tokenCount;
    // The last run may still grow, so it is sent again.
    this.storedRuns = Math.max(0, runCount - 1);
    gistCounts.forEach((count, level) => (this.storedGists[level] = count));
    this.hadPending = batch.pending !== undefined && batch.pending.length > 0;
  }

  private takeBack(events: TelemetryEvent[], chat: readonly ChatMessageRecord[], change: Change): void {
    this.events = [...events, ...this.events];
    for (const message of chat) if (!this.chat.has(message.id)) this.chat.set(message.id, message);
    const newer = this.change;
    this.change = change;
    this.addChange(newer);
  }

  private compose(
    tokenCount: number,
    gistCounts: readonly number[],
    events: readonly TelemetryEvent[],
    chat: readonly ChatMessageRecord[],
    change: Change,
  ): SessionBatch {
    const { tree } = this.source;
    const pending = this.source.pending();
    const renewed = this.replaced.flatMap(({ lod, first, count: all }) => {
      const count = Math.min(first + all, this.storedGists[lod]!) - first;
      if (count <= 0) return [];
      const values = tree.gistBits(lod as Lod, first, count).slice();
      return [{ level: lod, firstIndex: first, hiddenSize: tree.hiddenSize, values, inPlace: true }];
    });
    const refresh = tree.refreshStanding;
    const { modelHash } = this.source;
    const gistStanding =
      refresh === null && renewed.length === 0 && !this.wasRefreshing
        ? undefined
        : { version: tree.gistVersion, refresh: refresh && { ...refresh, modelHash } };
    const gists = gistCounts.flatMap((count, level) => {
      const firstIndex = this.storedGists[level]!;
      if (level === 0 || count <= firstIndex) return [];
      const values = tree.gistBits(level as Lod, firstIndex, count - firstIndex).slice();
      return [{ level, firstIndex, hiddenSize: tree.hiddenSize, values }];
    });
    return {
      ...(tokenCount > this.storedTokens
        ? { tokens: { start: this.storedTokens, ids: tree.tokens(this.storedTokens, tokenCount).slice() } }
        : {}),
      provenance: newRuns(tree.provenance.slice(this.storedRuns), this.storedTokens),
      gists: [...renewed, ...gists],
      ...(gistStanding !== undefined && { gistStanding }),
      events,
      chat,
      ...(change.marks === undefined ? {} : { marks: change.marks }),
      ...(change.pruned === undefined ? {} : { pruned: change.pruned }),
      ...(change.restored === undefined ? {} : { restored: change.restored }),
      ...(change.staging === undefined ? {} : { staging: change.staging }),
      ...change.standing,
      patch: { ...change.patch, stepCount: this.source.step() },
      ...(pending.length === 0 && !this.hadPending ? {} : { pending }),
    };
  }
}

/** The same failure, with what it means for the run. */
function stillRunning(error: unknown): StorageError {
  const isKnown = error instanceof StorageError;
  const message = error instanceof Error ? error.message : String(error);
  const kept = `${isKnown ? error.kept : ''} The run goes on in memory; the end of every turn tries to store it again.`;
  return new StorageError(isKnown ? error.code : 'failed', message, kept.trim(), { cause: error });
}

/** The parts of the runs that storage does not hold; stores join them to what they continue. */
function newRuns(runs: readonly ProvenanceRun[], storedTokens: number): ProvenanceRun[] {
  return runs
    .filter((run) => run.end > storedTokens)
    .map((run) => ({ ...run, start: Math.max(run.start, storedTokens) }));
}
