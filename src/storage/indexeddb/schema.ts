/** The layout of the database: its stores and their keys. */
import type { DBSchema, IDBPDatabase, IDBPTransaction, StoreNames } from 'idb';
import type { NodeRun } from '../../core/tree/ids.ts';
import type { Role } from '../../core/tree/provenance.ts';
import type { ChatMessageRecord, GistStanding, ProvenanceRun, SessionRecord, SpanMark } from '../ports.ts';

export const DATABASE_NAME = 'megacontext-playground';

/**
 * `[session, stream, first, count]`: elements first .. first+count-1 of one stream. Streams are gist levels
 * (1..4) in `gists` and `coldGists`, LODs in `nodePages`, waiting texts in `pendingText`, and 0 elsewhere. The count stands in the key so that a gap shows without reading values.
 */
export type RowKey = [session: string, stream: number, first: number, count: number];

export interface Row {
  readonly bytes: Uint8Array;
  /** CRC-32 of `bytes`. */
  readonly crc: number;
}

/** What a session has beside its record: small, rewritten whole. */
export interface SessionDetails {
  /** Vector length of the gists; null before the first. */
  readonly hiddenSize: number | null;
  readonly marks: readonly SpanMark[];
  /** The texts that wait, in order, without their token ids: each has a stream of rows in `pendingText`. */
  readonly pending: readonly PendingHead[];
  /** Absent until gists were made anew once. */
  readonly gistStanding?: GistStanding;
  /** The nodes in the cold tier; absent in sessions of older versions. */
  readonly cold?: readonly NodeRun[];
}

export interface PendingHead {
  /** Of its rows; no two that wait share one. */
  readonly stream: number;
  readonly documentId: string;
  readonly title: string;
  readonly role: Role;
  readonly length: number;
  readonly ingested: number;
}

export interface PlaygroundSchema extends DBSchema {
  sessions: { key: string; value: SessionRecord };
  details: { key: string; value: SessionDetails };
  /** Little-endian uint32 token ids; rows of at most 60 KiB. */
  tokens: { key: RowKey; value: Row };
  /** Little-endian fp16 vectors; segments of at most 1 MiB. */
  gists: { key: RowKey; value: Row };
  /** As `gists`: those in the cold tier. */
  coldGists: { key: RowKey; value: Row };
  /** What nodes counted up to the checkpoint, by pages of one LOD; docs/formats.md has the columns. */
  nodePages: { key: RowKey; value: Row };
  /** The inverted index, by tokens; docs/formats.md has a segment's layout. */
  indexSegments: { key: RowKey; value: Row };
  /** UTF-8 JSON of a `SessionCheckpoint`. */
  checkpoints: { key: string; value: Row };
  /** What the staging context's newest refocus left; docs/formats.md has the bytes. */
  stagingScores: { key: string; value: Row };
  /** UTF-8 JSON, one event a line. */
  events: { key: RowKey; value: Row };
  /** As `tokens`: texts that wait to be ingested, one a stream. */
  pendingText: { key: RowKey; value: Row };
  provenance: { key: [session: string, start: number]; value: ProvenanceRun };
  chat: { key: [session: string, message: string]; value: ChatMessageRecord };
  /** What stood behind a damaged token row when the history went on before it; kept, never read back. */
  quarantine: { key: [session: string, movedAtMs: number, store: string, first: number]; value: unknown };
  settings: { key: string; value: unknown };
}

export type StoreName = StoreNames<PlaygroundSchema>;
export type RowStoreName =
  'tokens' | 'gists' | 'coldGists' | 'events' | 'pendingText' | 'nodePages' | 'indexSegments';
export type PlaygroundDatabase = IDBPDatabase<PlaygroundSchema>;
export type ReadTransaction = IDBPTransaction<PlaygroundSchema, StoreName[]>;
export type WriteTransaction = IDBPTransaction<PlaygroundSchema, StoreName[], 'readwrite'>;
export type UpgradeTransaction = IDBPTransaction<PlaygroundSchema, StoreName[], 'versionchange'>;

export const ROW_STORES: readonly RowStoreName[] = [
  'tokens',
  'gists',
  'coldGists',
  'events',
  'pendingText',
  'nodePages',
  'indexSegments',
];

export const ALL_STORES: StoreName[] = [
  ...ROW_STORES,
  'checkpoints',
  'stagingScores',
  'sessions',
  'details',
  'provenance',
  'chat',
  'quarantine',
  'settings',
];
