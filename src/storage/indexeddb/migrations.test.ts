/** Sessions that an older version of the database holds open in this one. */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../core/trace/config.ts';
import { telemetryEventSchema } from '../../core/trace/telemetry.ts';
import { createProcessLocks } from '../locks.ts';
import { type SessionId, type SessionStore, StorageError } from '../ports.ts';
import { readTrace } from '../trace/trace-codec.ts';
import { crc32 } from '../../base/crc32.ts';
import { Database } from './database.ts';
import { encodeEvents } from './event-rows.ts';
import { createIndexedDbStore } from './indexeddb-store.ts';
import { MIGRATIONS } from './migrations.ts';
import { ROW_BYTES } from './rows.ts';
import { DATABASE_NAME } from './schema.ts';
import type { Row } from './schema.ts';

const FIELDS = { title: 'Walk', createdAt: 5, modelId: 'tiny', modelHash: 'abc', config: DEFAULT_RUN_CONFIG };
const OLDER = join(import.meta.dirname, '../../../tests/fixtures/traces/version-4.trace.jsonl.gz');

/** A database of version 1 that holds these events in the words of its time. */
async function storedByVersion1(events: readonly object[]): Promise<{
  readonly factory: IDBFactory;
  readonly open: () => Promise<SessionStore>;
  readonly id: SessionId;
}> {
  const factory = new IDBFactory();
  const locks = createProcessLocks();
  const id = 'walk' as SessionId;
  const first = await Database.open({ factory, migrations: MIGRATIONS.slice(0, 1) });
  first.close();
  const put = (name: string, value: unknown, key: IDBValidKey): Promise<void> =>
    inStore(factory, name, (store) => {
      store.put(value, key);
    });
  const tokens = new Uint8Array(Uint32Array.of(1, 2, 3).buffer);
  await put('sessions', { ...FIELDS, id, updatedAt: 6, tokenCount: 3, stepCount: 0 }, id);
  await put('tokens', { bytes: tokens, crc: crc32(tokens) }, [id, 0, 0, 3]);
  let at = 0;
  for (const { count, bytes } of encodeEvents(events)) {
    await put('events', { bytes, crc: crc32(bytes) }, [id, 0, at, count]);
    at += count;
  }
  const head = { documentId: 'd', title: 'Waits', role: 'document', length: 0, ingested: 0 };
  await put('details', { hiddenSize: null, marks: [], pending: head }, id);
  return { factory, open: () => createIndexedDbStore({ factory, locks }), id };
}

/** Work on a store behind the back of the page. */
async function inStore(
  factory: IDBFactory,
  name: string,
  work: (store: IDBObjectStore) => void,
): Promise<void> {
  const request = factory.open(DATABASE_NAME);
  const database = await new Promise<IDBDatabase>((resolve) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
  });
  await new Promise<void>((resolve) => {
    const transaction = database.transaction(name, 'readwrite');
    work(transaction.objectStore(name));
    transaction.oncomplete = () => {
      resolve();
    };
  });
  database.close();
}

/** Change rows of events behind the back of the store; as any page of version 1 could. */
async function eventRows(factory: IDBFactory, change?: (row: Row) => void): Promise<Row[]> {
  const rows: Row[] = [];
  await inStore(factory, 'events', (store) => {
    const cursor = store.openCursor();
    cursor.onsuccess = () => {
      if (cursor.result === null) return;
      const row = cursor.result.value as Row;
      rows.push(row);
      if (change !== undefined) {
        change(row);
        cursor.result.update(row);
      }
      cursor.result.continue();
    };
  });
  return rows;
}

test('a session recorded by version 1 holds the events of this one', async () => {
  const lines = gunzipSync(await readFile(OLDER))
    .toString()
    .trim()
    .split('\n')
    .slice(1);
  const { open, id, factory } = await storedByVersion1(lines.map((line) => JSON.parse(line) as object));
  const stored = await (await (await open()).open(id)).load();
  expect(stored.damage).toEqual([]);
  expect(stored.tokens).toEqual(Uint32Array.of(1, 2, 3));
  expect(stored.pending).toMatchObject([{ documentId: 'd', title: 'Waits', ingested: 0 }]);
  expect(stored.events).toEqual((await readTrace(await readFile(OLDER))).events);
  for (const event of stored.events) telemetryEventSchema.parse(event);
  for (const { bytes } of await eventRows(factory)) expect(bytes.length).toBeLessThanOrEqual(ROW_BYTES);
});

/** A session of version 4, written by the writer of its time: rows of tokens and events, and nothing that opens it sooner. */
async function storedByVersion4(tokenCount: number, refocuses: number) {
  const factory = new IDBFactory();
  const locks = createProcessLocks();
  const id = 'long' as SessionId;
  const fourth = await Database.open({ factory, migrations: MIGRATIONS.slice(0, 4) });
  fourth.close();
  const ids = Uint32Array.from({ length: tokenCount }, (_, at) => at % 997);
  const events = Array.from({ length: refocuses }, (_, step) => {
    return { type: 'latency', step, timeMs: step, head: 0, stage: 'score', ms: 2 } as const;
  });
  const rows: [store: string, value: unknown, key: IDBValidKey][] = [
    ['sessions', { ...FIELDS, id, updatedAt: 6, tokenCount, stepCount: refocuses }, id],
    ['details', { hiddenSize: null, marks: [], pending: [] }, id],
  ];
  const tokensPerRow = ROW_BYTES / 4;
  for (let at = 0; at < tokenCount; at += tokensPerRow) {
    const part = ids.slice(at, at + tokensPerRow);
    const bytes = new Uint8Array(part.buffer);
    rows.push(['tokens', { bytes, crc: crc32(bytes) }, [id, 0, at, part.length]]);
  }
  let at = 0;
  for (const { count, bytes } of encodeEvents(events)) {
    rows.push(['events', { bytes, crc: crc32(bytes) }, [id, 0, at, count]]);
    at += count;
  }
  for (const [store, value, key] of rows) await inStore(factory, store, (into) => void into.put(value, key));
  const open = (migrations = MIGRATIONS) => createIndexedDbStore({ factory, locks, migrations });
  return { factory, open, id, ids, events };
}

test('a long session of version 4 opens whole, and is whole after an upgrade that was killed halfway', async () => {
  const { factory, open, id, ids, events } = await storedByVersion4(70_000, 2500);
  const killed = MIGRATIONS.slice(0, 4).concat({
    version: 5,
    up: (database, transaction) => {
      database.createObjectStore('nodePages');
      transaction.abort();
    },
  });
  await expect(open(killed)).rejects.toBeInstanceOf(StorageError);
  const stores = await new Promise<readonly string[]>((resolve) => {
    const request = factory.open(DATABASE_NAME);
    request.onsuccess = () => {
      const { version, objectStoreNames } = request.result;
      request.result.close();
      resolve([`version ${version}`, ...objectStoreNames]);
    };
  });
  expect(stores[0]).toBe('version 4');
  expect(stores).not.toContain('nodePages');

  const store = await open();
  const handle = await store.open(id);
  const stored = await handle.load();
  expect(stored.damage).toEqual([]);
  expect(stored.tokens).toEqual(ids);
  expect(stored.events).toEqual(events);
  await handle.append({ tokens: { start: ids.length, ids: Uint32Array.of(7) } });
  expect((await handle.load()).tokens).toEqual(Uint32Array.from([...ids, 7]));
});

test('a row that no longer fits becomes two, and a damaged one stays damaged', async () => {
  const latency = (step: number) => ({ type: 'latency', step, timeMs: 1, stage: 'score', ms: 2 });
  const events = Array.from({ length: 2000 }, (_, step) => latency(step));
  const { open, id, factory } = await storedByVersion1(events);
  const before = await eventRows(factory);
  const store = await open();
  const stored = await (await store.open(id)).load();
  expect(stored.damage).toEqual([]);
  expect(stored.events).toEqual(events.map((event) => ({ ...event, head: 0 })));
  expect((await eventRows(factory)).length).toBeGreaterThan(before.length);

  const broken = await storedByVersion1(events.slice(0, 10));
  await eventRows(broken.factory, ({ bytes }) => (bytes[3]! ^= 1));
  const reopened = await (await (await broken.open()).open(broken.id)).load();
  expect(reopened.events).toEqual([]);
  expect(reopened.damage).toEqual([expect.stringMatching(/^Events 0 to 9 are damaged/)]);
});
