import fc from 'fast-check';
import { expect, it } from 'vitest';
import { entryAt } from '../context/working-context.ts';
import { noveltyOf, overlapMatrix, overlapOf, rawBlocks } from './coverage.ts';

it('what is raw is told by blocks, without the recent window', () => {
  const entries = [entryAt(1, 0), entryAt(0, 32), entryAt(0, 64), entryAt(0, 96, 100)];
  expect([...rawBlocks(entries, 96)]).toEqual([1, 2]);
});

it('overlap is symmetric and within 0 and 1, novelty its opposite for two', () => {
  const blocks = fc.array(fc.nat(9)).map((list) => new Set(list));
  fc.assert(
    fc.property(blocks, blocks, (a, b) => {
      const [[own, other], [back]] = overlapMatrix([a, b]) as [[number, number], [number, number]];
      expect(other).toBe(back);
      expect(own).toBe(a.size > 0 ? 1 : 0);
      expect(other).toBeGreaterThanOrEqual(0);
      expect(other).toBeLessThanOrEqual(1);
      if (other === 0 && a.size > 0) expect(noveltyOf([a, b])[0]).toBe(1);
      if (a.size > 0 && a.size === b.size && overlapOf(a, b) === 1) expect(noveltyOf([a, b])).toEqual([0, 0]);
    }),
  );
  expect(noveltyOf([new Set([1, 2]), new Set([2, 3]), new Set<number>()])).toEqual([0.5, 0.5, 0]);
});
