/** Lost, blocked, upgraded and full databases: each has its own error, and what was stored stays stored. */
import { IDBObjectStore, forceCloseDatabase } from 'fake-indexeddb';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { readArchive } from '../../src/storage/ctx/read-archive.ts';
import { writeArchive } from '../../src/storage/ctx/write-archive.ts';
import { openSessionStore } from '../../src/storage/indexeddb/open-store.ts';
import { StorageError } from '../../src/storage/ports.ts';
import { MIGRATIONS } from '../../src/storage/indexeddb/migrations.ts';
import type { Migration } from '../../src/storage/indexeddb/migrations.ts';
import {
  countRows,
  createStorageFixture,
  decodeEvent,
  FIELDS,
  gists,
  HIDDEN_SIZE,
  openRaw,
  tokenIds,
} from './storage-fixture.ts';

const NEXT_VERSION = MIGRATIONS.at(-1)!.version + 1;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Every put from the n-th on finds the disk full, as a browser says it: the transaction aborts. */
function fillDiskAtPut(nth: number): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
  const put = IDBObjectStore.prototype.put;
  let count = 0;
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, ...values) {
    const request = put.apply(this, values);
    count += 1;
    if (count === nth)
      (this.transaction as unknown as { _abort(name: string): void })._abort('QuotaExceededError');
    return request;
  });
}

describe('fault 07: quota abort keeps earlier rows', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'a disk that is full at write %i of a batch: nothing of it is stored, all before is',
    async (nth) => {
      const { open } = createStorageFixture();
      const handle = await (await open()).create(FIELDS);
      const first = {
        tokens: { start: 0, ids: tokenIds(0, 32) },
        gists: [gists(1, 0, 1)],
        events: [decodeEvent(0)],
      };
      await handle.append(first);
      const before = await handle.load();
      fillDiskAtPut(nth);
      const second = {
        tokens: { start: 32, ids: tokenIds(32, 40_000) },
        gists: [gists(1, 1, 1)],
        events: [decodeEvent(1)],
      };
      await expect(handle.append(second)).rejects.toMatchObject({ name: 'StorageError', code: 'quota' });
      vi.restoreAllMocks();
      expect(await handle.load()).toEqual(before);
      await handle.append(second);
      expect((await handle.load()).tokens).toEqual(tokenIds(0, 40_032));
    },
  );

  test('a batch that breaks off at its last row for another reason leaves none of the rows before it', async () => {
    const { open } = createStorageFixture();
    const handle = await (await open()).create(FIELDS);
    // No database can store a function; the rows before it are written without fault.
    const title = (() => 'Walk') as never;
    const broken = { tokens: { start: 0, ids: tokenIds(0, 32) }, events: [decodeEvent(0)], patch: { title } };
    await expect(handle.append(broken)).rejects.toMatchObject({ name: 'StorageError', code: 'failed' });
    expect(await handle.load()).toMatchObject({ tokens: tokenIds(0, 0), events: [] });
  });

  test('what is stored can still be saved as a file', async () => {
    const { open } = createStorageFixture();
    const handle = await (await open()).create(FIELDS);
    const run = {
      start: 0,
      end: 64,
      role: 'document',
      documentId: 'd',
      title: 'Doc',
      wallClockMs: 1,
    } as const;
    await handle.append({ tokens: { start: 0, ids: tokenIds(0, 64) }, provenance: [run] });
    fillDiskAtPut(1);
    const more = { tokens: { start: 64, ids: tokenIds(64, 32) } };
    await expect(handle.append(more)).rejects.toMatchObject({ code: 'quota' });
    const decode = (ids: Uint32Array) => ids.join(' ');
    const file = await writeArchive(await handle.load(), { hiddenSize: HIDDEN_SIZE, decode });
    expect((await readArchive(file)).tokens).toEqual(tokenIds(0, 64));
  });
});

test('fault 06: a newer schema is refused, shown as memory with the reason, and left alone', async () => {
  const { factory, open } = createStorageFixture();
  const store = await open();
  const handle = await store.create(FIELDS);
  await handle.append({ tokens: { start: 0, ids: tokenIds(0, 32) } });
  store.close();
  (await openRaw(factory, 99)).close();
  await expect(open()).rejects.toMatchObject({ code: 'newer-schema' });
  const fallback = await openSessionStore({ indexedDB: factory });
  expect(fallback.kind).toBe('memory');
  expect(fallback.reason).toMatch(/newer version/);
  expect(await fallback.list()).toEqual([]);
  expect(await countRows(factory, 'tokens')).toBe(1);
});

describe('fault 05: versionchange and blocked, on either side', () => {
  test('another tab that upgrades: this one lets go at once, says so, and does not come back', async () => {
    const { factory, open } = createStorageFixture();
    const onLost = vi.fn();
    const store = await open({ onLost });
    const handle = await store.create(FIELDS);
    const newer = await openRaw(factory, NEXT_VERSION);
    expect(onLost).toHaveBeenCalledTimes(1);
    expect(onLost.mock.calls[0]?.[0]).toMatchObject({ code: 'closed' });
    await expect(handle.append({ events: [decodeEvent(0)] })).rejects.toMatchObject({
      code: 'closed',
      message: expect.stringMatching(/Reload/) as unknown,
    });
    newer.close();
    expect(await countRows(factory, 'sessions')).toBe(1);
  });

  test('another tab that does not let go: blocked, and the upgrade does not happen later unseen', async () => {
    const { factory, open } = createStorageFixture();
    (await open()).close();
    const stubborn = await openRaw(factory);
    stubborn.onversionchange = null;
    const second: Migration = {
      version: NEXT_VERSION,
      up: (database) => void database.createObjectStore('settings2' as never),
    };
    const migrations = [...MIGRATIONS, second];
    await expect(open({ migrations, blockedTimeoutMs: 20 })).rejects.toMatchObject({ code: 'blocked' });
    stubborn.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const version = (await factory.databases())[0]?.version;
    expect(version).toBe(NEXT_VERSION - 1);
    (await open({ migrations, blockedTimeoutMs: 20 })).close();
    expect((await factory.databases())[0]?.version).toBe(NEXT_VERSION);
  });

  test('another tab that lets go in time: the upgrade waits for it and goes on', async () => {
    const { factory, open } = createStorageFixture();
    (await open()).close();
    const slow = await openRaw(factory);
    slow.onversionchange = () =>
      setTimeout(() => {
        slow.close();
      }, 30);
    const migrations = [...MIGRATIONS, { version: NEXT_VERSION, up: () => undefined }];
    const store = await open({ migrations, blockedTimeoutMs: 2000 });
    expect(store.kind).toBe('indexeddb');
  });
});

describe('fault 11: a migration ended halfway leaves the old version whole', () => {
  test.each(['throws', 'rejects', 'is cut off'])('that %s', async (how) => {
    const { open } = createStorageFixture();
    const store = await open();
    const handle = await store.create(FIELDS);
    await handle.append({ tokens: { start: 0, ids: tokenIds(0, 32) } });
    store.close();
    const broken: Migration = {
      version: NEXT_VERSION,
      up: async (database, transaction) => {
        database.deleteObjectStore('settings');
        await transaction.objectStore('tokens').clear();
        if (how === 'is cut off') transaction.abort();
        else if (how === 'rejects') await Promise.reject(new Error('migration bug'));
        else throw new Error('migration bug');
      },
    };
    await expect(open({ migrations: [...MIGRATIONS, broken] })).rejects.toBeInstanceOf(StorageError);
    const again = await open();
    expect((await (await again.open(handle.id)).load()).tokens).toEqual(tokenIds(0, 32));
  });
});

test('fault 08: a connection that the browser ended is opened again, once', async () => {
  const { factory, open } = createStorageFixture();
  const opened = vi.spyOn(factory, 'open');
  const store = await open();
  const handle = await store.create(FIELDS);
  await endConnections(factory);
  await handle.append({ tokens: { start: 0, ids: tokenIds(0, 32) } });
  expect((await handle.load()).tokens).toEqual(tokenIds(0, 32));
  expect(handle.readOnly).toBe(false);
  await endConnections(factory);
  opened.mockImplementation(() => {
    throw new DOMException('gone', 'InvalidStateError');
  });
  await expect(handle.append({ tokens: { start: 32, ids: tokenIds(32, 1) } })).rejects.toMatchObject({
    code: 'closed',
  });
  opened.mockRestore();
  await handle.append({ tokens: { start: 32, ids: tokenIds(32, 1) } });
  expect((await handle.load()).tokens).toEqual(tokenIds(0, 33));
});

async function endConnections(factory: { readonly open: IDBFactory['open'] }): Promise<void> {
  const databases = (factory as unknown as { _databases: Map<string, { connections: IDBDatabase[] }> })
    ._databases;
  for (const { connections } of databases.values()) {
    for (const connection of [...connections]) forceCloseDatabase(connection as never);
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
}

test('no IndexedDB at all, or one that refuses: memory, with the reason', async () => {
  const none = await openSessionStore({ indexedDB: null });
  expect([none.kind, none.reason]).toEqual(['memory', expect.stringMatching(/private window/)]);
  const { factory } = createStorageFixture();
  vi.spyOn(factory, 'open').mockImplementation(() => {
    throw new DOMException('no', 'SecurityError');
  });
  const refused = await openSessionStore({ indexedDB: factory });
  expect([refused.kind, refused.reason]).toEqual(['memory', expect.stringMatching(/SecurityError/)]);
  const handle = await refused.create(FIELDS);
  await handle.append({ tokens: { start: 0, ids: tokenIds(0, 3) } });
  expect((await handle.load()).tokens).toEqual(tokenIds(0, 3));
});

test('two stores over one database: the second opener reads only until the first store closes', async () => {
  const { open } = createStorageFixture();
  const [one, two] = [await open(), await open()];
  const writer = await one.create(FIELDS);
  const reader = await two.open(writer.id);
  expect(reader.readOnly).toBe(true);
  await expect(reader.append({ events: [decodeEvent(0)] })).rejects.toMatchObject({ code: 'read-only' });
  await expect(two.remove(writer.id)).rejects.toMatchObject({ code: 'blocked' });
  one.close();
  expect((await two.open(writer.id)).readOnly).toBe(false);
});
