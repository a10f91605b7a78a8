/** Test support: seeded matrices in every format that weights are stored in, with what they are worth. */
import { decodeHalf, encodeHalf } from '../../base/fp16.ts';
import type { StoredMatrix } from '../model-folder/tensor-file.ts';
import { randomValues } from './synthetic-weights.ts';

export interface KnownMatrix {
  readonly stored: StoredMatrix;
  /** `[outputs, inputs]` */
  readonly values: Float32Array;
}

/** @param inputs - whole groups of 32 for `q8` and `q4`. */
export function knownMatrix(
  format: StoredMatrix['format'],
  outputs: number,
  inputs: number,
  seed: number,
): KnownMatrix {
  const plain = randomValues(outputs * inputs, seed);
  switch (format) {
    case 'f32':
      return { stored: { format, values: plain }, values: plain };
    case 'f16': {
      // Some below float16's normal range, and a zero of either sign.
      plain[0] = 2e-6;
      plain[1] = -0;
      const values = Uint16Array.from(plain, encodeHalf);
      return { stored: { format, values }, values: Float32Array.from(values, decodeHalf) };
    }
    case 'bf16': {
      const bits = new Uint32Array(plain.buffer, plain.byteOffset, plain.length);
      const values = Uint16Array.from(bits, (word) => word >>> 16);
      const worth = new Float32Array(Uint32Array.from(values, (word) => word << 16).buffer);
      return { stored: { format, values }, values: worth };
    }
    case 'q8':
    case 'q4': {
      const groups = (outputs * inputs) / 32;
      const scale = randomValues(groups, seed + 1);
      const least = format === 'q4' ? randomValues(groups, seed + 2) : null;
      const numbers = Int8Array.from(plain, (value) =>
        format === 'q8' ? Math.round(value * 127) : Math.round((value + 1) * 7.5),
      );
      const values = Float32Array.from(numbers, (number, i) => {
        const group = Math.floor(i / 32);
        return scale[group]! * number + (least?.[group] ?? 0);
      });
      const packed =
        format === 'q8'
          ? new Uint8Array(numbers.buffer)
          : Uint8Array.from({ length: numbers.length / 2 }, (_, i) => {
              const at = Math.floor(i / 16) * 32 + (i % 16);
              return numbers[at]! | (numbers[at + 16]! << 4);
            });
      return { stored: { format, values: packed, scale, least }, values };
    }
  }
}
