/** What the tests of storage faults share: a database of its own, sample batches, and ways to damage rows. */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { DEFAULT_RUN_CONFIG } from '../../src/core/trace/config.ts';
import type { TelemetryEvent } from '../../src/core/trace/telemetry.ts';
import { createIndexedDbStore } from '../../src/storage/indexeddb/indexeddb-store.ts';
import type { IndexedDbStoreOptions } from '../../src/storage/indexeddb/indexeddb-store.ts';
import { createProcessLocks } from '../../src/storage/locks.ts';
import type { SessionBatch, SessionHandle, SessionStore } from '../../src/storage/ports.ts';
import { DATABASE_NAME } from '../../src/storage/indexeddb/schema.ts';
import type { Row, RowKey, StoreName } from '../../src/storage/indexeddb/schema.ts';

export const FIELDS = {
  title: 'A walk',
  createdAt: 5,
  modelId: 'tiny',
  modelHash: 'abc',
  config: DEFAULT_RUN_CONFIG,
};
export const HIDDEN_SIZE = 256;

export interface StorageFixture {
  readonly factory: IDBFactory;
  readonly open: (options?: Partial<IndexedDbStoreOptions>) => Promise<SessionStore>;
}

export function createStorageFixture(): StorageFixture {
  const factory = new IDBFactory();
  const locks = createProcessLocks();
  return {
    factory,
    open: (options = {}) => createIndexedDbStore({ factory, locks, now: () => 1, ...options }),
  };
}

export function tokenIds(start: number, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => (start + index) * 7 + 1);
}

export function gists(
  level: number,
  firstIndex: number,
  count: number,
): NonNullable<SessionBatch['gists']>[number] {
  const values = Uint16Array.from(
    { length: count * HIDDEN_SIZE },
    (_, index) => (firstIndex * HIDDEN_SIZE + index) & 0xffff,
  );
  return { level, firstIndex, hiddenSize: HIDDEN_SIZE, values };
}

export function decodeEvent(step: number): TelemetryEvent {
  return {
    type: 'decode',
    head: 0,
    step,
    timeMs: step,
    tokenId: 1,
    index: step,
    text: 'a',
    logProbability: -1,
    entropy: 2,
  };
}

/** 40,000 tokens in several rows, 6,000 LOD1 gists in three segments, 39 LOD2 gists in one. */
export async function fill(handle: SessionHandle): Promise<void> {
  for (let start = 0; start < 40_000; start += 10_000) {
    await handle.append({ tokens: { start, ids: tokenIds(start, 10_000) } });
  }
  const run = {
    start: 0,
    end: 40_000,
    role: 'document',
    documentId: 'd',
    title: 'Doc',
    wallClockMs: 1,
  } as const;
  await handle.append({ gists: [gists(1, 0, 6000), gists(2, 0, 39)], provenance: [run] });
}

/** Open the database beside the store, as a second tab of the same version would. */
export function openRaw(factory: IDBFactory, version?: number): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(DATABASE_NAME, version);
    request.onsuccess = () => {
      request.result.onversionchange = () => {
        request.result.close();
      };
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error('open failed'));
    };
  });
}

/** Change the rows of one store behind the back of whoever owns them. Keys come in order. */
export async function tamper(
  factory: IDBFactory,
  name: StoreName,
  change: (store: IDBObjectStore, keys: readonly RowKey[]) => void,
): Promise<void> {
  const database = await openRaw(factory);
  await new Promise<void>((resolve, reject) => {
    const transaction = database.transaction(name, 'readwrite');
    const store = transaction.objectStore(name);
    const keys = store.getAllKeys();
    keys.onsuccess = () => {
      change(store, keys.result as unknown as RowKey[]);
    };
    transaction.oncomplete = () => {
      resolve();
    };
    transaction.onabort = () => {
      reject(transaction.error ?? new Error('aborted'));
    };
  });
  database.close();
}

export function flipBit(store: IDBObjectStore, key: RowKey): void {
  const request = store.get(key);
  request.onsuccess = () => {
    const row = request.result as Row;
    row.bytes[row.bytes.length >> 1]! ^= 4;
    store.put(row, key);
  };
}

export async function countRows(factory: IDBFactory, name: StoreName): Promise<number> {
  const database = await openRaw(factory);
  const request = database.transaction(name).objectStore(name).count();
  return new Promise((resolve) => {
    request.onsuccess = () => {
      database.close();
      resolve(request.result);
    };
  });
}
