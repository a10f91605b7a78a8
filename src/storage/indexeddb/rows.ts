/**
 * Append-only streams of elements (tokens, gists, events) as checksummed rows. Knows bytes and counts, not
 * what they mean. Every function runs inside its caller's transaction.
 */
import { concatBytes } from '../../base/bytes.ts';
import { crc32 } from '../../base/crc32.ts';
import type { ReadTransaction, Row, RowKey, RowStoreName, WriteTransaction } from './schema.ts';

/** Values over 64 KiB become files that a user can delete, so what cannot be recomputed stays below. */
export const ROW_BYTES = 60 * 1024;
export const SEGMENT_BYTES = 1024 * 1024;

const ROWS_PER_READ = 64;

/** One stream of one session. */
export interface StreamId {
  readonly store: RowStoreName;
  readonly session: string;
  readonly stream: number;
}

/** Some elements in a row. */
export interface Piece {
  readonly count: number;
  readonly bytes: Uint8Array;
}

export interface StoredPiece extends Piece {
  readonly first: number;
}

/** Where a stream is broken: elements `from` up to `to` are missing or damaged. */
export interface Hole {
  readonly from: number;
  readonly to: number;
  readonly why: 'missing' | 'damaged';
}

function rangeOf({ session, stream }: StreamId): IDBKeyRange {
  return IDBKeyRange.bound([session, stream], [session, stream, []]);
}

/** Elements stored, holes included: one past the last. */
export async function streamEnd(
  transaction: ReadTransaction | WriteTransaction,
  id: StreamId,
): Promise<number> {
  const cursor = await (transaction as ReadTransaction)
    .objectStore(id.store)
    .openKeyCursor(rangeOf(id), 'prev');
  if (cursor === null) return 0;
  const [, , first, count] = cursor.key;
  return first + count;
}

/**
 * Append elements at `first`, the stream's end. Small rows at the end are merged into the new one, so that a
 * stream fed 32 elements at a time is rewritten a logarithmic number of times and read in few rows.
 *
 * @param pieces - each at most `capBytes`, or a single element.
 */
export async function appendRows(
  transaction: WriteTransaction,
  id: StreamId,
  first: number,
  pieces: readonly Piece[],
  capBytes: number,
): Promise<void> {
  const store = transaction.objectStore(id.store);
  let at = first;
  for (const [index, piece] of pieces.entries()) {
    const start = at;
    at += piece.count;
    const row =
      index === 0
        ? await absorbTail(transaction, id, { first: start, ...piece }, capBytes)
        : { first: start, ...piece };
    await store.put({ bytes: row.bytes, crc: crc32(row.bytes) }, [
      id.session,
      id.stream,
      row.first,
      row.count,
    ]);
  }
}

/** Take the small intact rows that end where the piece starts out of the store and into the piece. */
async function absorbTail(
  transaction: WriteTransaction,
  id: StreamId,
  piece: StoredPiece,
  capBytes: number,
): Promise<StoredPiece> {
  const store = transaction.objectStore(id.store);
  const absorbed: RowKey[] = [];
  const parts = [piece.bytes];
  let { first, count } = piece;
  let byteLength = piece.bytes.length;
  let cursor = await store.openKeyCursor(rangeOf(id), 'prev');
  while (cursor !== null) {
    const key = cursor.key;
    const [, , rowFirst, rowCount] = key;
    // Leaving rows more than twice as long alone keeps the number of short rows logarithmic.
    if (rowFirst + rowCount !== first || rowCount > 2 * count) break;
    const row = await store.get(key);
    if (!isIntact(row) || byteLength + row.bytes.length > capBytes) break;
    absorbed.push(key);
    parts.unshift(row.bytes);
    first = rowFirst;
    count += rowCount;
    byteLength += row.bytes.length;
    cursor = await cursor.continue();
  }
  for (const key of absorbed) await store.delete(key);
  return { first, count, bytes: concatBytes(parts) };
}

/** Drop the elements from `from` on. A row that holds `from` inside is cut; its elements are of equal size. */
export async function truncateRows(transaction: WriteTransaction, id: StreamId, from: number): Promise<void> {
  const store = transaction.objectStore(id.store);
  let cursor = await store.openKeyCursor(rangeOf(id), 'prev');
  while (cursor !== null) {
    const key = cursor.key;
    const [, , first, count] = key;
    if (first + count <= from) return;
    const row = first < from ? await store.get(key) : undefined;
    await store.delete(key);
    // A damaged row's head goes with it: a fresh checksum would make the damage pass for sound.
    if (isIntact(row)) {
      const bytes = row.bytes.slice(0, (row.bytes.length / count) * (from - first));
      await store.put({ bytes, crc: crc32(bytes) }, [id.session, id.stream, first, from - first]);
    }
    cursor = await cursor.continue();
  }
}

/** Put elements of equal size in place of those that stand there. A damaged row stays as it is, to be found and named. */
export async function overwriteElements(
  transaction: WriteTransaction,
  id: StreamId,
  from: number,
  bytes: Uint8Array,
  elementBytes: number,
): Promise<void> {
  const to = from + bytes.length / elementBytes;
  const { pieces } = await readRowsBetween(transaction, id, from, to);
  for (const { first, count, bytes: old } of pieces) {
    const row = old.slice();
    const start = Math.max(first, from);
    const end = Math.min(first + count, to);
    row.set(
      bytes.subarray((start - from) * elementBytes, (end - from) * elementBytes),
      (start - first) * elementBytes,
    );
    await transaction
      .objectStore(id.store)
      .put({ bytes: row, crc: crc32(row) }, [id.session, id.stream, first, count]);
  }
}

/** Read a whole stream: its intact rows in order, and what is missing between them. */
export async function readRows(
  transaction: ReadTransaction,
  id: StreamId,
): Promise<{ readonly pieces: readonly StoredPiece[]; readonly holes: readonly Hole[] }> {
  return readRowsBetween(transaction, id, 0, Infinity);
}

/** The same for the rows that hold any of the elements `from..to-1`, whole. What is missing at the end is no hole. */
export async function readRowsBetween(
  transaction: ReadTransaction | WriteTransaction,
  id: StreamId,
  from: number,
  to: number,
): Promise<{ readonly pieces: readonly StoredPiece[]; readonly holes: readonly Hole[] }> {
  const reading = transaction as ReadTransaction;
  const store = reading.objectStore(id.store);
  const pieces: StoredPiece[] = [];
  const holes: Hole[] = [];
  if (from >= to) return { pieces, holes };
  const last = to === Infinity ? [id.session, id.stream, []] : [id.session, id.stream, to];
  let expected = from;
  let range = IDBKeyRange.bound(await firstKeyOf(reading, id, from), last, false, to !== Infinity);
  for (;;) {
    const [keys, rows] = await Promise.all([
      store.getAllKeys(range, ROWS_PER_READ),
      store.getAll(range, ROWS_PER_READ),
    ]);
    for (const [index, key] of keys.entries()) {
      const [, , first, count] = key;
      const isNext = first >= expected || (first <= from && expected === from);
      // A row that overlaps what was read cannot be told from a damaged one.
      if (first > expected) holes.push({ from: expected, to: first, why: 'missing' });
      if (isNext && isIntact(rows[index])) pieces.push({ first, count, bytes: rows[index].bytes });
      else holes.push({ from: first, to: first + count, why: 'damaged' });
      expected = Math.max(expected, first + count);
    }
    const newest = keys.at(-1);
    if (newest === undefined || keys.length < ROWS_PER_READ) return { pieces, holes };
    range = IDBKeyRange.bound(newest, last, true, to !== Infinity);
  }
}

/** Where the row that holds an element begins, or the element itself where none does. */
async function firstKeyOf(
  transaction: ReadTransaction,
  id: StreamId,
  element: number,
): Promise<IDBValidKey[]> {
  const from = [id.session, id.stream, element];
  if (element === 0) return from;
  const before = IDBKeyRange.bound([id.session, id.stream], from);
  const cursor = await transaction.objectStore(id.store).openKeyCursor(before, 'prev');
  if (cursor === null) return from;
  const [, , first, count] = cursor.key;
  return first + count > element ? cursor.key : from;
}

/** Where the rows of a stream lie, without reading them. */
export async function rowPlaces(
  transaction: ReadTransaction,
  id: StreamId,
): Promise<readonly { readonly first: number; readonly count: number }[]> {
  const keys = await transaction.objectStore(id.store).getAllKeys(rangeOf(id));
  return keys.map(([, , first, count]) => ({ first, count }));
}

/** The part of a row that lies in `from..to-1`, copied; elements are of equal size. */
export function clipped(
  { first, count, bytes }: StoredPiece,
  from: number,
  to: number,
): readonly StoredPiece[] {
  const start = Math.max(first, from);
  const end = Math.min(first + count, to);
  if (start >= end) return [];
  const size = bytes.length / count;
  return [
    { first: start, count: end - start, bytes: bytes.slice((start - first) * size, (end - first) * size) },
  ];
}

/** Whether the row is there and its bytes are those that were stored. */
export function isIntact(row: Row | undefined): row is Row {
  return row?.bytes instanceof Uint8Array && crc32(row.bytes) === row.crc;
}

/** The pieces that follow one another from element 0 on. */
export function contiguousPrefix(pieces: readonly StoredPiece[]): readonly StoredPiece[] {
  let end = 0;
  const broken = pieces.findIndex(({ first, count }) => {
    if (first !== end) return true;
    end += count;
    return false;
  });
  return broken < 0 ? pieces : pieces.slice(0, broken);
}

/** Copy elements of equal size into pieces of at most `capBytes`. A view would be stored with its whole buffer. */
export function cutEvenly(bytes: Uint8Array, elementBytes: number, capBytes: number): Piece[] {
  const step = Math.max(1, Math.floor(capBytes / elementBytes)) * elementBytes;
  const pieces: Piece[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    const part = bytes.slice(at, at + step);
    pieces.push({ count: part.length / elementBytes, bytes: part });
  }
  return pieces;
}
