/** Appends to a stored session inside a page or worker, and reads it back; the test imports it from there. */
import type { TelemetryEvent } from '../../src/core/trace/telemetry.ts';
import { DEFAULT_RUN_CONFIG } from '../../src/core/trace/config.ts';
import { openSessionStore } from '../../src/storage/indexeddb/open-store.ts';
import type { SessionHandle, SessionId } from '../../src/storage/ports.ts';

const FIELDS = { title: 'Walk', createdAt: 0, modelId: 'tiny', modelHash: 'abc', config: DEFAULT_RUN_CONFIG };
const HIDDEN_SIZE = 128;

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
  let start = (await handle.load()).tokens.length;
  for (;;) {
    start = await appendOne(handle, start, 1 + (tokenAt(start) % 700));
    acknowledge(start);
  }
}

async function appendOne(handle: SessionHandle, start: number, count: number): Promise<number> {
  const end = start + count;
  const ids = Uint32Array.from({ length: count }, (_, index) => tokenAt(start + index));
  const closed = Math.floor(end / 32) - Math.floor(start / 32);
  const event: TelemetryEvent = {
    type: 'ingest',
    step: 0,
    timeMs: 0,
    start,
    end,
    role: 'document',
    documentId: 'd',
  };
  const values = new Uint16Array(closed * HIDDEN_SIZE).fill(7);
  const gists = [{ level: 1, firstIndex: Math.floor(start / 32), hiddenSize: HIDDEN_SIZE, values }];
  await handle.append({ tokens: { start, ids }, events: [event], ...(closed > 0 && { gists }) });
  return end;
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

/** Let a worker append, end it after some acknowledged batches, and return the last that was acknowledged. */
export function terminateWorkerMidAppend(id: string, batches: number): Promise<number> {
  const worker = new Worker(new URL('./storage-worker.ts', import.meta.url), { type: 'module' });
  return new Promise((resolve, reject) => {
    let seen = 0;
    worker.onmessage = ({ data }: MessageEvent<number>) => {
      seen += 1;
      if (seen < batches) return;
      worker.terminate();
      resolve(data);
    };
    worker.onerror = ({ message }) => {
      reject(new Error(message));
    };
    worker.postMessage(id);
  });
}
