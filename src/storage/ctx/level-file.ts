/**
 * One level of a history as a file: 64 bytes of header, then the payload at offsets that follow from the index
 * (DESIGN §8). Level 0 holds token ids, the levels above hold gists.
 */
import { CtxError } from './ctx-error.ts';

export const CTX_MAGIC = 0x4d434354;
export const CTX_VERSION = 1;
export const CTX_HEADER_BYTES = 64;

const MODEL_NAME_OFFSET = 22;
const MODEL_NAME_BYTES = 32;
const MODEL_NAME_END = MODEL_NAME_OFFSET + MODEL_NAME_BYTES;

/** The codes that the header knows; this page writes uint32 tokens and fp16 gists. */
const DTYPES = [
  { name: 'uint32', bytes: 4 },
  { name: 'fp16', bytes: 2 },
  { name: 'bf16', bytes: 2 },
  { name: 'fp32', bytes: 4 },
] as const;
export type CtxDtype = (typeof DTYPES)[number]['name'];

export interface LevelHeader {
  readonly level: number;
  /** K: children of a node. */
  readonly blockSize: number;
  /** d, the base's hidden size; an entry of uint32 is one token id whatever it says. */
  readonly hiddenSize: number;
  readonly dtype: CtxDtype;
  readonly entryCount: number;
  /** The base's id; cut at 32 bytes of UTF-8. */
  readonly modelName: string;
}

export const levelFileName = (level: number): string => `LOD${level}.ctx`;

/** Bytes of one entry of the payload. */
export function entryBytes({ hiddenSize, dtype }: Pick<LevelHeader, 'hiddenSize' | 'dtype'>): number {
  const { bytes } = DTYPES.find(({ name }) => name === dtype)!;
  return dtype === 'uint32' ? bytes : bytes * hiddenSize;
}

export function encodeHeader(header: LevelHeader): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(CTX_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, CTX_MAGIC, true);
  view.setUint16(4, CTX_VERSION, true);
  view.setUint16(6, header.level, true);
  view.setUint16(8, header.blockSize, true);
  view.setUint16(10, header.hiddenSize, true);
  view.setUint16(
    12,
    DTYPES.findIndex(({ name }) => name === header.dtype),
    true,
  );
  view.setBigUint64(14, BigInt(header.entryCount), true);
  new TextEncoder().encodeInto(header.modelName, bytes.subarray(MODEL_NAME_OFFSET, MODEL_NAME_END));
  return bytes;
}

/**
 * Read a header that anyone may have written, and hold it against the bytes that are there.
 *
 * @param head - the first 64 bytes of the file, or all of it when it is shorter.
 * @param fileBytes - length of the whole file.
 * @throws {CtxError} `bad-header`, `future-version` or `sizes-disagree`, with the byte.
 */
export function decodeHeader(head: Uint8Array, fileBytes: number, file: string): LevelHeader {
  const fail = (offset: number, message: string, code: 'bad-header' | 'sizes-disagree' = 'bad-header') =>
    new CtxError(code, file, offset, message);
  if (head.length < CTX_HEADER_BYTES) {
    throw fail(head.length, `the header has ${CTX_HEADER_BYTES} bytes, the file only ${head.length}.`);
  }
  const view = new DataView(head.buffer, head.byteOffset, CTX_HEADER_BYTES);
  if (view.getUint32(0, true) !== CTX_MAGIC) throw fail(0, 'this is no level of a MegaContext.');
  const version = view.getUint16(4, true);
  if (version > CTX_VERSION) {
    throw new CtxError('future-version', file, 4, `version ${version} is newer than ${CTX_VERSION}.`);
  }
  if (version < 1) throw fail(4, `there is no version ${version}.`);
  const dtype = DTYPES[view.getUint16(12, true)];
  if (dtype === undefined) throw fail(12, `there is no data type ${view.getUint16(12, true)}.`);
  const hiddenSize = view.getUint16(10, true);
  if (hiddenSize < 1) throw fail(10, 'the embedding needs at least one component.');
  const entryCount = view.getBigUint64(14, true);
  const payloadBytes = fileBytes - CTX_HEADER_BYTES;
  if (entryCount * BigInt(entryBytes({ hiddenSize, dtype: dtype.name })) !== BigInt(payloadBytes)) {
    const claim = `${entryCount} entries of ${dtype.name}${dtype.name === 'uint32' ? '' : ` × ${hiddenSize}`}`;
    throw fail(14, `the header promises ${claim}, but ${payloadBytes} bytes follow.`, 'sizes-disagree');
  }
  const spare = head.subarray(MODEL_NAME_END, CTX_HEADER_BYTES).findIndex((byte) => byte !== 0);
  if (spare >= 0) throw fail(MODEL_NAME_END + spare, 'the last ten bytes of the header must be zero.');
  return {
    level: view.getUint16(6, true),
    blockSize: view.getUint16(8, true),
    hiddenSize,
    dtype: dtype.name,
    entryCount: Number(entryCount),
    modelName: nameIn(head),
  };
}

function nameIn(head: Uint8Array): string {
  const field = head.subarray(MODEL_NAME_OFFSET, MODEL_NAME_END);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}
