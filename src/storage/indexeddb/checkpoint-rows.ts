/** A checkpoint as the bytes of a row, with its pages, the staging context's scores and the index's segments beside it. Runs inside its caller's transaction. */
import { crc32 } from '../../base/crc32.ts';
import type { SessionBatch, SessionCheckpoint, SessionId, StoredStaging } from '../ports.ts';
import type { RowStoreName, WriteTransaction } from './schema.ts';

/** Written by this version; a checkpoint of another is none, as all of it follows from the rest. */
const VERSION = 1;

/** The checkpoint of an intact row; null for one of another version. */
export function decodeCheckpoint(bytes: Uint8Array): SessionCheckpoint | null {
  const { version, ...checkpoint } = JSON.parse(new TextDecoder().decode(bytes)) as SessionCheckpoint & {
    readonly version: number;
  };
  return version === VERSION ? checkpoint : null;
}

export async function writeCheckpoint(
  transaction: WriteTransaction,
  session: SessionId,
  { pages, ...checkpoint }: NonNullable<SessionBatch['checkpoint']>,
): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify({ version: VERSION, ...checkpoint }));
  await transaction.objectStore('checkpoints').put({ bytes, crc: crc32(bytes) }, session);
  for (const { lod, first, count, bytes: cells } of pages)
    await replaceRow(transaction, 'nodePages', session, lod, { first, count, cells });
}

/** Two uint32, the step and 1 where it is settled, and a float32 an entry; little-endian on every platform that runs a browser. */
const STAGING_HEAD_BYTES = 8;

export function decodeStaging(bytes: Uint8Array): StoredStaging {
  const { buffer } = bytes.slice();
  const [step, isSettled] = new Uint32Array(buffer, 0, 2);
  return { step: step!, isSettled: isSettled === 1, scores: new Float32Array(buffer, STAGING_HEAD_BYTES) };
}

export async function writeStaging(
  transaction: WriteTransaction,
  session: SessionId,
  { step, isSettled, scores }: StoredStaging,
): Promise<void> {
  const buffer = new ArrayBuffer(STAGING_HEAD_BYTES + scores.byteLength);
  new Uint32Array(buffer, 0, 2).set([step, isSettled ? 1 : 0]);
  new Float32Array(buffer, STAGING_HEAD_BYTES).set(scores);
  const bytes = new Uint8Array(buffer);
  await transaction.objectStore('stagingScores').put({ bytes, crc: crc32(bytes) }, session);
}

export async function writeIndex(
  transaction: WriteTransaction,
  session: SessionId,
  { firstToken, segments }: NonNullable<SessionBatch['index']>,
): Promise<void> {
  await dropIndex(transaction, session, firstToken);
  for (const { firstToken: first, tokenCount: count, bytes: cells } of segments)
    await replaceRow(transaction, 'indexSegments', session, 0, { first, count, cells });
}

/** The segments from a token on go; one that holds it inside goes whole. */
export async function dropIndex(
  transaction: WriteTransaction,
  session: SessionId,
  fromToken: number,
): Promise<void> {
  const store = transaction.objectStore('indexSegments');
  const range = IDBKeyRange.bound([session, 0], [session, 0, []]);
  for (const key of await store.getAllKeys(range)) {
    const [, , first, count] = key;
    if (first + count > fromToken) await store.delete(key);
  }
}

/** Forget a checkpoint that says more than is stored by now. */
export async function dropCheckpoint(transaction: WriteTransaction, session: SessionId): Promise<void> {
  await transaction.objectStore('checkpoints').delete(session);
  await transaction.objectStore('stagingScores').delete(session);
  await transaction.objectStore('nodePages').delete(IDBKeyRange.bound([session], [session, []]));
}

/** One row in place of any that begins with the same element. */
async function replaceRow(
  transaction: WriteTransaction,
  name: RowStoreName,
  session: SessionId,
  stream: number,
  { first, count, cells }: { readonly first: number; readonly count: number; readonly cells: Uint8Array },
): Promise<void> {
  const store = transaction.objectStore(name);
  await store.delete(IDBKeyRange.bound([session, stream, first], [session, stream, first, []]));
  await store.put({ bytes: cells, crc: crc32(cells) }, [session, stream, first, count]);
}
