import { expect, it } from 'vitest';
import { Rng } from '../../../base/rng.ts';
import { gistSpread } from './gist-spread.ts';

/** `[n, 4]` rows in the first `directions` axes, moved along the last axis. */
function rowsIn(directions: number, shift: number): Float32Array {
  const rng = new Rng(5);
  return Float32Array.from({ length: 4000 }, (_, i) => {
    if (i % 4 < directions) return rng.nextFloat() - 0.5;
    return i % 4 === 3 ? shift : 0;
  });
}

it('counts the directions that gists use, wherever their mean lies', () => {
  for (const directions of [1, 2, 3]) {
    expect(gistSpread(rowsIn(directions, 9), 4).effectiveRank).toBeCloseTo(directions, 1);
  }
  // One direction with a tenth of the spread of another counts as less than one.
  const uneven = rowsIn(2, 0).map((value, i) => (i % 4 === 1 ? value / 10 : value));
  expect(gistSpread(uneven, 4).effectiveRank).toBeCloseTo(
    Math.exp(-(10 / 11) * Math.log(10 / 11) + Math.log(11) / 11),
    1,
  );
});

it('tells gists that point one way from gists that point everywhere', () => {
  expect(gistSpread(rowsIn(2, 100), 4).pairwiseCosine).toBeCloseTo(1, 3);
  expect(gistSpread(rowsIn(3, 0), 4).pairwiseCosine).toBeCloseTo(0, 2);
});
