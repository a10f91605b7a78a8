import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exponentialBelow } from './exponential.ts';

it('is what it says, to ten digits', () => {
  expect(exponentialBelow(0)).toBe(1);
  expect(exponentialBelow(-0)).toBe(1);
  fc.assert(
    fc.property(fc.double({ min: -44, max: 0, noNaN: true }), (x) => {
      expect(Math.abs(exponentialBelow(x) / Math.exp(x) - 1)).toBeLessThan(3e-10);
    }),
    { numRuns: 20_000 },
  );
});

it('refuses what its table does not reach', () => {
  expect(() => exponentialBelow(-44.1)).toThrow(RangeError);
});
