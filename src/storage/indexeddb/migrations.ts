/** How the database came to be what it is: one migration a version (docs/formats-changelog.md). */
import { crc32 } from '../../base/crc32.ts';
import { withHeads } from '../versions/event-upgrade.ts';
import type { JsonObject } from '../versions/event-upgrade.ts';
import { decodeEvents, encodeEvents } from './event-rows.ts';
import { isIntact } from './rows.ts';
import type { PendingHead, PlaygroundDatabase, StoreName, UpgradeTransaction } from './schema.ts';

/** Lifts the database from `version - 1` to `version`, in the one transaction that all of an upgrade shares. */
export interface Migration {
  readonly version: number;
  /** Awaits nothing but requests of this transaction. */
  up(database: PlaygroundDatabase, transaction: UpgradeTransaction): void | Promise<void>;
}

/** Those of version 1. */
const FIRST_STORES: readonly StoreName[] = [
  'tokens',
  'gists',
  'events',
  'pendingText',
  'sessions',
  'details',
  'provenance',
  'chat',
  'quarantine',
  'settings',
];

/** In order of version, without holes. A released migration is never edited; a change is a new one. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    up: (database) => {
      for (const name of FIRST_STORES) database.createObjectStore(name);
    },
  },
  { version: 2, up: (_, transaction) => rewriteEvents(transaction, withHeads) },
  { version: 3, up: (_, transaction) => listPending(transaction) },
  {
    version: 4,
    up: (database) => {
      database.createObjectStore('coldGists');
    },
  },
  {
    version: 5,
    up: (database) => {
      // What they hold follows from the rest; each session writes them as it goes on.
      for (const name of ['nodePages', 'indexSegments', 'checkpoints'] as const)
        database.createObjectStore(name);
    },
  },
  {
    version: 6,
    up: (database) => {
      // A staging context without a row lends what its recorded steps say of it.
      database.createObjectStore('stagingScores');
    },
  },
];

/** One text waited at most, whose rows were stream 0; now any number does. */
async function listPending(transaction: UpgradeTransaction): Promise<void> {
  const store = transaction.objectStore('details');
  for (const key of await store.getAllKeys()) {
    const details = await store.get(key);
    if (details === undefined) continue;
    const head = details.pending as unknown as Omit<PendingHead, 'stream'> | null;
    await store.put({ ...details, pending: head === null ? [] : [{ ...head, stream: 0 }] }, key);
  }
}

/** Rewrite every intact row of events; damaged ones stay as they are, to be found and named by whoever reads them. */
async function rewriteEvents(
  transaction: UpgradeTransaction,
  lift: (event: JsonObject) => JsonObject,
): Promise<void> {
  const store = transaction.objectStore('events');
  for (const key of await store.getAllKeys()) {
    const row = await store.get(key);
    if (!isIntact(row)) continue;
    const [session, stream, first] = key;
    await store.delete(key);
    let at = first;
    // Lifted events may be longer, so that one row becomes two.
    for (const { count, bytes } of encodeEvents(
      decodeEvents(row.bytes).map((event) => lift(event as JsonObject)),
    )) {
      await store.put({ bytes, crc: crc32(bytes) }, [session, stream, at, count]);
      at += count;
    }
  }
}
