/** Reads a stored session and says what of it is damaged. Never repairs, never throws for damaged rows. */
import { concatBytes } from '../../base/bytes.ts';
import type { RunConfig } from '../../core/trace/config.ts';
import { GISTS_PER_PAGE, MAX_LOD, type NodeRun, tokensPerNode } from '../../core/tree/ids.ts';
import { commonRuns, unionRuns, withoutRuns } from '../../core/tree/node-runs.ts';
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import { compareMessages, notFoundError } from '../batch-rules.ts';
import { withNewerParameters } from '../versions/config-upgrade.ts';
import type {
  LoadOptions,
  PendingText,
  ProvenanceRun,
  SessionCheckpoint,
  SessionId,
  StoredNodePage,
  StoredSession,
  StoredStaging,
} from '../ports.ts';
import { coldOf, withColdRows } from './cold-tier.ts';
import { decodeEvents } from './event-rows.ts';
import {
  clipped,
  contiguousPrefix,
  isIntact,
  readRows,
  readRowsBetween,
  rowPlaces,
  streamEnd,
} from './rows.ts';
import type { Hole, StoredPiece, StreamId } from './rows.ts';
import { decodeCheckpoint, decodeStaging } from './checkpoint-rows.ts';
import type { ReadTransaction, SessionDetails } from './schema.ts';

export const EMPTY_DETAILS: SessionDetails = { hiddenSize: null, marks: [], pending: [] };

/** @throws {StorageError} `not-found` */
export async function readSession(
  transaction: ReadTransaction,
  id: SessionId,
  { whole = false, fromCheckpoint = false }: LoadOptions,
): Promise<StoredSession> {
  const record = await transaction.objectStore('sessions').get(id);
  if (record === undefined) throw notFoundError(id);
  const details = (await transaction.objectStore('details').get(id)) ?? EMPTY_DETAILS;
  const damage: string[] = [];
  const tokens = await readTokens(transaction, id, record.tokenCount, damage);
  const lost = tokens.length < record.tokenCount;
  const range = IDBKeyRange.bound([id], [id, []]);
  const provenance = await transaction.objectStore('provenance').getAll(range);
  const chat = await transaction.objectStore('chat').getAll(range);
  const standing = fromCheckpoint
    ? await readStanding(transaction, id, details, tokens.length, damage)
    : null;
  return {
    record: { ...record, tokenCount: tokens.length },
    tokens,
    provenance: lost ? clipRuns(provenance, tokens.length) : provenance,
    chat: chat.map((message) => (lost ? clip(message, tokens.length) : message)).sort(compareMessages),
    marks: details.marks,
    cold: details.cold ?? [],
    pending: await readPending(transaction, id, details, damage),
    damage,
    gistStanding: details.gistStanding ?? null,
    staging: await readStaging(transaction, id, damage),
    eventCount: await streamEnd(transaction, eventsOf(id)),
    index: fromCheckpoint ? await readIndex(transaction, id, tokens.length, damage) : [],
    ...(standing ?? {
      gists: await readGists(transaction, id, details, lost ? tokens.length : Infinity, whole, damage),
      events: await readEvents(transaction, id, damage),
    }),
  };
}

async function readStaging(
  transaction: ReadTransaction,
  session: SessionId,
  damage: string[],
): Promise<StoredStaging | null> {
  const row = await transaction.objectStore('stagingScores').get(session);
  if (row === undefined) return null;
  if (isIntact(row)) return decodeStaging(row.bytes);
  damage.push('The staging context’s scores are damaged: those of its recorded steps stand in for them.');
  return null;
}

/** What a checkpoint stands for and what came after it; null if there is none, or any of it is damaged. */
async function readStanding(
  transaction: ReadTransaction,
  session: SessionId,
  details: SessionDetails,
  tokenCount: number,
  damage: string[],
): Promise<Pick<StoredSession, 'events' | 'gists' | 'checkpoint'> | null> {
  const row = await transaction.objectStore('checkpoints').get(session);
  if (row === undefined) return null;
  const checkpoint = isIntact(row) ? decodeCheckpoint(row.bytes) : null;
  const pages = checkpoint === null ? null : await readNodePages(transaction, session, checkpoint);
  const gists = await readStandingGists(transaction, session, details);
  if (checkpoint === null || pages === null || gists === null || checkpoint.tokenCount > tokenCount) {
    damage.push('The checkpoint is damaged: the recorded steps are read from the first one on.');
    return null;
  }
  const { pieces, holes } = await readRowsBetween(
    transaction,
    eventsOf(session),
    checkpoint.eventCount,
    Infinity,
  );
  // What is left out behind a hole is decided by who reads all events.
  if (holes.length > 0) return null;
  const after = decodeRange(pieces, checkpoint.eventCount, Infinity);
  const { levels, leftOut } = gists;
  return {
    gists: levels,
    events: [...checkpoint.events.map(withAllParameters), ...after],
    checkpoint: { ...checkpoint, pages, gistsLeftOut: leftOut },
  };
}

async function readNodePages(
  transaction: ReadTransaction,
  session: SessionId,
  { nodeCounts }: SessionCheckpoint,
): Promise<readonly StoredNodePage[] | null> {
  const pages: StoredNodePage[] = [];
  for (const [lod, nodes] of nodeCounts.entries()) {
    const { pieces, holes } = await readRows(transaction, { store: 'nodePages', session, stream: lod });
    if (holes.length > 0 || totalCount(pieces) !== nodes) return null;
    for (const piece of pieces) pages.push({ lod, ...piece });
  }
  return pages;
}

/** All gists but whole pages of LOD1; null if any is missing or what was read of them is damaged. */
async function readStandingGists(
  transaction: ReadTransaction,
  session: SessionId,
  { hiddenSize, cold = [] }: SessionDetails,
): Promise<{ readonly levels: StoredSession['gists']; readonly leftOut: number } | null> {
  if (hiddenSize === null) return { levels: [], leftOut: 0 };
  const levels: StoredSession['gists'][number][] = [];
  let leftOut = 0;
  for (let level = 1; level <= MAX_LOD; level += 1) {
    const places = await rowPlaces(transaction, { store: 'gists', session, stream: level });
    const runs = cold.filter(({ lod }) => lod === level);
    const held = unionRuns(
      places.map((place) => ({ lod: level, ...place })),
      runs,
    );
    const count = held[0]?.count ?? 0;
    if (held.length > 1 || (held[0]?.first ?? 0) > 0) return null;
    const first = level === 1 ? Math.floor(count / GISTS_PER_PAGE) * GISTS_PER_PAGE : 0;
    const bytes = await readGistRun(transaction, session, { lod: level, first, count: count - first });
    if (bytes === null) return null;
    if (level === 1) leftOut = first;
    if (count > 0) levels.push({ level, hiddenSize, values: new Uint16Array(bytes.buffer) });
  }
  return { levels, leftOut };
}

/** Bytes of `count` gists, zeros for those in the cold tier; null if they are not all there and intact. */
export async function readGistRun(
  transaction: ReadTransaction,
  session: SessionId,
  { lod, first, count }: NodeRun,
): Promise<Uint8Array | null> {
  const details = await transaction.objectStore('details').get(session);
  const hiddenSize = details?.hiddenSize ?? 0;
  const end = first + count;
  const hot = await readRowsBetween(transaction, { store: 'gists', session, stream: lod }, first, end);
  const missing = withoutRuns(
    [{ lod, first, count }],
    hot.pieces.map((piece) => ({ lod, first: piece.first, count: piece.count })),
  );
  const cold = commonRuns(missing, details?.cold ?? []);
  if (hiddenSize === 0 || withoutRuns(missing, cold).length > 0)
    return count === 0 ? new Uint8Array(0) : null;
  const bytes = new Uint8Array(count * hiddenSize * 2);
  for (const piece of hot.pieces.flatMap((whole) => clipped(whole, first, end)))
    bytes.set(piece.bytes, (piece.first - first) * hiddenSize * 2);
  return bytes;
}

/** Stored events from one on, at most so many; damaged ones are left out. */
export async function readEventRange(
  transaction: ReadTransaction,
  session: SessionId,
  first: number,
  count: number,
): Promise<readonly TelemetryEvent[]> {
  const { pieces } = await readRowsBetween(transaction, eventsOf(session), first, first + count);
  return decodeRange(pieces, first, first + count);
}

function decodeRange(pieces: readonly StoredPiece[], from: number, to: number): TelemetryEvent[] {
  return pieces.flatMap(({ first, bytes }) =>
    decodeEvents(bytes)
      .slice(Math.max(0, from - first), Math.max(0, to - first))
      .map((event) => withAllParameters(event as TelemetryEvent)),
  );
}

/** The segments of the index; none where one of them is damaged or reaches behind the tokens. */
async function readIndex(
  transaction: ReadTransaction,
  session: SessionId,
  tokenCount: number,
  damage: string[],
): Promise<StoredSession['index']> {
  const { pieces, holes } = await readRows(transaction, { store: 'indexSegments', session, stream: 0 });
  if (holes.length === 0 && totalCount(pieces) <= tokenCount)
    return pieces.map(({ first, count, bytes }) => ({ firstToken: first, tokenCount: count, bytes }));
  damage.push('The index of words is damaged: it is built again from the tokens.');
  return [];
}

const eventsOf = (session: SessionId): StreamId => ({ store: 'events', session, stream: 0 });

async function readTokens(
  transaction: ReadTransaction,
  session: SessionId,
  recorded: number,
  damage: string[],
): Promise<Uint32Array> {
  const { pieces, holes } = await readRows(transaction, { store: 'tokens', session, stream: 0 });
  const bytes = concatBytes(contiguousPrefix(pieces).map((piece) => piece.bytes));
  const tokens = new Uint32Array(bytes.buffer);
  if (tokens.length < recorded) {
    const why = holes[0]?.why ?? 'missing';
    damage.push(`Tokens from ${tokens.length} on are ${why}: ${tokens.length} of ${recorded} are kept.`);
  }
  return tokens;
}

async function readGists(
  transaction: ReadTransaction,
  session: SessionId,
  { hiddenSize, cold = [] }: SessionDetails,
  tokenCount: number,
  whole: boolean,
  damage: string[],
): Promise<StoredSession['gists']> {
  if (hiddenSize === null) return [];
  const gists: StoredSession['gists'][number][] = [];
  for (let level = 1; level <= MAX_LOD; level += 1) {
    const runs = cold.filter(({ lod }) => lod === level);
    const coldRows = whole && runs.length > 0 ? await readRows(transaction, coldOf(session, level)) : null;
    const hot = await readRows(transaction, { store: 'gists', session, stream: level });
    const { pieces, holes } = withColdRows(hot, runs, coldRows?.pieces ?? null, hiddenSize * 2);
    const prefix = contiguousPrefix(pieces);
    for (const hole of holes)
      damage.push(describeHole(`Level ${level} gists`, hole, 'rebuilt from there on'));
    const count = Math.min(totalCount(prefix), Math.floor(tokenCount / tokensPerNode(level)));
    const values = new Uint16Array(concatBytes(prefix.map(({ bytes }) => bytes)).buffer);
    if (count > 0) gists.push({ level, hiddenSize, values: values.subarray(0, count * hiddenSize) });
  }
  return gists;
}

/** Events behind a hole are kept, except layout deltas whose keyframe fell into it. */
async function readEvents(
  transaction: ReadTransaction,
  session: SessionId,
  damage: string[],
): Promise<TelemetryEvent[]> {
  const { pieces, holes } = await readRows(transaction, eventsOf(session));
  const events: TelemetryEvent[] = [];
  let expected = 0;
  let hasHole = false;
  /** Heads whose layouts are known again behind the last hole. */
  const whole = new Set<number>();
  for (const { first, count, bytes } of pieces) {
    if (first !== expected) {
      hasHole = true;
      whole.clear();
    }
    expected = first + count;
    for (const stored of decodeEvents(bytes)) {
      const event = withAllParameters(stored as TelemetryEvent);
      if (event.type === 'refocus' && event.layout.kind === 'keyframe') whole.add(event.head);
      const isBroken = event.type === 'refocus' && hasHole && !whole.has(event.head);
      if (!isBroken) events.push(event);
    }
  }
  for (const hole of holes)
    damage.push(describeHole('Events', hole, 'left out, with layouts that build on them'));
  return events;
}

/** Parameters are added without a new version of the database. */
function withAllParameters(event: TelemetryEvent): TelemetryEvent {
  return event.type === 'session'
    ? { ...event, config: withNewerParameters(event.config) as RunConfig }
    : event;
}

async function readPending(
  transaction: ReadTransaction,
  session: SessionId,
  { pending }: SessionDetails,
  damage: string[],
): Promise<PendingText[]> {
  const texts: PendingText[] = [];
  for (const { stream, length, ...head } of pending) {
    const { pieces } = await readRows(transaction, { store: 'pendingText', session, stream });
    const ids = new Uint32Array(concatBytes(contiguousPrefix(pieces).map(({ bytes }) => bytes)).buffer);
    if (ids.length < length) {
      damage.push(`The waiting text "${head.title}" is damaged: ${ids.length} of ${length} tokens are kept.`);
    }
    texts.push({ ...head, ids, ingested: Math.min(head.ingested, ids.length) });
  }
  return texts;
}

function describeHole(what: string, { from, to, why }: Hole, consequence: string): string {
  return `${what} ${from} to ${to - 1} are ${why}; they are ${consequence}.`;
}

function totalCount(pieces: readonly StoredPiece[]): number {
  return pieces.reduce((sum, { count }) => sum + count, 0);
}

/** The runs as far as the tokens reach. */
export function clipRuns(runs: readonly ProvenanceRun[], tokenCount: number): ProvenanceRun[] {
  return runs.filter(({ start }) => start < tokenCount).map((run) => clip(run, tokenCount));
}

/** The same span, ending where the tokens end. */
export function clip<T extends { readonly start: number; readonly end: number }>(
  span: T,
  tokenCount: number,
): T {
  return { ...span, start: Math.min(span.start, tokenCount), end: Math.min(span.end, tokenCount) };
}
