/**
 * The number formats of ggml tensors: how many values a block holds in how many bytes, and what they are worth as
 * float32. Formats as ggml's reference quantisation defines them (https://github.com/ggml-org/ggml, ggml-common.h).
 */
import { decodeHalf } from '../../../base/fp16.ts';
import { WeightError } from '../errors.ts';

export interface BlockFormat {
  readonly name: string;
  /** Values in one block. */
  readonly values: number;
  readonly bytes: number;
  /** Write the `values` values of the block at byte `at` to `out` from `to` on. */
  decode(bytes: DataView, at: number, out: Float32Array, to: number): void;
}

const F32: BlockFormat = {
  name: 'F32',
  values: 1,
  bytes: 4,
  decode: (bytes, at, out, to) => {
    out[to] = bytes.getFloat32(at, true);
  },
};

const F16: BlockFormat = {
  name: 'F16',
  values: 1,
  bytes: 2,
  decode: (bytes, at, out, to) => {
    out[to] = half(bytes, at);
  },
};

const BF16: BlockFormat = {
  name: 'BF16',
  values: 1,
  bytes: 2,
  decode: (bytes, at, out, to) => {
    BITS[0] = bytes.getUint16(at, true) << 16;
    out[to] = BITS_AS_FLOAT[0]!;
  },
};
const BITS = new Uint32Array(1);
const BITS_AS_FLOAT = new Float32Array(BITS.buffer);

const Q8_0: BlockFormat = {
  name: 'Q8_0',
  values: 32,
  bytes: 34,
  decode: (bytes, at, out, to) => {
    const scale = half(bytes, at);
    for (let i = 0; i < 32; i++) out[to + i] = scale * bytes.getInt8(at + 2 + i);
  },
};

const Q4_0: BlockFormat = {
  name: 'Q4_0',
  values: 32,
  bytes: 18,
  decode: (bytes, at, out, to) => {
    const scale = half(bytes, at);
    for (let i = 0; i < 16; i++) {
      const pair = bytes.getUint8(at + 2 + i);
      out[to + i] = scale * ((pair & 15) - 8);
      out[to + 16 + i] = scale * ((pair >> 4) - 8);
    }
  },
};

const Q4_1: BlockFormat = {
  name: 'Q4_1',
  values: 32,
  bytes: 20,
  decode: (bytes, at, out, to) => {
    const scale = half(bytes, at);
    const least = half(bytes, at + 2);
    for (let i = 0; i < 16; i++) {
      const pair = bytes.getUint8(at + 4 + i);
      out[to + i] = scale * (pair & 15) + least;
      out[to + 16 + i] = scale * (pair >> 4) + least;
    }
  },
};

const Q5_0: BlockFormat = {
  name: 'Q5_0',
  values: 32,
  bytes: 22,
  decode: (bytes, at, out, to) => {
    const scale = half(bytes, at);
    const fifth = bytes.getUint32(at + 2, true);
    for (let i = 0; i < 16; i++) {
      const pair = bytes.getUint8(at + 6 + i);
      out[to + i] = scale * (((pair & 15) | (((fifth >>> i) & 1) << 4)) - 16);
      out[to + 16 + i] = scale * (((pair >> 4) | (((fifth >>> (i + 16)) & 1) << 4)) - 16);
    }
  },
};

const Q5_1: BlockFormat = {
  name: 'Q5_1',
  values: 32,
  bytes: 24,
  decode: (bytes, at, out, to) => {
    const scale = half(bytes, at);
    const least = half(bytes, at + 2);
    const fifth = bytes.getUint32(at + 4, true);
    for (let i = 0; i < 16; i++) {
      const pair = bytes.getUint8(at + 8 + i);
      out[to + i] = scale * ((pair & 15) | (((fifth >>> i) & 1) << 4)) + least;
      out[to + 16 + i] = scale * ((pair >> 4) | (((fifth >>> (i + 16)) & 1) << 4)) + least;
    }
  },
};

/** Eight groups of 32 with a six-bit scale and minimum each, packed in twelve bytes. */
const Q4_K: BlockFormat = {
  name: 'Q4_K',
  values: 256,
  bytes: 144,
  decode: (bytes, at, out, to) => {
    const scale = half(bytes, at);
    const leastScale = half(bytes, at + 2);
    const packed = at + 4;
    const quants = at + 16;
    for (let group = 0; group < 8; group++) {
      const low = bytes.getUint8(packed + (group & 3));
      const high = bytes.getUint8(packed + 4 + (group & 3));
      const rest = group < 4 ? 0 : bytes.getUint8(packed + 8 + (group & 3));
      const factor = scale * (group < 4 ? low & 63 : (rest & 15) | ((low >> 6) << 4));
      const least = leastScale * (group < 4 ? high & 63 : (rest >> 4) | ((high >> 6) << 4));
      const from = quants + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      for (let i = 0; i < 32; i++) {
        out[to + 32 * group + i] = factor * ((bytes.getUint8(from + i) >> shift) & 15) - least;
      }
    }
  },
};

/** Sixteen groups of 16 with an eight-bit scale each; four low bits and two high bits stand apart. */
const Q6_K: BlockFormat = {
  name: 'Q6_K',
  values: 256,
  bytes: 210,
  decode: (bytes, at, out, to) => {
    const scale = half(bytes, at + 208);
    for (let value = 0; value < 256; value++) {
      const part = value >> 7;
      const quarter = (value >> 5) & 3;
      const i = value & 31;
      const low = bytes.getUint8(at + 64 * part + 32 * (quarter & 1) + i) >> (4 * (quarter >> 1));
      const high = bytes.getUint8(at + 128 + 32 * part + i) >> (2 * quarter);
      const factor = bytes.getInt8(at + 192 + (value >> 4));
      out[to + value] = scale * factor * (((low & 15) | ((high & 3) << 4)) - 32);
    }
  },
};

/** By ggml's number of the type. */
const FORMATS: ReadonlyMap<number, BlockFormat> = new Map([
  [0, F32],
  [1, F16],
  [2, Q4_0],
  [3, Q4_1],
  [6, Q5_0],
  [7, Q5_1],
  [8, Q8_0],
  [12, Q4_K],
  [14, Q6_K],
  [30, BF16],
]);

/** @throws {WeightError} naming the formats that are read. */
export function blockFormat(type: number, file: string, tensor: string): BlockFormat {
  const format = FORMATS.get(type);
  if (format !== undefined) return format;
  const known = [...FORMATS.values()].map(({ name }) => name).join(', ');
  throw new WeightError(file, tensor, `ggml type ${type} is not read here; take a file in ${known}`);
}

function half(bytes: DataView, at: number): number {
  return decodeHalf(bytes.getUint16(at, true));
}
