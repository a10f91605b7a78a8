/** Reads a stored session and says what of it is damaged. Never repairs, never throws for damaged rows. */
import { concatBytes } from '../../base/bytes.ts';
import type { RunConfig } from '../../core/trace/config.ts';
import { MAX_LOD, tokensPerNode } from '../../core/tree/ids.ts';
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import { compareMessages, notFoundError } from '../batch-rules.ts';
import { withNewerParameters } from '../versions/config-upgrade.ts';
import type { PendingText, ProvenanceRun, SessionId, StoredSession } from '../ports.ts';
import { coldOf, withColdRows } from './cold-tier.ts';
import { decodeEvents } from './event-rows.ts';
import { contiguousPrefix, readRows } from './rows.ts';
import type { Hole, StoredPiece } from './rows.ts';
import type { ReadTransaction, SessionDetails } from './schema.ts';

export const EMPTY_DETAILS: SessionDetails = { hiddenSize: null, marks: [], pending: [] };

/**
 * @param whole - gists of the cold tier are read, too; zeros stand for them otherwise.
 * @throws {StorageError} `not-found`
 */
export async function readSession(
  transaction: ReadTransaction,
  id: SessionId,
  whole: boolean,
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
  return {
    record: { ...record, tokenCount: tokens.length },
    tokens,
    provenance: lost ? clipRuns(provenance, tokens.length) : provenance,
    gists: await readGists(transaction, id, details, lost ? tokens.length : Infinity, whole, damage),
    events: await readEvents(transaction, id, damage),
    chat: chat.map((message) => (lost ? clip(message, tokens.length) : message)).sort(compareMessages),
    marks: details.marks,
    cold: details.cold ?? [],
    pending: await readPending(transaction, id, details, damage),
    damage,
  };
}

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
  const { pieces, holes } = await readRows(transaction, { store: 'events', session, stream: 0 });
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
