/**
 * A strict reader of safetensors files. The file is untrusted: every offset, shape and type is checked
 * against the bytes that are there before anything is allocated. Reads only; no TensorFlow.js.
 */
import { WeightError } from './errors.ts';
import type { FileBytes } from './file-bytes.ts';
import type { StoredMatrix, TensorFile } from './tensor-file.ts';

const HEADER_CAP_BYTES = 16 * 2 ** 20;
const MAX_RANK = 8;

const BYTES_PER_VALUE = {
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;
type Dtype = keyof typeof BYTES_PER_VALUE;

interface TensorEntry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly size: number;
  readonly byteOffset: number;
}

/** The tensors of one file, each read and decoded when it is asked for. */
export class SafetensorsFile implements TensorFile {
  private constructor(
    readonly file: string,
    readonly bytes: FileBytes,
    private readonly entries: ReadonlyMap<string, TensorEntry>,
  ) {}

  /** @throws {WeightError} naming the file, the tensor and what is wrong with it. */
  static parse(bytes: FileBytes, file: string): SafetensorsFile {
    if (bytes.byteLength < 8) throw new WeightError(file, null, `only ${bytes.byteLength} bytes long`);
    const headerBytes = new DataView(bytes.slice(0, 8)).getBigUint64(0, true);
    if (headerBytes > BigInt(HEADER_CAP_BYTES)) {
      throw new WeightError(
        file,
        null,
        `header of ${headerBytes} bytes is over the cap of ${HEADER_CAP_BYTES}`,
      );
    }
    const dataStart = 8 + Number(headerBytes);
    if (dataStart > bytes.byteLength) {
      throw new WeightError(file, null, `header of ${headerBytes} bytes runs past the file's end`);
    }
    const header = parseHeader(new Uint8Array(bytes.slice(8, dataStart)), file);
    const entries = new Map<string, TensorEntry>();
    const spans: { name: string; begin: number; end: number }[] = [];
    for (const [name, value] of Object.entries(header)) {
      if (name === '__metadata__') continue;
      const { entry, begin, end } = parseEntry(value, name, file, dataStart, bytes.byteLength);
      entries.set(name, entry);
      spans.push({ name, begin, end });
    }
    refuseGapsAndOverlaps(spans, bytes.byteLength - dataStart, file);
    return new SafetensorsFile(file, bytes, entries);
  }

  get names(): readonly string[] {
    return [...this.entries.keys()];
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  shape(name: string): readonly number[] {
    return this.entry(name).shape;
  }

  /**
   * A tensor as float32, in row-major order; a new array, owned by the caller.
   *
   * @param shape - the shape that the caller relies on.
   * @throws {WeightError} if the tensor is missing, has another shape, or holds NaN or an infinity.
   */
  floats(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
    const values = this.decode(name, this.entryOf(name, shape));
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) throw new WeightError(this.file, name, `value ${i} is ${values[i]}`);
    }
    return values;
  }

  stored(name: string, shape: readonly [number, number]): StoredMatrix {
    const { dtype, size, byteOffset } = this.entryOf(name, shape);
    if (dtype !== 'F16' && dtype !== 'BF16') return { format: 'f32', values: this.floats(name, shape) };
    const values = new Uint16Array(this.bytes.slice(byteOffset, byteOffset + 2 * size));
    const format = dtype === 'F16' ? 'f16' : 'bf16';
    refuseInfinite(values, format, this.file, name);
    return { format, values };
  }

  private entryOf(name: string, shape: readonly number[]): TensorEntry {
    const entry = this.entry(name);
    if (entry.shape.length !== shape.length || entry.shape.some((extent, i) => extent !== shape[i])) {
      const found = entry.shape.join(', ');
      throw new WeightError(this.file, name, `shape [${found}], expected [${shape.join(', ')}]`);
    }
    return entry;
  }

  private entry(name: string): TensorEntry {
    const entry = this.entries.get(name);
    if (entry === undefined) throw new WeightError(this.file, name, 'is missing');
    return entry;
  }

  private decode(name: string, { dtype, size, byteOffset }: TensorEntry): Float32Array<ArrayBuffer> {
    const values = new Float32Array(size);
    const view = new DataView(this.bytes.slice(byteOffset, byteOffset + size * BYTES_PER_VALUE[dtype]));
    switch (dtype) {
      case 'F32':
        for (let i = 0; i < size; i++) values[i] = view.getFloat32(4 * i, true);
        return values;
      case 'F16':
        for (let i = 0; i < size; i++) values[i] = HALF_TO_FLOAT[view.getUint16(2 * i, true)]!;
        return values;
      case 'BF16': {
        const bits = new Uint32Array(values.buffer);
        for (let i = 0; i < size; i++) bits[i] = view.getUint16(2 * i, true) << 16;
        return values;
      }
      case 'I32':
        for (let i = 0; i < size; i++) values[i] = view.getInt32(4 * i, true);
        return values;
      case 'U8':
      case 'BOOL':
        for (let i = 0; i < size; i++) values[i] = view.getUint8(i);
        return values;
      case 'I64':
      case 'I16':
      case 'I8':
        throw new WeightError(this.file, name, `dtype ${dtype} cannot be read as float32`);
    }
  }
}

/** @throws {WeightError} if a value of 16 bits is NaN or an infinity: all bits of its exponent are set. */
export function refuseInfinite(
  values: Uint16Array,
  format: 'f16' | 'bf16',
  file: string,
  tensor: string,
): void {
  const exponent = format === 'f16' ? 0x7c00 : 0x7f80;
  for (let i = 0; i < values.length; i++) {
    if ((values[i]! & exponent) === exponent) throw new WeightError(file, tensor, `value ${i} is not finite`);
  }
}

function parseHeader(bytes: Uint8Array, file: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new WeightError(file, null, 'header is not JSON in UTF-8', { cause: error });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new WeightError(file, null, 'header is not a JSON object');
  }
  return header as Record<string, unknown>;
}

function parseEntry(
  value: unknown,
  name: string,
  file: string,
  dataStart: number,
  fileBytes: number,
): { entry: TensorEntry; begin: number; end: number } {
  const refuse = (what: string): never => {
    throw new WeightError(file, name, what);
  };
  if (typeof value !== 'object' || value === null) return refuse('header entry is not an object');
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES_PER_VALUE, dtype)) {
    return refuse(`unknown dtype ${JSON.stringify(dtype)}`);
  }
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isCount)) {
    return refuse(`shape is not a list of at most ${MAX_RANK} whole numbers`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return refuse('data_offsets is not a pair of whole numbers');
  }
  const [begin, end] = offsets as [number, number];
  const bytesPerValue = BYTES_PER_VALUE[dtype as Dtype];
  if (begin > end || end > fileBytes - dataStart) {
    return refuse(`data_offsets [${begin}, ${end}] lie outside the ${fileBytes - dataStart} bytes of data`);
  }
  const size = sizeOf(shape, Math.floor((end - begin) / bytesPerValue));
  if (size === null || size * bytesPerValue !== end - begin) {
    return refuse(`${dtype} of shape [${shape.join(', ')}] does not fill its ${end - begin} bytes`);
  }
  return { entry: { dtype: dtype as Dtype, shape, size, byteOffset: dataStart + begin }, begin, end };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** The product of the extents, or null as soon as it exceeds the cap: never an overflow. */
function sizeOf(shape: readonly number[], cap: number): number | null {
  if (shape.includes(0)) return 0;
  let size = 1;
  for (const extent of shape) {
    if (extent > cap / size) return null;
    size *= extent;
  }
  return size;
}

function refuseGapsAndOverlaps(
  spans: { name: string; begin: number; end: number }[],
  dataBytes: number,
  file: string,
): void {
  spans.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of spans) {
    if (begin < covered)
      throw new WeightError(file, name, `overlaps its neighbour by ${covered - begin} bytes`);
    if (begin > covered)
      throw new WeightError(file, name, `leaves a gap of ${begin - covered} bytes before it`);
    covered = end;
  }
  if (covered !== dataBytes) {
    throw new WeightError(file, null, `${dataBytes - covered} bytes at the end belong to no tensor`);
  }
}

/** Every float16 bit pattern's value: a table is several times faster than bit arithmetic per value. */
const HALF_TO_FLOAT = Float32Array.from({ length: 65_536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
});
