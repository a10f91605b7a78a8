import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MERGERS } from '../parameters/heads.ts';
import { mergeRows, mergeWeights } from './merging.ts';

const candidate = fc.record({
  utility: fc.double({ min: -1, max: 1, noNaN: true }),
  entropyNats: fc.double({ min: 0, max: 12, noNaN: true }),
  gate: fc.double({ min: -30, max: 30, noNaN: true }),
});

describe('merging', () => {
  it.each(MERGERS)('%s: weights are no less than 0 and sum to 1', (merger) => {
    fc.assert(
      fc.property(fc.array(candidate, { minLength: 1, maxLength: 8 }), (heads) => {
        const weights = mergeWeights(merger, heads);
        expect(weights).toHaveLength(heads.length);
        expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
      }),
    );
  });

  it.each(MERGERS)('%s: a single head comes out bit for bit', (merger) => {
    const hidden = Float32Array.of(0.1, -0, 1e-30, 3.4e38);
    const weights = mergeWeights(merger, [{ utility: 0, entropyNats: 3, gate: 1 }]);
    expect(mergeRows(hidden, weights)).toEqual(hidden);
  });

  it.each(MERGERS)('%s: heads that are one give that one', (merger) => {
    const hidden = Float32Array.of(0.25, -2, 7, 0.25, -2, 7, 0.25, -2, 7);
    const same = { utility: 0.5, entropyNats: 2, gate: 0.3 };
    expect(mergeRows(hidden, mergeWeights(merger, [same, same, same]))).toEqual(hidden.slice(0, 3));
  });

  it('listens to the head that is certain, or of most use', () => {
    const heads = [
      { utility: 0.1, entropyNats: 4, gate: 0 },
      { utility: 0.9, entropyNats: 0.1, gate: 2 },
    ];
    expect(mergeWeights('best-head', heads)).toEqual(Float64Array.of(0, 1));
    expect(mergeWeights('confident', heads)[1]).toBeGreaterThan(0.99);
    expect(mergeWeights('learned', heads)[1]).toBeGreaterThan(0.8);
    expect(mergeRows(Float32Array.of(1, 3), mergeWeights('mean', heads))).toEqual(Float32Array.of(2));
  });
});
