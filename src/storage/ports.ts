/**
 * The storage port. IndexedDB, memory and file implementations stand behind it; callers never know which.
 *
 * Promise of every implementation: a batch is acknowledged only when it is durable enough to survive the
 * worker's death, and what is acknowledged is a contiguous prefix of what was appended.
 */
import type { RunConfig } from '../core/trace/config.ts';
import type { NodeRun } from '../core/tree/ids.ts';
import type { NodePage } from '../core/tree/node-columns.ts';
import type { RefreshStanding } from '../core/tree/gist-tree.ts';
import type { SealedSegments } from '../core/lexical/postings.ts';
import type { Provenance, Role } from '../core/tree/provenance.ts';
import type { TelemetryEvent } from '../core/trace/telemetry.ts';

export type SessionId = string & { readonly __brand: 'SessionId' };

export interface SessionRecord {
  readonly id: SessionId;
  readonly title: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly modelId: string;
  readonly modelHash: string;
  readonly tokenCount: number;
  readonly stepCount: number;
  readonly config: RunConfig;
  /** Words by which its owner sorts it; absent: none. */
  readonly tags?: readonly string[];
  /** When it was deleted, milliseconds since 1970; absent or null while it is kept. It can be taken back for a while. */
  readonly deletedAt?: number | null;
}

/** A run of tokens with one provenance. */
export interface ProvenanceRun {
  readonly start: number;
  readonly end: number;
  readonly role: Role;
  readonly documentId: string;
  readonly title: string;
  readonly wallClockMs: number;
}

export interface ChatMessageRecord {
  readonly id: string;
  readonly role: 'user' | 'assistant';
  readonly text: string;
  /** Tokens of the history that hold this message. */
  readonly start: number;
  readonly end: number;
  readonly createdAt: number;
  /** `stopped`: the user stopped it; `interrupted`: the session was left; `cut`: the longest answer was reached. */
  readonly ending: 'complete' | 'stopped' | 'interrupted' | 'cut' | 'failed';
}

/** What a researcher did to a span: kept at full detail, kept from expanding, or given a name. */
export interface SpanMark {
  readonly lod: number;
  readonly start: number;
  readonly end: number;
  readonly kind: 'pin' | 'forbid' | 'tag';
  /** The name of a tag. */
  readonly name?: string;
  /** The refocus step after which it was made; absent in older sessions. */
  readonly sinceStep?: number;
}

/** What the nodes of one LOD counted. */
export interface StoredNodePage extends NodePage {
  readonly lod: number;
}

/**
 * Where a run stood after a step, so that opening need not replay what came before. The events say all of it; a
 * checkpoint that cannot be read costs time alone.
 */
export interface SessionCheckpoint {
  /** Stored events that it stands for. */
  readonly eventCount: number;
  /** Tokens of the history then. */
  readonly tokenCount: number;
  /** Nodes of each LOD then. */
  readonly nodeCounts: readonly number[];
  /** What a replay of those events comes to, as events: what was announced last, what is hidden, a whole frame a head. */
  readonly events: readonly TelemetryEvent[];
  /**
   * By head, what its last refocus gave the entries that it left: `[head, scores]`. Absent in those of older versions; of
   * the staging context `StoredStaging` has them.
   */
  readonly carried?: readonly (readonly [head: number, scores: readonly number[]])[];
}

/** What the staging context's newest refocus left beside its frame; frames of wide ones hold no scores. */
export interface StoredStaging {
  /** Of that refocus. */
  readonly step: number;
  /** It was a pass over a question and moved nothing. */
  readonly isSettled: boolean;
  /** `[entries]` of the layout that it left. */
  readonly scores: Float32Array;
}

/** Which GistNet made a session's gists. */
export interface GistStanding {
  /** In the tree's columns. */
  readonly version: number;
  /** How far they were made anew by the model with this hash; null where all are of the session's own. */
  readonly refresh: (RefreshStanding & { readonly modelHash: string }) | null;
}

/** One atomic append. Everything in it is stored, or nothing. */
export interface SessionBatch {
  /** `start` is the number of tokens stored; anything else is refused. */
  readonly tokens?: { readonly start: number; readonly ids: Uint32Array };
  /** A run that continues the one before it (same document, role and title) is joined to it. */
  readonly provenance?: readonly ProvenanceRun[];
  /**
   * Gists as fp16 bits, `[count, d]`; one d a session. `firstIndex` is at most the number stored at that level:
   * a smaller one replaces from there on and drops what followed, which is how damaged gists are rebuilt.
   */
  readonly gists?: readonly {
    readonly level: number;
    readonly firstIndex: number;
    readonly hiddenSize: number;
    readonly values: Uint16Array;
    /** Only those that `values` gives are replaced; all of them must be stored. */
    readonly inPlace?: boolean;
  }[];
  /** Which GistNet made the gists, when this batch is stored. */
  readonly gistStanding?: GistStanding;
  readonly events?: readonly TelemetryEvent[];
  /** New messages, or new states of messages with the same id. */
  readonly chat?: readonly ChatMessageRecord[];
  /** All marks of the session, in place of those stored. */
  readonly marks?: readonly SpanMark[];
  readonly patch?: Partial<
    Pick<SessionRecord, 'title' | 'config' | 'updatedAt' | 'stepCount' | 'modelHash' | 'tags' | 'deletedAt'>
  >;
  /**
   * Nodes that go to the cold tier, and nodes that come back from it. Token ids stay where they are, as nothing could
   * bring them back; gists move to rows of their own, which opening does not read.
   */
  readonly pruned?: readonly NodeRun[];
  readonly restored?: readonly NodeRun[];
  /** In place of the one before; with the pages of nodes that changed since. */
  readonly checkpoint?: SessionCheckpoint & { readonly pages: readonly StoredNodePage[] };
  /** In place of the one before. */
  readonly staging?: StoredStaging;
  /** Of the inverted index, in place of all segments from its first token on. */
  readonly index?: SealedSegments;
  /** Texts handed in but not ingested yet, in their order, in place of those stored: a reload continues them. */
  readonly pending?: readonly PendingText[];
}

/** One text that waits to be ingested. No two of a session have the same `documentId`. */
export interface PendingText {
  readonly documentId: string;
  readonly title: string;
  readonly role: Role;
  readonly ids: Uint32Array;
  /** How many of ids are ingested already. */
  readonly ingested: number;
  /** Where a text has several origins, as the messages of a log: they follow one another and hold all of `ids`. */
  readonly parts?: readonly { readonly tokens: number; readonly origin: Provenance }[];
}

export interface StoredSession {
  readonly record: SessionRecord;
  readonly tokens: Uint32Array;
  readonly provenance: readonly ProvenanceRun[];
  /** By level 1..4: `[count, d]` fp16 bits; shorter than the tree needs when segments are missing or damaged. */
  readonly gists: readonly {
    readonly level: number;
    readonly hiddenSize: number;
    readonly values: Uint16Array;
  }[];
  readonly events: readonly TelemetryEvent[];
  readonly chat: readonly ChatMessageRecord[];
  readonly marks: readonly SpanMark[];
  /** The nodes in the cold tier. Their gists are zeros, unless all was asked for. */
  readonly cold: readonly NodeRun[];
  readonly pending: readonly PendingText[];
  /** What was found damaged and left out, in words; empty when all is well. */
  readonly damage: readonly string[];
  /** Null until gists were made anew once. */
  readonly gistStanding: GistStanding | null;
  /** Null where there is none, or it is damaged. */
  readonly staging: StoredStaging | null;
  /** Events that are stored in all, damaged ones too. */
  readonly eventCount: number;
  /** Present where a checkpoint was asked for and holds. */
  readonly checkpoint?: LoadedCheckpoint;
  /** Of the inverted index: neighbours from token 0 on, where it was asked for. */
  readonly index: SealedSegments['segments'];
}

/** What a session that was loaded from its checkpoint has instead of all its events and gists. */
export interface LoadedCheckpoint extends SessionCheckpoint {
  readonly pages: readonly StoredNodePage[];
  /** LOD1 gists that stand before those loaded, whole pages of `GISTS_PER_PAGE`; `readGists` has them. */
  readonly gistsLeftOut: number;
}

export interface LoadOptions {
  /** Gists of the cold tier stand in their places, too. */
  readonly whole?: boolean;
  /**
   * Take what the checkpoint stands for from it, where it holds: `events` are its own and those after it. Without one,
   * or if a part of it is damaged, which `damage` says, everything is loaded.
   */
  readonly fromCheckpoint?: boolean;
}

/** One open session. The writer holds it exclusively; a second opener gets `readOnly: true`. */
export interface SessionHandle {
  readonly id: SessionId;
  readonly readOnly: boolean;
  load(options?: LoadOptions): Promise<StoredSession>;
  /** `[count, d]` fp16 bits of gists, zeros for cold ones; null if they are not all there and intact. */
  readGists(run: NodeRun): Promise<Uint16Array | null>;
  /** Stored events from one on, at most `count`, without damaged ones. */
  readEvents(first: number, count: number): Promise<readonly TelemetryEvent[]>;
  /** `[count, d]` fp16 bits of gists in the cold tier; null if they are not all there and intact. */
  readCold(run: NodeRun): Promise<Uint16Array | null>;
  /**
   * Resolves when the batch is stored. Batches are stored in the order of the calls; arrays in them are borrowed
   * and must not change until then.
   *
   * @throws {StorageError} and nothing of the batch is stored.
   */
  append(batch: SessionBatch, durability?: 'relaxed' | 'strict'): Promise<void>;
  close(): Promise<void>;
}

export interface SessionStore {
  /** `indexeddb`, or `memory` with the reason why nothing outlives the page. */
  readonly kind: 'indexeddb' | 'memory' | 'file';
  readonly reason: string;
  /** Newest change first. */
  list(): Promise<readonly SessionRecord[]>;
  /** @param id - of a session that the store had and lost; a new one by default. */
  create(
    record: Omit<SessionRecord, 'id' | 'updatedAt' | 'tokenCount' | 'stepCount'>,
    id?: SessionId,
  ): Promise<SessionHandle>;
  /** @throws {StorageError} `not-found` */
  open(id: SessionId): Promise<SessionHandle>;
  /** @throws {StorageError} `not-found`; `blocked` while someone has it open for writing */
  remove(id: SessionId): Promise<void>;
  /** The value written last under this name, or undefined. Settings belong to no session. */
  readSetting(name: string): Promise<unknown>;
  writeSetting(name: string, value: unknown): Promise<void>;
  estimate(): Promise<{ readonly usedBytes: number; readonly quotaBytes: number } | null>;
  /** Ends every handle and gives its lock back; batches under way are stored first or refused whole. */
  close(): void;
}

export type StorageErrorCode =
  | 'unavailable'
  | 'not-found'
  | 'read-only'
  | 'quota'
  | 'newer-schema'
  | 'blocked'
  | 'closed'
  | 'damaged'
  | 'failed';

/** What went wrong, where, and what was kept. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  constructor(
    readonly code: StorageErrorCode,
    message: string,
    readonly kept: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
