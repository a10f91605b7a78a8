/** Half-precision floats (IEEE 754 binary16) as their 16 bits: the storage form of gists. */

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/** Bits of the nearest half of a float32 value; ties go to the even mantissa, overflow to infinity. */
export function encodeHalf(value: number): number {
  scratchFloat[0] = value;
  return halfOfFloatBits(scratchBits[0]!);
}

/** The value of a half given by its bits. Exact. */
export function decodeHalf(bits: number): number {
  return decodeTable()[bits & 0xffff]!;
}

/**
 * Encode a run of float32 values.
 *
 * @param out - receives `source.length` halves from its start; made when absent.
 */
export function encodeHalves(
  source: Float32Array,
  out: Uint16Array = new Uint16Array(source.length),
): Uint16Array {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  for (let i = 0; i < bits.length; i++) out[i] = halfOfFloatBits(bits[i]!);
  return out;
}

/** Decode a run of halves into `out`, from `offset` on. */
export function decodeHalves(
  source: Uint16Array,
  out: Float32Array = new Float32Array(source.length),
  offset = 0,
): Float32Array {
  const table = decodeTable();
  for (let i = 0; i < source.length; i++) out[offset + i] = table[source[i]!]!;
  return out;
}

/** True for halves that are NaN or infinite. */
export function isNonFiniteHalf(bits: number): boolean {
  return (bits & 0x7c00) === 0x7c00;
}

function halfOfFloatBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 and more is nearer to 2^16 than to the largest half.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) return sign | subnormalHalf(magnitude);
  const rebased = magnitude - 0x38000000;
  const roundingBias = 0x0fff + ((rebased >>> 13) & 1);
  return sign | ((rebased + roundingBias) >>> 13);
}

/** Below 2^-14 a half counts in steps of 2^-24. */
function subnormalHalf(magnitude: number): number {
  const exponent = magnitude >>> 23;
  // Below half of the smallest step everything rounds to zero.
  if (exponent < 102) return 0;
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - exponent;
  const floor = mantissa >>> shift;
  const remainder = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const roundUp = remainder > half || (remainder === half && (floor & 1) === 1);
  return roundUp ? floor + 1 : floor;
}

let table: Float32Array | null = null;

function decodeTable(): Float32Array {
  table ??= Float32Array.from({ length: 0x10000 }, (_, bits) => valueOfHalf(bits));
  return table;
}

function valueOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
