/** What the numbers of a matrix are worth that is kept as its file stores it (`StoredMatrix`). */
import { decodeHalves } from '../../base/fp16.ts';
import type { StoredMatrix } from './tensor-file.ts';

export const GROUP_VALUES = 32;

/**
 * What groups are worth, `[groups · 32]`; a new array.
 *
 * @param quants - 32 bytes a group, or 16 where numbers have 4 bits: byte i then holds number i in its low half and
 *   number 16 + i in its high half.
 */
export function groupValues(
  bits: 4 | 8,
  quants: Uint8Array,
  scale: Float32Array,
  least: Float32Array | null,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(scale.length * GROUP_VALUES);
  const numbers = groupNumbers(bits, quants);
  for (let group = 0, at = 0; group < scale.length; group++) {
    const factor = scale[group]!;
    const offset = least?.[group] ?? 0;
    for (const end = at + GROUP_VALUES; at < end; at++) values[at] = factor * numbers[at]! + offset;
  }
  return values;
}

/** The whole numbers of groups in their order: a view where they are bytes, else a new array. */
export function groupNumbers(bits: 4 | 8, quants: Uint8Array): Int8Array {
  if (bits === 8) return new Int8Array(quants.buffer, quants.byteOffset, quants.length);
  const numbers = new Int8Array(2 * quants.length);
  for (let i = 0; i < quants.length; i++) {
    const to = 2 * i - (i % 16);
    numbers[to] = quants[i]! & 15;
    numbers[to + 16] = quants[i]! >> 4;
  }
  return numbers;
}

/** `[count, columns]` the rows from `first` on as float32; a new array. */
export function storedRows(
  stored: StoredMatrix,
  columns: number,
  first: number,
  count: number,
): Float32Array<ArrayBuffer> {
  const [from, to] = [first * columns, (first + count) * columns];
  switch (stored.format) {
    case 'f32':
      return stored.values.slice(from, to);
    case 'f16': {
      const values = new Float32Array(to - from);
      decodeHalves(stored.values.subarray(from, to), values);
      return values;
    }
    case 'bf16':
      return new Float32Array(
        Uint32Array.from(stored.values.subarray(from, to), (bits) => bits << 16).buffer,
      );
    case 'q8':
    case 'q4': {
      const bits = stored.format === 'q8' ? 8 : 4;
      const groups = [from / GROUP_VALUES, to / GROUP_VALUES] as const;
      const numbers = stored.values.subarray((from * bits) / 8, (to * bits) / 8);
      const least = stored.least?.subarray(...groups) ?? null;
      return groupValues(bits, numbers, stored.scale.subarray(...groups), least);
    }
  }
}
