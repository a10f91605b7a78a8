import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryAt } from '../context/working-context.ts';
import { headStatistics, routeHeads } from './router.ts';

const statisticsOf = (wanted: number) => ({ wanted, peak: wanted, mean: 0, rawShare: 0.5 });

describe('the router', () => {
  it('chooses as many heads as asked for, never a muted one, and at least one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: 8 }),
        fc.array(fc.nat(7)),
        fc.constantFrom('static' as const, 'utility-gated' as const),
        (wanted, topK, silent, router) => {
          const muted = silent.filter((head) => head > 0 && head < wanted.length);
          const { chosen, confidence } = routeHeads({
            router,
            topK,
            muted,
            statistics: wanted.map(statisticsOf),
          });
          const heard = wanted.length - new Set(muted).size;
          expect(chosen).toHaveLength(topK === 0 ? heard : Math.min(topK, heard));
          expect(chosen.some((head) => muted.includes(head))).toBe(false);
          expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b));
          expect(confidence).toBeGreaterThan(0);
          expect(confidence).toBeLessThanOrEqual(1 + 1e-9);
        },
      ),
    );
  });

  it('gates by utility, or takes the first', () => {
    const statistics = [0.1, 0.8, -1, 0.5].map(statisticsOf);
    const ask = (router: 'static' | 'utility-gated') =>
      routeHeads({ router, topK: 2, muted: [], statistics }).chosen;
    expect(ask('utility-gated')).toEqual([1, 3]);
    expect(ask('static')).toEqual([0, 1]);
    const learned = routeHeads({ router: 'learned', topK: 1, muted: [], statistics, learned: [0, 0, 5, 1] });
    expect(learned).toMatchObject({ chosen: [2], utilities: [0, 0, 5, 1] });
  });

  it('knows a head by what it holds raw beyond the recent window', () => {
    const entries = [entryAt(1, 0), entryAt(0, 32), entryAt(0, 64), entryAt(0, 96)];
    const scores = Float32Array.of(0.9, 0.5, 0.1, 1);
    const { wanted, peak, rawShare } = headStatistics({ entries }, scores, 96, 128);
    expect(wanted).toBeCloseTo(0.3);
    expect([peak, rawShare]).toEqual([1, 0.5]);
    expect(headStatistics({ entries }, scores, 0, 128)).toMatchObject({ wanted: -1, rawShare: 0 });
  });
});
