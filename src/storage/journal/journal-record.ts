/**
 * One acknowledged batch as bytes: magic, length and checksum (12 bytes), then JSON with its length before it, then
 * the token ids that the JSON counts. What follows a record that is not whole was never acknowledged.
 */
import { crc32 } from '../../base/crc32.ts';
import type { PendingText, SessionBatch, SessionStore } from '../ports.ts';
import type { JournalFile } from './journal-files.ts';

type CreatedFields = Parameters<SessionStore['create']>[0];

/** Everything of a batch but its gists. */
export interface JournalEntry {
  /** In the first record of a journal. */
  readonly created?: CreatedFields;
  readonly batch: Omit<SessionBatch, 'gists' | 'pending'>;
  readonly pending?: readonly PendingText[];
}

/** `tokenCount` is null for a text whose ids stand in an earlier record. */
type PendingHead = Omit<PendingText, 'ids'> & { readonly tokenCount: number | null };

interface Head {
  readonly created?: CreatedFields;
  readonly batch: Omit<JournalEntry['batch'], 'tokens'>;
  readonly tokens?: { readonly start: number; readonly count: number };
  readonly pending?: readonly PendingHead[];
}

const MAGIC = 0x314a434d;
const FRAME_BYTES = 12;

/** @param known - documents whose ids were written before; those of this entry are added. */
export function encodeEntry(
  { created, batch, pending }: JournalEntry,
  known: Set<string>,
): Uint8Array<ArrayBuffer> {
  const { tokens, ...rest } = batch;
  const arrays: Uint32Array[] = tokens === undefined ? [] : [tokens.ids];
  const heads = pending?.map(({ ids, ...fields }): PendingHead => {
    if (known.has(fields.documentId)) return { ...fields, tokenCount: null };
    known.add(fields.documentId);
    arrays.push(ids);
    return { ...fields, tokenCount: ids.length };
  });
  const head: Head = {
    ...(created && { created }),
    batch: rest,
    ...(tokens && { tokens: { start: tokens.start, count: tokens.ids.length } }),
    ...(heads && { pending: heads }),
  };
  const json = new TextEncoder().encode(JSON.stringify(head));
  const jsonBytes = (json.length + 3) & ~3;
  const idsBytes = arrays.reduce((sum, ids) => sum + ids.byteLength, 0);
  const bytes = new Uint8Array(FRAME_BYTES + 4 + jsonBytes + idsBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(FRAME_BYTES, json.length, true);
  bytes.set(json, FRAME_BYTES + 4);
  let at = FRAME_BYTES + 4 + jsonBytes;
  for (const ids of arrays) {
    bytes.set(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength), at);
    at += ids.byteLength;
  }
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, bytes.length - FRAME_BYTES, true);
  view.setUint32(8, crc32(bytes.subarray(FRAME_BYTES)), true);
  return bytes;
}

/** The whole records from the beginning on; what is torn or damaged ends them. */
export function decodeEntries(journal: Uint8Array): JournalEntry[] {
  const entries: JournalEntry[] = [];
  const idsOf = new Map<string, Uint32Array>();
  for (let at = 0; ;) {
    const body = bodyAt(journal, at);
    if (body === null) return entries;
    entries.push(decodeBody(body, idsOf));
    at += FRAME_BYTES + body.length;
  }
}

function bodyAt(journal: Uint8Array, at: number): Uint8Array | null {
  if (at + FRAME_BYTES > journal.length) return null;
  const view = new DataView(journal.buffer, journal.byteOffset + at, FRAME_BYTES);
  const length = view.getUint32(4, true);
  if (view.getUint32(0, true) !== MAGIC || at + FRAME_BYTES + length > journal.length) return null;
  const body = journal.subarray(at + FRAME_BYTES, at + FRAME_BYTES + length);
  return crc32(body) === view.getUint32(8, true) ? body : null;
}

function decodeBody(body: Uint8Array, idsOf: Map<string, Uint32Array>): JournalEntry {
  const jsonLength = new DataView(body.buffer, body.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(body.subarray(4, 4 + jsonLength))) as Head;
  let at = 4 + ((jsonLength + 3) & ~3);
  const take = (count: number) => new Uint32Array(body.slice(at, (at += 4 * count)).buffer);
  const tokens = head.tokens && { start: head.tokens.start, ids: take(head.tokens.count) };
  const pending = head.pending?.map(({ tokenCount, ...fields }) => {
    if (tokenCount !== null) idsOf.set(fields.documentId, take(tokenCount));
    return { ...fields, ids: idsOf.get(fields.documentId) ?? new Uint32Array(0) };
  });
  return {
    ...(head.created && { created: head.created }),
    batch: { ...head.batch, ...(tokens && { tokens }) },
    ...(pending && { pending }),
  };
}

/** Cut off what a killed writer left of its last record, or nobody could read what is appended. */
export function cutTorn(file: JournalFile): void {
  const frame = new Uint8Array(FRAME_BYTES);
  const view = new DataView(frame.buffer);
  let end = 0;
  for (let at = 0; file.read(at, frame) === FRAME_BYTES && view.getUint32(0, true) === MAGIC;) {
    at += FRAME_BYTES + view.getUint32(4, true);
    if (at > file.sizeBytes) break;
    end = at;
  }
  if (end < file.sizeBytes) file.truncate(end);
}
