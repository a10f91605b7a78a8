/** Writes one batch of a session, and sets aside what stands behind damage. Runs inside its caller's transaction. */
import { MAX_LOD, tokensPerNode } from '../../core/tree/ids.ts';
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import { checkBatch, coldAfter, joinRuns, notFoundError } from '../batch-rules.ts';
import type { PendingText, ProvenanceRun, SessionBatch, SessionId, SessionRecord } from '../ports.ts';
import { dropCheckpoint, dropIndex, writeCheckpoint, writeIndex, writeStaging } from './checkpoint-rows.ts';
import { coldOf, moveFromCold, moveToCold } from './cold-tier.ts';
import { encodeEvents } from './event-rows.ts';
import {
  appendRows,
  cutEvenly,
  overwriteElements,
  ROW_BYTES,
  SEGMENT_BYTES,
  streamEnd,
  truncateRows,
} from './rows.ts';
import type { PendingHead, WriteTransaction } from './schema.ts';
import { clip, clipRuns, EMPTY_DETAILS } from './session-reader.ts';

export interface WriteContext {
  readonly nowMs: number;
  /** Tokens that the last load could read, when that was fewer than recorded; an append there is a repair. */
  readonly readableTokens: number | null;
}

/** @throws {StorageError} `not-found`, or `failed` for a batch that does not fit; the caller aborts. */
export async function writeBatch(
  transaction: WriteTransaction,
  id: SessionId,
  batch: SessionBatch,
  { nowMs, readableTokens }: WriteContext,
): Promise<void> {
  let record = await transaction.objectStore('sessions').get(id);
  if (record === undefined) throw notFoundError(id);
  if (
    readableTokens !== null &&
    batch.tokens?.start === readableTokens &&
    readableTokens < record.tokenCount
  ) {
    record = await setAside(transaction, record, readableTokens, nowMs);
  }
  const details = (await transaction.objectStore('details').get(id)) ?? EMPTY_DETAILS;
  checkBatch(batch, {
    tokenCount: record.tokenCount,
    hiddenSize: details.hiddenSize,
    gistCounts: await countGists(transaction, id, batch),
  });

  const added = batch.tokens?.ids ?? new Uint32Array(0);
  const tokenStream = { store: 'tokens', session: id, stream: 0 } as const;
  await appendRows(
    transaction,
    tokenStream,
    record.tokenCount,
    cutEvenly(bytesOf(added), 4, ROW_BYTES),
    ROW_BYTES,
  );
  for (const gists of batch.gists ?? []) await writeGists(transaction, id, gists);
  if (batch.events !== undefined) await writeEvents(transaction, id, batch.events);
  for (const run of batch.provenance ?? []) await writeRun(transaction, id, run);
  for (const message of batch.chat ?? [])
    await transaction.objectStore('chat').put(message, [id, message.id]);
  const pending =
    batch.pending === undefined
      ? details.pending
      : await writePending(transaction, id, details.pending, batch.pending);
  for (const run of batch.pruned ?? []) await moveToCold(transaction, id, run);
  for (const run of batch.restored ?? []) await moveFromCold(transaction, id, run);
  if (batch.index !== undefined) await writeIndex(transaction, id, batch.index);
  if (batch.checkpoint !== undefined) await writeCheckpoint(transaction, id, batch.checkpoint);
  if (batch.staging !== undefined) await writeStaging(transaction, id, batch.staging);
  const cold = coldAfter(details.cold ?? [], batch);
  const marks = batch.marks ?? details.marks;
  const hiddenSize = batch.gists?.[0]?.hiddenSize ?? details.hiddenSize;
  const gistStanding = batch.gistStanding ?? details.gistStanding;
  await transaction
    .objectStore('details')
    .put({ hiddenSize, marks, pending, cold, ...(gistStanding && { gistStanding }) }, id);
  const tokenCount = record.tokenCount + added.length;
  await transaction
    .objectStore('sessions')
    .put({ ...record, updatedAt: nowMs, ...batch.patch, tokenCount }, id);
}

async function countGists(
  transaction: WriteTransaction,
  session: SessionId,
  batch: SessionBatch,
): Promise<number[]> {
  const counts = new Array<number>(MAX_LOD + 1).fill(0);
  for (const { level } of batch.gists ?? []) {
    if (level in counts)
      counts[level] = await streamEnd(transaction, { store: 'gists', session, stream: level });
  }
  return counts;
}

async function writeGists(
  transaction: WriteTransaction,
  session: SessionId,
  { level, firstIndex, hiddenSize, values, inPlace = false }: NonNullable<SessionBatch['gists']>[number],
): Promise<void> {
  const stream = { store: 'gists', session, stream: level } as const;
  if (inPlace) {
    await overwriteElements(transaction, stream, firstIndex, bytesOf(values), hiddenSize * 2);
    return;
  }
  await truncateRows(transaction, stream, firstIndex);
  await truncateRows(transaction, coldOf(session, level), firstIndex);
  await appendRows(
    transaction,
    stream,
    firstIndex,
    cutEvenly(bytesOf(values), hiddenSize * 2, SEGMENT_BYTES),
    SEGMENT_BYTES,
  );
}

async function writeEvents(
  transaction: WriteTransaction,
  session: SessionId,
  events: readonly TelemetryEvent[],
): Promise<void> {
  const stream = { store: 'events', session, stream: 0 } as const;
  await appendRows(
    transaction,
    stream,
    await streamEnd(transaction, stream),
    encodeEvents(events),
    ROW_BYTES,
  );
}

async function writeRun(transaction: WriteTransaction, id: SessionId, run: ProvenanceRun): Promise<void> {
  const store = transaction.objectStore('provenance');
  const earlier = await store.openCursor(IDBKeyRange.bound([id], [id, run.start]), 'prev');
  const joined = earlier === null ? null : joinRuns(earlier.value, run);
  if (earlier !== null && joined !== null) await earlier.update(joined);
  else await store.put(run, [id, run.start]);
}

/** Writes the token ids of each text once; while they are ingested, or change places, only the heads change. */
async function writePending(
  transaction: WriteTransaction,
  session: SessionId,
  stored: readonly PendingHead[],
  pending: readonly PendingText[],
): Promise<readonly PendingHead[]> {
  const rowsOf = (stream: number) => ({ store: 'pendingText', session, stream }) as const;
  const known = pending.map(({ documentId, ids }) =>
    stored.find((head) => head.documentId === documentId && head.length === ids.length),
  );
  for (const head of stored) {
    if (!known.includes(head)) await truncateRows(transaction, rowsOf(head.stream), 0);
  }
  let unused = Math.max(0, ...stored.map(({ stream }) => stream + 1));
  const heads: PendingHead[] = [];
  for (const [at, { ids, ...fields }] of pending.entries()) {
    const stream = known[at]?.stream ?? unused++;
    if (known[at] === undefined) {
      await appendRows(transaction, rowsOf(stream), 0, cutEvenly(bytesOf(ids), 4, ROW_BYTES), ROW_BYTES);
    }
    heads.push({ ...fields, stream, length: ids.length });
  }
  return heads;
}

/**
 * Make room for a history that goes on before its damage: the rows behind are moved to `quarantine`, and spans
 * that pointed into them are cut. Gists there are dropped, since the new tokens make new ones.
 */
async function setAside(
  transaction: WriteTransaction,
  record: SessionRecord,
  tokenCount: number,
  nowMs: number,
): Promise<SessionRecord> {
  const { id } = record;
  const quarantine = transaction.objectStore('quarantine');
  const behind = IDBKeyRange.bound([id, 0, tokenCount], [id, 0, []]);
  for (
    let row = await transaction.objectStore('tokens').openCursor(behind);
    row !== null;
    row = await row.continue()
  ) {
    await quarantine.put(row.value, [id, nowMs, 'tokens', row.key[2]]);
    await row.delete();
  }
  const ofSession = IDBKeyRange.bound([id], [id, []]);
  const runs = transaction.objectStore('provenance');
  for (const run of await runs.getAll(ofSession)) {
    if (run.end > tokenCount) {
      await quarantine.put(run, [id, nowMs, 'provenance', run.start]);
      await runs.delete([id, run.start]);
    }
    for (const kept of clipRuns([run], tokenCount)) await runs.put(kept, [id, kept.start]);
  }
  const chat = transaction.objectStore('chat');
  for (const message of await chat.getAll(ofSession))
    await chat.put(clip(message, tokenCount), [id, message.id]);
  for (let level = 1; level <= MAX_LOD; level += 1) {
    const stream = { store: 'gists', session: id, stream: level } as const;
    await truncateRows(transaction, stream, Math.floor(tokenCount / tokensPerNode(level)));
  }
  await dropIndex(transaction, id, tokenCount);
  await dropCheckpoint(transaction, id);
  return { ...record, tokenCount };
}

/** Typed arrays are stored as they lie in memory: little-endian on every platform that runs a browser. */
function bytesOf(values: Uint32Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
