import { describe, expect, it } from 'vitest';
import { knownMatrix } from '../testing/stored-matrices.ts';
import { groupNumbers, storedRows } from './stored-rows.ts';

describe('storedRows', () => {
  it.each(['f32', 'f16', 'bf16', 'q8', 'q4'] as const)('reads any rows of %s weights', (format) => {
    const [rows, columns] = [7, 64];
    const { stored, values } = knownMatrix(format, rows, columns, 3);
    for (const [first, count] of [
      [0, rows],
      [2, 3],
      [6, 1],
      [4, 0],
    ] as const) {
      const found = storedRows(stored, columns, first, count);
      expect(found).toEqual(values.slice(first * columns, (first + count) * columns));
      // A copy: what is read may be written over.
      expect(found.buffer).not.toBe('values' in stored ? stored.values.buffer : null);
    }
  });
});

describe('groupNumbers', () => {
  it('puts the two halves of a byte where their numbers stand', () => {
    const quants = Uint8Array.from({ length: 32 }, (_, i) => (i % 16) | ((15 - (i % 16)) << 4));
    const up = Array.from({ length: 16 }, (_, i) => i);
    const down = up.map((i) => 15 - i);
    expect([...groupNumbers(4, quants)]).toEqual([...up, ...down, ...up, ...down]);
    expect([...groupNumbers(8, Uint8Array.of(255, 1))]).toEqual([-1, 1]);
  });
});
