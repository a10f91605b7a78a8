/**
 * The number formats of ggml tensors: how many values a block holds in how many bytes, and what they are worth. Formats as ggml's reference quantisation defines them (https://github.com/ggml-org/ggml, ggml-common.h).
 */
import { decodeHalf } from '../../../base/fp16.ts';
import { WeightError } from '../errors.ts';

interface Blocks {
  readonly name: string;
  /** Values in one block. */
  readonly values: number;
  readonly bytes: number;
}

/** Blocks that are decoded value by value. */
interface PlainFormat extends Blocks {
  readonly bits?: undefined;
  /** Write the `values` values of the block at byte `at` to `out` from `to` on. */
  decode(bytes: DataView, at: number, out: Float32Array, to: number): void;
}

/** Blocks of groups of 32 whole numbers, each worth `scale · number + least`. */
interface GroupedFormat extends Blocks {
  /** 8: numbers are int8. 4: byte i of a group holds number i in its low half and number 16 + i in its high half. */
  readonly bits: 4 | 8;
  readonly hasLeast: boolean;
  /** Write the groups of the block at byte `at` to `out` from group `to` on. */
  unpack(bytes: DataView, at: number, out: Groups, to: number): void;
}

/** Groups one after the other, as `GroupedFormat` has them. */
export interface Groups {
  /** 32 bytes a group, or 16 where numbers have 4 bits. */
  readonly quants: Uint8Array;
  readonly scale: Float32Array;
  /** Zeros where the format adds nothing. */
  readonly least: Float32Array;
}

export type BlockFormat = PlainFormat | GroupedFormat;

const F32: PlainFormat = {
  name: 'F32',
  values: 1,
  bytes: 4,
  decode: (bytes, at, out, to) => {
    out[to] = bytes.getFloat32(at, true);
  },
};

const F16: PlainFormat = {
  name: 'F16',
  values: 1,
  bytes: 2,
  decode: (bytes, at, out, to) => {
    out[to] = half(bytes, at);
  },
};

const BF16: PlainFormat = {
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

const Q8_0: GroupedFormat = {
  name: 'Q8_0',
  values: 32,
  bytes: 34,
  bits: 8,
  hasLeast: false,
  unpack: (bytes, at, { quants, scale }, to) => {
    scale[to] = half(bytes, at);
    for (let i = 0; i < 32; i++) quants[32 * to + i] = bytes.getUint8(at + 2 + i);
  },
};

/** Numbers are 0 to 15 here, so that eight below is what each adds. */
const Q4_0: GroupedFormat = {
  name: 'Q4_0',
  values: 32,
  bytes: 18,
  bits: 4,
  hasLeast: true,
  unpack: (bytes, at, { quants, scale, least }, to) => {
    scale[to] = half(bytes, at);
    least[to] = -8 * scale[to];
    for (let i = 0; i < 16; i++) quants[16 * to + i] = bytes.getUint8(at + 2 + i);
  },
};

const Q4_1: GroupedFormat = {
  name: 'Q4_1',
  values: 32,
  bytes: 20,
  bits: 4,
  hasLeast: true,
  unpack: (bytes, at, { quants, scale, least }, to) => {
    scale[to] = half(bytes, at);
    least[to] = half(bytes, at + 2);
    for (let i = 0; i < 16; i++) quants[16 * to + i] = bytes.getUint8(at + 4 + i);
  },
};

/** The fifth bits of 32 numbers stand apart, in a word at `fifthAt`; their low halves follow. */
function unpackFive(bytes: DataView, fifthAt: number, quants: Uint8Array, to: number, offset: number): void {
  const fifth = bytes.getUint32(fifthAt, true);
  for (let i = 0; i < 16; i++) {
    const pair = bytes.getUint8(fifthAt + 4 + i);
    quants[32 * to + i] = ((pair & 15) | (((fifth >>> i) & 1) << 4)) - offset;
    quants[32 * to + 16 + i] = ((pair >> 4) | (((fifth >>> (i + 16)) & 1) << 4)) - offset;
  }
}

const Q5_0: GroupedFormat = {
  name: 'Q5_0',
  values: 32,
  bytes: 22,
  bits: 8,
  hasLeast: false,
  unpack: (bytes, at, { quants, scale }, to) => {
    scale[to] = half(bytes, at);
    unpackFive(bytes, at + 2, quants, to, 16);
  },
};

const Q5_1: GroupedFormat = {
  name: 'Q5_1',
  values: 32,
  bytes: 24,
  bits: 8,
  hasLeast: true,
  unpack: (bytes, at, { quants, scale, least }, to) => {
    scale[to] = half(bytes, at);
    least[to] = half(bytes, at + 2);
    unpackFive(bytes, at + 4, quants, to, 0);
  },
};

/** Eight groups of 32 with a six-bit scale and minimum each, packed in twelve bytes. */
const Q4_K: GroupedFormat = {
  name: 'Q4_K',
  values: 256,
  bytes: 144,
  bits: 4,
  hasLeast: true,
  unpack: (bytes, at, { quants, scale, least }, to) => {
    const scales = half(bytes, at);
    const leasts = half(bytes, at + 2);
    const packed = at + 4;
    for (let group = 0; group < 8; group++) {
      const low = bytes.getUint8(packed + (group & 3));
      const high = bytes.getUint8(packed + 4 + (group & 3));
      const rest = group < 4 ? 0 : bytes.getUint8(packed + 8 + (group & 3));
      scale[to + group] = scales * (group < 4 ? low & 63 : (rest & 15) | ((low >> 6) << 4));
      least[to + group] = -leasts * (group < 4 ? high & 63 : (rest >> 4) | ((high >> 6) << 4));
      const from = at + 16 + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      for (let i = 0; i < 16; i++) {
        const first = (bytes.getUint8(from + i) >> shift) & 15;
        const second = (bytes.getUint8(from + 16 + i) >> shift) & 15;
        quants[16 * (to + group) + i] = first | (second << 4);
      }
    }
  },
};

/** Sixteen groups of 16 with an eight-bit scale each; four low bits and two high bits stand apart. */
const Q6_K: PlainFormat = {
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
const FORMATS: ReadonlyMap<number, BlockFormat> = new Map<number, BlockFormat>([
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
