/** Sessions in IndexedDB: durable, one writer a session, damage reported instead of hidden. */
import { randomId } from '../../base/random-id.ts';
import { closedError, inUseError, notFoundError, readOnlyError } from '../batch-rules.ts';
import { readColdRun } from './cold-tier.ts';
import { Database } from './database.ts';
import type { DatabaseOptions } from './database.ts';
import type { ReleaseLock, SessionLocks } from '../locks.ts';
import type { SessionHandle, SessionId, SessionStore } from '../ports.ts';
import { ROW_STORES } from './schema.ts';
import { EMPTY_DETAILS, readEventRange, readGistRun, readSession } from './session-reader.ts';
import { writeBatch } from './session-writer.ts';

export interface IndexedDbStoreOptions extends DatabaseOptions {
  readonly locks: SessionLocks;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** @throws {StorageError} `newer-schema`, `blocked`, `quota` or `unavailable`; stored data is unchanged. */
export async function createIndexedDbStore(options: IndexedDbStoreOptions): Promise<SessionStore> {
  const { locks, now = Date.now } = options;
  const database = await Database.open(options);
  const releases = new Set<ReleaseLock>();

  async function acquire(id: SessionId): Promise<ReleaseLock | null> {
    const release = await locks.tryAcquire(`${options.name ?? 'megacontext'}/${id}`);
    if (release === null) return null;
    const once = () => {
      releases.delete(once);
      release();
    };
    releases.add(once);
    return once;
  }

  async function openHandle(id: SessionId): Promise<SessionHandle> {
    const found = await database.read((transaction) => transaction.objectStore('sessions').getKey(id));
    if (found === undefined) throw notFoundError(id);
    return createHandle(database, id, await acquire(id), now);
  }

  return {
    kind: 'indexeddb',
    reason: 'Sessions are kept in this browser and outlive the page.',
    list: async () => {
      const records = await database.read((transaction) => transaction.objectStore('sessions').getAll());
      return records.sort((a, b) => b.updatedAt - a.updatedAt);
    },
    create: async (fields, id = randomId() as SessionId) => {
      const record = { ...fields, id, updatedAt: now(), tokenCount: 0, stepCount: 0 };
      await database.write('strict', async (transaction) => {
        await transaction.objectStore('sessions').put(record, id);
        await transaction.objectStore('details').put(EMPTY_DETAILS, id);
      });
      return openHandle(id);
    },
    open: openHandle,
    remove: async (id) => {
      const release = await acquire(id);
      if (release === null) throw inUseError();
      try {
        await database.write('strict', async (transaction) => {
          if ((await transaction.objectStore('sessions').getKey(id)) === undefined) throw notFoundError(id);
          await transaction.objectStore('sessions').delete(id);
          await transaction.objectStore('details').delete(id);
          await transaction.objectStore('checkpoints').delete(id);
          await transaction.objectStore('stagingScores').delete(id);
          const rows = IDBKeyRange.bound([id], [id, []]);
          for (const name of [...ROW_STORES, 'provenance', 'chat', 'quarantine'] as const) {
            await transaction.objectStore(name).delete(rows);
          }
        });
      } finally {
        release();
      }
    },
    readSetting: (name) => database.read((transaction) => transaction.objectStore('settings').get(name)),
    writeSetting: (name, value) =>
      database.write('relaxed', async (transaction) => {
        await transaction.objectStore('settings').put(value, name);
      }),
    estimate: async () => {
      const manager = (globalThis.navigator as Partial<Navigator> | undefined)?.storage;
      const { usage, quota } = (await manager?.estimate().catch(() => null)) ?? {};
      return usage === undefined || quota === undefined ? null : { usedBytes: usage, quotaBytes: quota };
    },
    close: () => {
      database.close();
      for (const release of releases) release();
    },
  };
}

function createHandle(
  database: Database,
  id: SessionId,
  release: ReleaseLock | null,
  now: () => number,
): SessionHandle {
  let closed = false;
  let readableTokens: number | null = null;
  // Appends run one after the other even when the connection has to be opened again in between.
  let queue: Promise<unknown> = Promise.resolve();

  function inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  }

  return {
    id,
    readOnly: release === null,
    load: (options = {}) =>
      inOrder(async () => {
        if (closed) throw closedError('The session');
        const { stored, recorded } = await database.read(async (transaction) => ({
          stored: await readSession(transaction, id, options),
          recorded: (await transaction.objectStore('sessions').get(id))?.tokenCount ?? 0,
        }));
        readableTokens = stored.tokens.length < recorded ? stored.tokens.length : null;
        return stored;
      }),
    readGists: (run) =>
      inOrder(async () => {
        if (closed) throw closedError('The session');
        const bytes = await database.read((transaction) => readGistRun(transaction, id, run));
        return bytes === null ? null : new Uint16Array(bytes.buffer);
      }),
    readEvents: (first, count) =>
      inOrder(async () => {
        if (closed) throw closedError('The session');
        return database.read((transaction) => readEventRange(transaction, id, first, count));
      }),
    readCold: (run) =>
      inOrder(async () => {
        if (closed) throw closedError('The session');
        const bytes = await database.read((transaction) => readColdRun(transaction, id, run));
        return bytes === null ? null : new Uint16Array(bytes.buffer);
      }),
    append: (batch, durability = 'relaxed') =>
      inOrder(async () => {
        if (closed) throw closedError('The session');
        if (release === null) throw readOnlyError();
        const context = { nowMs: now(), readableTokens };
        await database.write(durability, (transaction) => writeBatch(transaction, id, batch, context));
        if (batch.tokens !== undefined) readableTokens = null;
      }),
    close: async () => {
      await queue;
      closed = true;
      release?.();
    },
  };
}
