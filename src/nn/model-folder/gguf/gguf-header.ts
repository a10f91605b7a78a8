/**
 * The header of a GGUF file (versions 2 and 3): metadata and where each tensor lies. Reads untrusted bytes: every
 * count and length is checked against what is there before anything is allocated by it. Knows no model.
 *
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { WeightError } from '../errors.ts';
import type { FileBytes } from '../file-bytes.ts';
import { blockFormat, type BlockFormat } from './block-formats.ts';

const MAGIC = 0x46554747;
const DEFAULT_ALIGNMENT = 32;
const MAX_RANK = 4;
/** The shortest metadata entry: an empty key, a type, one byte. */
const SMALLEST_ENTRY_BYTES = 13;
/** The shortest tensor entry: an empty name, no dimension, a type, an offset. */
const SMALLEST_TENSOR_BYTES = 24;

export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

export interface GgufTensor {
  readonly name: string;
  /** Outermost first, as every other reader of ours has it; the file says it innermost first. */
  readonly shape: readonly number[];
  readonly size: number;
  readonly format: BlockFormat;
  /** From the file's start. */
  readonly byteOffset: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/**
 * @param file - named in errors.
 * @throws {WeightError} naming what is wrong and at which byte.
 */
export function parseGgufHeader(bytes: FileBytes, file: string): GgufHeader {
  const reader = new Reader(bytes, file);
  if (bytes.byteLength < 4 || reader.u32() !== MAGIC) throw new WeightError(file, null, 'is not a GGUF file');
  const version = reader.u32();
  if (version !== 2 && version !== 3) {
    throw new WeightError(file, null, `GGUF version ${version} is not supported; 2 and 3 are`);
  }
  const tensorCount = reader.count(SMALLEST_TENSOR_BYTES, 'tensors');
  const entryCount = reader.count(SMALLEST_ENTRY_BYTES, 'metadata entries');
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = reader.string();
    metadata.set(key, reader.value(reader.u32(), 0));
  }
  const found = Array.from({ length: tensorCount }, () => readTensor(reader, file));
  const dataStart = alignUp(reader.at, alignmentOf(metadata, file));
  const tensors = new Map<string, GgufTensor>();
  for (const tensor of found) {
    const byteOffset = dataStart + tensor.offset;
    const byteLength = (tensor.size / tensor.format.values) * tensor.format.bytes;
    if (byteOffset + byteLength > bytes.byteLength) {
      const what = `its ${byteLength} bytes at ${byteOffset} end behind the file's ${bytes.byteLength}: the file is cut short`;
      throw new WeightError(file, tensor.name, what);
    }
    if (tensors.has(tensor.name)) throw new WeightError(file, tensor.name, 'is there twice');
    const { name, shape, size, format } = tensor;
    tensors.set(name, { name, shape, size, format, byteOffset });
  }
  return { version, metadata, tensors };
}

function readTensor(
  reader: Reader,
  file: string,
): Omit<GgufTensor, 'byteOffset'> & { readonly offset: number } {
  const name = reader.string();
  const rank = reader.u32();
  if (rank > MAX_RANK)
    throw new WeightError(file, name, `has ${rank} dimensions; at most ${MAX_RANK} are read`);
  const extents = Array.from({ length: rank }, () => reader.u64());
  const format = blockFormat(reader.u32(), file, name);
  const offset = reader.u64();
  const size = extents.reduce((product, extent) => product * extent, 1);
  if (!Number.isSafeInteger(size))
    throw new WeightError(file, name, `shape [${extents.join(', ')}] is too large`);
  const row = extents[0] ?? 1;
  if (row % format.values !== 0) {
    throw new WeightError(
      file,
      name,
      `rows of ${row} values are not whole ${format.name} blocks of ${format.values}`,
    );
  }
  return { name, shape: extents.reverse(), size, format, offset };
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>, file: string): number {
  const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== 'number' || !Number.isInteger(alignment) || alignment < 1 || alignment > 65_536) {
    throw new WeightError(
      file,
      null,
      `general.alignment ${String(alignment)} is not a whole number up to 65536`,
    );
  }
  return alignment;
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

/** Bytes per value of the scalar types, by GGUF's number; strings (8) and arrays (9) have none. */
const SCALAR_BYTES: Readonly<Partial<Record<number, number>>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};
const STRING = 8;
const ARRAY = 9;
const MAX_NESTING = 2;
/** Far more than a vocabulary's merges: a list takes ten times the file's bytes in memory. */
const LONGEST_LIST = 4 * 2 ** 20;
/** Longer than any chat template. */
const LONGEST_TEXT_BYTES = 16 * 2 ** 20;
/** Read at once: a header is a few megabytes, most of them the vocabulary. */
const WINDOW_BYTES = 4 * 2 ** 20;

class Reader {
  /** From the file's start. */
  at = 0;
  /** The part of the file that is in memory. */
  private view = new DataView(new ArrayBuffer(0));
  private viewStart = 0;
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(
    private readonly bytes: FileBytes,
    private readonly file: string,
  ) {}

  u32(): number {
    const at = this.take(4, 'a number');
    return this.view.getUint32(at, true);
  }

  u64(): number {
    const at = this.take(8, 'a number');
    const value = this.view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw this.error(`the number ${value} is too large`, this.at - 8);
    }
    return Number(value);
  }

  /** A count of things of at least `bytesEach`, that can fit into what is left of the file. */
  count(bytesEach: number, what: string): number {
    const count = this.u64();
    const left = this.bytes.byteLength - this.at;
    if (count * bytesEach > left)
      throw this.error(`${count} ${what} cannot fit into the ${left} bytes left`, this.at);
    return count;
  }

  string(): string {
    const length = this.u64();
    if (length > LONGEST_TEXT_BYTES) throw this.error(`a text of ${length} bytes is too long`, this.at - 8);
    const at = this.take(length, `a text of ${length} bytes`);
    return this.decoder.decode(new Uint8Array(this.view.buffer, at, length));
  }

  value(type: number, nesting: number): GgufValue {
    if (type === STRING) return this.string();
    if (type !== ARRAY) return this.scalar(type);
    if (nesting === MAX_NESTING) throw this.error(`lists are nested more than ${MAX_NESTING} deep`, this.at);
    const elementType = this.u32();
    const count = this.count(SCALAR_BYTES[elementType] ?? 8, 'list elements');
    if (count > LONGEST_LIST) throw this.error(`a list of ${count} elements is too long`, this.at - 8);
    return Array.from({ length: count }, () => this.value(elementType, nesting + 1));
  }

  private scalar(type: number): number | bigint | boolean {
    const bytes = SCALAR_BYTES[type];
    if (bytes === undefined) throw this.error(`metadata type ${type} is not known`, this.at);
    const at = this.take(bytes, 'a value');
    const { view } = this;
    switch (type) {
      case 0:
        return view.getUint8(at);
      case 1:
        return view.getInt8(at);
      case 2:
        return view.getUint16(at, true);
      case 3:
        return view.getInt16(at, true);
      case 4:
        return view.getUint32(at, true);
      case 5:
        return view.getInt32(at, true);
      case 6:
        return view.getFloat32(at, true);
      case 7:
        return view.getUint8(at) !== 0;
      case 10:
        return view.getBigUint64(at, true);
      case 11:
        return view.getBigInt64(at, true);
      default:
        return view.getFloat64(at, true);
    }
  }

  /** Go on by so many bytes. @returns where they begin in the view. */
  private take(bytes: number, what: string): number {
    const { at } = this;
    if (bytes > this.bytes.byteLength - at) {
      throw this.error(`${what} does not fit: the file is cut short`, at);
    }
    if (at < this.viewStart || at + bytes > this.viewStart + this.view.byteLength) {
      this.view = new DataView(this.bytes.slice(at, at + Math.max(bytes, WINDOW_BYTES)));
      this.viewStart = at;
      if (this.view.byteLength < bytes) throw this.error(`${what} could not be read`, at);
    }
    this.at += bytes;
    return at - this.viewStart;
  }

  private error(what: string, at: number): WeightError {
    return new WeightError(this.file, null, `${what} (byte ${at})`);
  }
}
