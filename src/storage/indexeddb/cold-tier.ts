/**
 * The cold tier: gists that were pruned, in rows of their own, which opening a session does not read. Every function
 * runs inside its caller's transaction.
 */
import { commonRuns } from '../../core/tree/node-runs.ts';
import type { NodeRun } from '../../core/tree/ids.ts';
import { concatBytes } from '../../base/bytes.ts';
import { crc32 } from '../../base/crc32.ts';
import { clipped, contiguousPrefix, isIntact, readRowsBetween } from './rows.ts';
import type { Hole, StoredPiece, StreamId } from './rows.ts';
import type { ReadTransaction, WriteTransaction } from './schema.ts';

const hotOf = (session: string, stream: number): StreamId => ({ store: 'gists', session, stream });
export const coldOf = (session: string, stream: number): StreamId => ({
  store: 'coldGists',
  session,
  stream,
});

/** Move gists to the cold tier. Those that are not stored, and raw blocks, have nothing to move. */
export async function moveToCold(
  transaction: WriteTransaction,
  session: string,
  { lod, first, count }: NodeRun,
): Promise<void> {
  if (lod > 0)
    await moveElements(transaction, hotOf(session, lod), coldOf(session, lod), first, first + count);
}

/** Bring gists back; what stands in their place by now was made later and stays. */
export async function moveFromCold(
  transaction: WriteTransaction,
  session: string,
  { lod, first, count }: NodeRun,
): Promise<void> {
  if (lod > 0)
    await moveElements(transaction, coldOf(session, lod), hotOf(session, lod), first, first + count);
}

/** Bytes of `count` gists in the cold tier; null if they are not all there and intact. */
export async function readColdRun(
  transaction: ReadTransaction,
  session: string,
  { lod, first, count }: NodeRun,
): Promise<Uint8Array | null> {
  const { pieces } = await readRowsBetween(transaction, coldOf(session, lod), first, first + count);
  const inside = pieces.flatMap((piece) => clipped(piece, first, first + count));
  const shifted = inside.map((piece) => ({ ...piece, first: piece.first - first }));
  const prefix = contiguousPrefix(shifted);
  return prefix.reduce((sum, piece) => sum + piece.count, 0) === count
    ? concatBytes(prefix.map(({ bytes }) => bytes))
    : null;
}

/**
 * A level's rows with what is cold in its places: as zeros, or as it is.
 *
 * @param hot - rows and holes of the level; a hole that the cold tier explains is none.
 * @param cold - rows of the cold tier; null for zeros.
 */
export function withColdRows(
  hot: { readonly pieces: readonly StoredPiece[]; readonly holes: readonly Hole[] },
  runs: readonly NodeRun[],
  cold: readonly StoredPiece[] | null,
  bytesPerGist: number,
): { readonly pieces: readonly StoredPiece[]; readonly holes: readonly Hole[] } {
  if (runs.length === 0) return hot;
  const { lod } = runs[0]!;
  const fill: StoredPiece[] = [];
  const holes: Hole[] = [];
  for (const hole of hot.holes) {
    const gap = { lod, first: hole.from, count: hole.to - hole.from };
    const explained = hole.why === 'missing' ? commonRuns([gap], runs) : [];
    for (const { first, count } of explained) {
      if (cold === null) fill.push({ first, count, bytes: new Uint8Array(count * bytesPerGist) });
      else fill.push(...cold.flatMap((piece) => clipped(piece, first, first + count)));
    }
    if (explained.reduce((sum, { count }) => sum + count, 0) < gap.count) holes.push(hole);
  }
  return { pieces: [...hot.pieces, ...fill].sort((a, b) => a.first - b.first), holes };
}

async function moveElements(
  transaction: WriteTransaction,
  from: StreamId,
  to: StreamId,
  first: number,
  end: number,
): Promise<void> {
  const source = transaction.objectStore(from.store);
  const target = transaction.objectStore(to.store);
  const put = (store: typeof source, { stream, session }: StreamId, piece: StoredPiece): Promise<unknown> =>
    store.put({ bytes: piece.bytes, crc: crc32(piece.bytes) }, [session, stream, piece.first, piece.count]);
  const range = IDBKeyRange.bound([from.session, from.stream], [from.session, from.stream, end], false, true);
  let cursor = await source.openKeyCursor(range, 'prev');
  while (cursor !== null) {
    const key = cursor.key;
    const [, , rowFirst, rowCount] = key;
    if (rowFirst + rowCount <= first) return;
    const row = await source.get(key);
    // A damaged row stays where it is, to be found and named.
    if (isIntact(row)) {
      const piece = { first: rowFirst, count: rowCount, bytes: row.bytes };
      await source.delete(key);
      for (const part of [...clipped(piece, rowFirst, first), ...clipped(piece, end, rowFirst + rowCount)]) {
        await put(source, from, part);
      }
      for (const part of clipped(piece, first, end)) await put(target, to, part);
    }
    cursor = await cursor.continue();
  }
}
