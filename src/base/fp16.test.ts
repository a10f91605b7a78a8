import { describe, expect, it } from 'vitest';
import { decodeHalf, encodeHalf, encodeHalves } from './fp16.ts';

describe('half floats', () => {
  it.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [-Infinity, 0xfc00],
    [2 ** -24, 1],
    [2 ** -25, 0],
    [1.5 * 2 ** -24, 2],
    [2 ** -14, 0x0400],
    [-0, 0x8000],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
  ])('encode %f as %i', (value, bits) => {
    expect(encodeHalf(value)).toBe(bits);
    expect([...encodeHalves(Float32Array.of(value))]).toEqual([bits]);
  });

  it('keep NaN a NaN', () => {
    expect(decodeHalf(encodeHalf(NaN))).toBeNaN();
  });
});
