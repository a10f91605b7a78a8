/** Sessions in memory: for private windows, Node and tests. The semantics of the stored ones, minus the outliving. */
import { randomId } from '../../base/random-id.ts';
import type { SealedSegments } from '../../core/lexical/postings.ts';
import { GISTS_PER_PAGE, MAX_LOD } from '../../core/tree/ids.ts';
import type { NodeRun } from '../../core/tree/ids.ts';
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import {
  checkBatch,
  closedError,
  coldAfter,
  compareMessages,
  inUseError,
  joinRuns,
  notFoundError,
  readOnlyError,
} from '../batch-rules.ts';
import { createProcessLocks } from '../locks.ts';
import type { ReleaseLock } from '../locks.ts';
import type {
  ChatMessageRecord,
  GistStanding,
  PendingText,
  ProvenanceRun,
  LoadOptions,
  SessionBatch,
  SessionCheckpoint,
  SessionHandle,
  SessionId,
  SessionRecord,
  SessionStore,
  SpanMark,
  StoredNodePage,
  StoredSession,
  StoredStaging,
} from '../ports.ts';

interface MemorySession {
  record: SessionRecord;
  tokens: Uint32Array;
  hiddenSize: number | null;
  /** By level; index 0 unused. `values` grows by doubling; only `count` vectors are valid. */
  readonly gists: { values: Uint16Array; count: number }[];
  readonly provenance: ProvenanceRun[];
  readonly events: TelemetryEvent[];
  readonly chat: Map<string, ChatMessageRecord>;
  marks: readonly SpanMark[];
  cold: readonly NodeRun[];
  pending: readonly PendingText[];
  gistStanding: GistStanding | null;
  checkpoint: SessionCheckpoint | null;
  staging: StoredStaging | null;
  /** By LOD and first node. */
  readonly pages: Map<string, StoredNodePage>;
  index: SealedSegments['segments'];
}

export interface MemoryStoreOptions {
  /** Why nothing outlives the page, in words. */
  readonly reason?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export function createMemoryStore(options: MemoryStoreOptions = {}): SessionStore {
  const now = options.now ?? Date.now;
  const sessions = new Map<SessionId, MemorySession>();
  const settings = new Map<string, unknown>();
  const locks = createProcessLocks();
  let closed = false;

  function find(id: SessionId): MemorySession {
    if (closed) throw closedError('The store');
    const session = sessions.get(id);
    if (session === undefined) throw notFoundError(id);
    return session;
  }

  async function openHandle(id: SessionId): Promise<SessionHandle> {
    find(id);
    const release = await locks.tryAcquire(id);
    return createHandle(id, release, () => find(id), now);
  }

  return {
    kind: 'memory',
    reason: options.reason ?? 'Sessions are kept in memory and end with this page.',
    // eslint-disable-next-line @typescript-eslint/require-await -- failures must reject, not throw
    list: async () => {
      if (closed) throw closedError('The store');
      return [...sessions.values()].map(({ record }) => record).sort((a, b) => b.updatedAt - a.updatedAt);
    },
    create: async (fields, id = randomId() as SessionId) => {
      if (closed) throw closedError('The store');
      sessions.set(
        id,
        emptySession({ ...structuredClone(fields), id, updatedAt: now(), tokenCount: 0, stepCount: 0 }),
      );
      return openHandle(id);
    },
    open: openHandle,
    remove: async (id) => {
      find(id);
      const release = await locks.tryAcquire(id);
      if (release === null) throw inUseError();
      sessions.delete(id);
      release();
    },
    readSetting: (name) => Promise.resolve(structuredClone(settings.get(name))),
    writeSetting: (name, value) => {
      settings.set(name, structuredClone(value));
      return Promise.resolve();
    },
    estimate: () => Promise.resolve(null),
    close: () => {
      closed = true;
    },
  };
}

function emptySession(record: SessionRecord): MemorySession {
  return {
    record,
    tokens: new Uint32Array(1024),
    hiddenSize: null,
    gists: Array.from({ length: MAX_LOD + 1 }, () => ({ values: new Uint16Array(0), count: 0 })),
    provenance: [],
    events: [],
    chat: new Map(),
    marks: [],
    cold: [],
    pending: [],
    gistStanding: null,
    checkpoint: null,
    staging: null,
    pages: new Map(),
    index: [],
  };
}

function createHandle(
  id: SessionId,
  release: ReleaseLock | null,
  session: () => MemorySession,
  now: () => number,
): SessionHandle {
  let closed = false;
  return {
    id,
    readOnly: release === null,
    // eslint-disable-next-line @typescript-eslint/require-await -- failures must reject, not throw
    load: async (options = {}) => {
      if (closed) throw closedError('The session');
      return snapshot(session(), options);
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- failures must reject, not throw
    readGists: async ({ lod, first, count }) => {
      if (closed) throw closedError('The session');
      const { hiddenSize } = session();
      const values = hotGists(session(), lod, false);
      return first + count > values.length / hiddenSize!
        ? null
        : values.slice(first * hiddenSize!, (first + count) * hiddenSize!);
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- failures must reject, not throw
    readEvents: async (first, count) => {
      if (closed) throw closedError('The session');
      return session().events.slice(first, first + count);
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- failures must reject, not throw
    readCold: async ({ lod, first, count }) => {
      if (closed) throw closedError('The session');
      const { gists, hiddenSize } = session();
      return gists[lod]!.values.slice(first * hiddenSize!, (first + count) * hiddenSize!);
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- failures must reject, not throw
    append: async (batch) => {
      if (closed) throw closedError('The session');
      if (release === null) throw readOnlyError();
      const stored = session();
      const gistCounts = stored.gists.map(({ count }) => count);
      checkBatch(batch, { tokenCount: stored.record.tokenCount, hiddenSize: stored.hiddenSize, gistCounts });
      apply(stored, batch, now());
    },
    close: () => {
      closed = true;
      release?.();
      return Promise.resolve();
    },
  };
}

/** Cannot fail half way: the batch was checked, and what can throw (cloning) comes first. */
function apply(session: MemorySession, batch: SessionBatch, nowMs: number): void {
  const {
    provenance = [],
    events = [],
    chat = [],
    marks,
    pending,
    patch,
    checkpoint,
    staging,
    index,
  } = structuredClone(batch);
  const added = batch.tokens?.ids ?? new Uint32Array(0);
  const tokenCount = session.record.tokenCount + added.length;
  session.tokens = grown(session.tokens, tokenCount);
  session.tokens.set(added, session.record.tokenCount);
  for (const { level, firstIndex, hiddenSize, values, inPlace = false } of batch.gists ?? []) {
    const gists = session.gists[level]!;
    session.hiddenSize = hiddenSize;
    gists.values = grown(gists.values, firstIndex * hiddenSize + values.length);
    gists.values.set(values, firstIndex * hiddenSize);
    if (!inPlace) gists.count = firstIndex + values.length / hiddenSize;
  }
  for (const run of provenance) addRun(session.provenance, run);
  for (const event of events) session.events.push(event);
  for (const message of chat) session.chat.set(message.id, message);
  if (marks !== undefined) session.marks = marks;
  session.cold = coldAfter(session.cold, batch);
  if (pending !== undefined) session.pending = pending;
  if (batch.gistStanding !== undefined) session.gistStanding = structuredClone(batch.gistStanding);
  if (index !== undefined) {
    const kept = session.index.filter((each) => each.firstToken + each.tokenCount <= index.firstToken);
    session.index = [...kept, ...index.segments];
  }
  if (staging !== undefined) session.staging = staging;
  if (checkpoint !== undefined) {
    const { pages, ...rest } = checkpoint;
    session.checkpoint = rest;
    for (const page of pages) session.pages.set(`${page.lod}/${page.first}`, page);
  }
  session.record = { ...session.record, updatedAt: nowMs, ...patch, tokenCount };
}

function addRun(runs: ProvenanceRun[], run: ProvenanceRun): void {
  const before = runs.findLastIndex(({ start }) => start <= run.start);
  const earlier = runs[before];
  const joined = earlier === undefined ? null : joinRuns(earlier, run);
  if (joined !== null) runs[before] = joined;
  else runs.splice(before + 1, earlier?.start === run.start ? 1 : 0, run);
}

function grown<T extends Uint16Array | Uint32Array>(values: T, length: number): T {
  if (length <= values.length) return values;
  const larger = new (values.constructor as new (length: number) => T)(Math.max(length, values.length * 2));
  larger.set(values);
  return larger;
}

/** `[count, d]` of a level; zeros for what is cold, unless all is wanted. Copied. */
function hotGists({ gists, cold, hiddenSize }: MemorySession, level: number, whole: boolean): Uint16Array {
  const { values, count } = gists[level]!;
  const hot = values.slice(0, count * hiddenSize!);
  for (const run of whole ? [] : cold) {
    if (run.lod === level) hot.fill(0, run.first * hiddenSize!, (run.first + run.count) * hiddenSize!);
  }
  return hot;
}

function snapshot(
  session: MemorySession,
  { whole = false, fromCheckpoint = false }: LoadOptions,
): StoredSession {
  const { record, tokens, hiddenSize, gists, provenance, events, chat, marks, cold, pending } = session;
  const checkpoint = fromCheckpoint ? session.checkpoint : null;
  const leftOut = checkpoint === null ? 0 : Math.floor(gists[1]!.count / GISTS_PER_PAGE) * GISTS_PER_PAGE;
  return {
    record,
    tokens: tokens.slice(0, record.tokenCount),
    gists: gists.flatMap(({ count }, level) => {
      if (hiddenSize === null || count === 0) return [];
      const values = hotGists(session, level, whole);
      return [{ level, hiddenSize, values: level === 1 ? values.subarray(leftOut * hiddenSize) : values }];
    }),
    provenance: [...provenance],
    events:
      checkpoint === null ? [...events] : [...checkpoint.events, ...events.slice(checkpoint.eventCount)],
    chat: [...chat.values()].sort(compareMessages),
    marks: [...marks],
    cold: [...cold],
    pending: structuredClone(pending),
    damage: [],
    gistStanding: session.gistStanding,
    staging: session.staging,
    eventCount: events.length,
    index: fromCheckpoint ? [...session.index] : [],
    ...(checkpoint !== null && {
      checkpoint: { ...checkpoint, pages: [...session.pages.values()], gistsLeftOut: leftOut },
    }),
  };
}
