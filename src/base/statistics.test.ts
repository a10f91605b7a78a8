import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from './rng.ts';
import {
  bootstrapInterval,
  clusteredProportionInterval,
  spearman,
  type WeightedSum,
  wilsonInterval,
} from './statistics.ts';

describe('wilsonInterval', () => {
  it('gives the published values', () => {
    // R: binom::binom.wilson(90, 100) and (0, 10).
    const [low, high] = wilsonInterval(90, 100);
    expect(low).toBeCloseTo(0.8256343, 6);
    expect(high).toBeCloseTo(0.9447709, 6);
    expect(wilsonInterval(0, 10)[0]).toBe(0);
    expect(wilsonInterval(0, 10)[1]).toBeCloseTo(0.2775328, 6);
  });

  it('stays within 0..1 around the proportion, and narrows with n', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, share) => {
          const successes = Math.round(n * share);
          const [low, high] = wilsonInterval(successes, n);
          expect(low).toBeGreaterThanOrEqual(0);
          expect(high).toBeLessThanOrEqual(1);
          expect(low).toBeLessThanOrEqual(successes / n + 1e-12);
          expect(high).toBeGreaterThanOrEqual(successes / n - 1e-12);
          const [wideLow, wideHigh] = wilsonInterval(successes, n);
          const [tightLow, tightHigh] = wilsonInterval(successes * 4, n * 4);
          expect(tightHigh - tightLow).toBeLessThan(wideHigh - wideLow);
        },
      ),
    );
  });

  it('refuses what is no proportion', () => {
    expect(() => wilsonInterval(1, 0)).toThrow(RangeError);
    expect(() => wilsonInterval(3, 2)).toThrow(RangeError);
  });
});

describe('clusteredProportionInterval', () => {
  const width = (clusters: readonly WeightedSum[]) => {
    const [low, high] = clusteredProportionInterval(clusters);
    return high - low;
  };

  it('is the plain interval for clusters of one case', () => {
    const cases = Array.from({ length: 50 }, (_, i): WeightedSum => [1, i % 5 === 0 ? 0 : 1]);
    const [low, high] = clusteredProportionInterval(cases);
    const [plainLow, plainHigh] = wilsonInterval(40, 50);
    expect(low).toBeCloseTo(plainLow, 3);
    expect(high).toBeCloseTo(plainHigh, 3);
  });

  it('is as wide as the number of clusters warrants where a cluster is all right or all wrong', () => {
    const allOrNothing = Array.from({ length: 20 }, (_, i): WeightedSum => [10, i % 2 === 0 ? 10 : 0]);
    const [low, high] = wilsonInterval(10, 20);
    expect(width(allOrNothing)).toBeCloseTo(high - low, 1);
    expect(width(allOrNothing)).toBeGreaterThan(2.5 * width(allOrNothing.map(() => [10, 5] as const)));
  });
});

describe('bootstrapInterval', () => {
  const rng = new Rng(5);
  const values = Array.from({ length: 200 }, (): WeightedSum => [1, rng.nextFloat() + rng.nextFloat()]);

  it('agrees with the normal approximation where that holds', () => {
    const mean = values.reduce((sum, [, value]) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, [, value]) => sum + (value - mean) ** 2, 0) / 199);
    const [low, high] = bootstrapInterval(values, 1)!;
    expect((low + high) / 2).toBeCloseTo(mean, 1);
    expect((high - low) / 2 / ((1.96 * deviation) / Math.sqrt(200))).toBeCloseTo(1, 0);
    expect(low).toBeLessThan(mean);
    expect(high).toBeGreaterThan(mean);
  });

  it('repeats with its seed and draws whole units', () => {
    expect(bootstrapInterval(values, 1)).toEqual(bootstrapInterval(values, 1));
    expect(bootstrapInterval(values, 1)).not.toEqual(bootstrapInterval(values, 2));
    expect(
      bootstrapInterval(
        [
          [3, 6],
          [1, 2],
        ],
        1,
      ),
    ).toEqual([2, 2]);
    expect(bootstrapInterval([[1, 2]], 1)).toBeNull();
  });
});

describe('spearman', () => {
  it('gives the published value with ties', () => {
    // scipy.stats.spearmanr([1, 2, 2, 3, 5], [2, 1, 4, 4, 9]).
    expect(spearman([1, 2, 2, 3, 5], [2, 1, 4, 4, 9])).toBeCloseTo(0.763158, 5);
  });

  it('depends on the order only', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 2 }), (values) => {
        const grown = values.map((value) => Math.exp(value / 300));
        expect(spearman(values, grown)).toBeCloseTo(1, 9);
        expect(
          spearman(
            values,
            grown.map((value) => -value),
          ),
        ).toBeCloseTo(-1, 9);
      }),
    );
  });

  it('is undefined for one pair or a constant side', () => {
    expect(spearman([1], [2])).toBeNull();
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNull();
    expect(() => spearman([1, 2], [1])).toThrow(RangeError);
  });
});
