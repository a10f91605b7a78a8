/** Appends to a stored session inside a page or worker, and reads it back; the test imports it from there. */
import type { TelemetryEvent } from '../../src/core/trace/telemetry.ts';
import { DEFAULT_RUN_CONFIG } from '../../src/core/trace/config.ts';
import { createIndexedDbStore } from '../../src/storage/indexeddb/indexeddb-store.ts';
import { MIGRATIONS } from '../../src/storage/indexeddb/migrations.ts';
import { openSessionStore } from '../../src/storage/indexeddb/open-store.ts';
import { defaultLocks } from '../../src/storage/locks.ts';
import type { SessionBatch, SessionId } from '../../src/storage/ports.ts';

const FIELDS = { title: 'Walk', createdAt: 0, modelId: 'tiny', modelHash: 'abc', config: DEFAULT_RUN_CONFIG };
const HIDDEN_SIZE = 128;

/** What a storage worker is told to do. */
export interface StorageTask {
  readonly task: 'append' | 'inspect' | 'migrate';
  readonly id: string;
}

/** What the next start of the browser finds. */
export interface Found {
  readonly kind: string;
  readonly readOnly: boolean;
  readonly tokens: number;
  /** Tokens that the stored events account for: equal to `tokens` when batches are atomic. */
  readonly tokensOfEvents: number;
  readonly gists: number;
  readonly firstWrongToken: number;
  readonly damage: readonly string[];
}

const tokenAt = (index: number) => (index * 2_654_435_761) >>> 0;

export async function createSession(): Promise<string> {
  const store = await openSessionStore();
  const { id } = await store.create(FIELDS);
  store.close();
  return id;
}

/** Append batches of 1 to 700 tokens until the end comes from outside; tells of each after it is acknowledged. */
export async function appendForever(id: string, acknowledge: (tokens: number) => void): Promise<never> {
  const handle = await (await openSessionStore()).open(id as SessionId);
  const { tokens, gists } = await handle.load();
  let start = tokens.length;
  let gistCount = (gists[0]?.values.length ?? 0) / HIDDEN_SIZE;
  for (;;) {
    const end = start + 1 + (tokenAt(start) % 700);
    await handle.append(batchOf(start, end, gistCount));
    start = end;
    gistCount = Math.floor(end / 32);
    acknowledge(end);
  }
}

/** Tokens, their event, and every gist that is due: also those that were lost. */
function batchOf(start: number, end: number, gistCount: number): SessionBatch {
  const ids = Uint32Array.from({ length: end - start }, (_, index) => tokenAt(start + index));
  const event: TelemetryEvent = {
    type: 'ingest',
    step: 0,
    timeMs: 0,
    start,
    end,
    role: 'document',
    documentId: 'd',
  };
  const due = Math.floor(end / 32) - gistCount;
  const values = new Uint16Array(due * HIDDEN_SIZE).fill(7);
  const gists = [{ level: 1, firstIndex: gistCount, hiddenSize: HIDDEN_SIZE, values }];
  return { tokens: { start, ids }, events: [event], ...(due > 0 && { gists }) };
}

export async function inspect(id: string): Promise<Found> {
  const store = await openSessionStore();
  const handle = await store.open(id as SessionId);
  const { tokens, events, gists, damage } = await handle.load();
  const { kind } = store;
  store.close();
  return {
    kind,
    readOnly: handle.readOnly,
    tokens: tokens.length,
    tokensOfEvents: events.reduce(
      (sum, event) => (event.type === 'ingest' ? sum + event.end - event.start : sum),
      0,
    ),
    gists: (gists[0]?.values.length ?? 0) / HIDDEN_SIZE,
    firstWrongToken: tokens.findIndex((token, index) => token !== tokenAt(index)),
    damage,
  };
}

/** A migration that tears everything down and never ends; tells when it is in the middle of it. */
export async function migrateForever(tell: () => void): Promise<never> {
  const version = MIGRATIONS.at(-1)!.version + 1;
  await createIndexedDbStore({
    factory: globalThis.indexedDB,
    locks: defaultLocks(),
    migrations: [
      ...MIGRATIONS,
      {
        version,
        up: async (database, transaction) => {
          database.deleteObjectStore('settings');
          await transaction.objectStore('tokens').clear();
          tell();
          for (;;) await transaction.objectStore('tokens').count();
        },
      },
    ],
  });
  throw new Error('The migration ended.');
}

/** Open a session and keep it open; resolves with whether it may be written. */
export async function hold(id: string): Promise<boolean> {
  const handle = await (await openSessionStore()).open(id as SessionId);
  return !handle.readOnly;
}

/** The code that an append fails with when somebody else writes, or `none`. */
export async function appendAsSecond(id: string): Promise<string> {
  const store = await openSessionStore();
  const handle = await store.open(id as SessionId);
  const code = await handle.append({ patch: { title: 'Mine' } }).then(
    () => 'none',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
  store.close();
  return code;
}

/** Let a worker append, and tell of each batch after it is acknowledged. Ends only with the page. */
export function appendInWorker(id: string, acknowledge: (tokens: number) => void): Promise<never> {
  return new Promise((_, reject) => {
    const worker = startWorker('append', id, reject);
    worker.onmessage = ({ data }: MessageEvent<number | { readonly error: string }>) => {
      if (typeof data === 'number') acknowledge(data);
      else reject(new Error(data.error));
    };
  });
}

/** Let a worker migrate; resolves when it is in the middle. Ends only with the page. */
export function migrateInWorker(): Promise<void> {
  return new Promise((resolve, reject) => {
    startWorker('migrate', '', reject).onmessage = ({ data }: MessageEvent<{ readonly error?: string }>) => {
      if (data.error === undefined) resolve();
      else reject(new Error(data.error));
    };
  });
}

/** What a worker finds, which has the second copies at hand that a page has not. */
export function inspectInWorker(id: string): Promise<Found> {
  return new Promise((resolve, reject) => {
    const worker = startWorker('inspect', id, reject);
    worker.onmessage = ({ data }: MessageEvent<{ readonly found?: Found; readonly error?: string }>) => {
      worker.terminate();
      if (data.found === undefined) reject(new Error(data.error));
      else resolve(data.found);
    };
  });
}

/**
 * Let a worker append, end it so long after some acknowledged batches that it is anywhere in a later one, and return the
 * last that was acknowledged.
 */
export function terminateWorkerMidAppend(id: string, batches: number, delayMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let seen = 0;
    let acknowledged = 0;
    const worker = startWorker('append', id, reject);
    worker.onmessage = ({ data }: MessageEvent<number>) => {
      seen += 1;
      acknowledged = data;
      if (seen !== batches) return;
      setTimeout(() => {
        worker.terminate();
        resolve(acknowledged);
      }, delayMs);
    };
  });
}

function startWorker(task: StorageTask['task'], id: string, fail: (error: Error) => void): Worker {
  const worker = new Worker(new URL('./storage-worker.ts', import.meta.url), { type: 'module' });
  worker.onerror = ({ message }) => {
    fail(new Error(message));
  };
  worker.postMessage({ task, id });
  return worker;
}
