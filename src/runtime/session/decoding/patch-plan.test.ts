import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commonPrefix, gapsOf, planPatch } from './patch-plan.ts';
import type { SlotList } from './patch-plan.ts';

function slots(keys: readonly number[], moved: readonly number[] = []): SlotList {
  const positions = Float64Array.from(keys, (key) => key + (moved.includes(key) ? 0.5 : 0));
  return { keys: Float64Array.from(keys), places: { positions, deviations: new Float64Array(keys.length) } };
}

describe('planPatch', () => {
  it('keeps what is cached at the same place, and runs the rest, the slots behind it and the last', () => {
    const cached = slots([1, 2, 3, 4, 5, 6, 7]);
    const wanted = slots([1, 30, 31, 3, 4, 5, 6, 7, 8]);
    const rerun = (each: number) => ({ opened: each, closed: each });
    expect([...planPatch(cached, 7, wanted, rerun(0))]).toEqual([0, -1, -1, 2, 3, 4, 5, 6, -1]);
    expect([...planPatch(cached, 7, wanted, rerun(2))]).toEqual([0, -1, -1, -1, -1, 4, 5, 6, -1]);
    expect([...planPatch(cached, 4, slots([1, 2, 3, 5, 6]), rerun(0))]).toEqual([0, 1, 2, -1, -1]);
    expect([...planPatch(cached, 7, slots([1, 2, 3, 4], [2]), rerun(0))]).toEqual([0, -1, 2, -1]);
    // Evicted from the front: what comes first now has lost its context.
    expect([...planPatch(cached, 7, slots([3, 4, 5, 6, 7]), rerun(1))]).toEqual([-1, 3, 4, 5, -1]);
  });

  it('runs behind what shrank as many slots again as it is told for it', () => {
    const cached = slots([1, 2, 3, 4, 5, 6, 7, 8]);
    const rerun = { opened: 2, closed: 1 };
    // Two became one; one became two; one became another; two vanished.
    expect([...planPatch(cached, 8, slots([1, 20, 4, 5, 6, 9]), rerun)]).toEqual([0, -1, -1, 4, 5, -1]);
    expect([...planPatch(cached, 8, slots([1, 20, 21, 3, 4, 5, 9]), rerun)]).toEqual([
      0, -1, -1, -1, -1, 4, -1,
    ]);
    expect([...planPatch(cached, 8, slots([1, 20, 3, 4, 5, 9]), rerun)]).toEqual([0, -1, -1, -1, 4, -1]);
    expect([...planPatch(cached, 8, slots([1, 4, 5, 6, 9]), rerun)]).toEqual([0, -1, 4, 5, -1]);
  });

  it('only ever names a slot of the same content and place, in ascending order', () => {
    const list = fc
      .uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 30 })
      .map((keys) => keys.sort((a, b) => a - b));
    fc.assert(
      fc.property(list, list, fc.integer({ min: 0, max: 5 }), (before, after, rerun) => {
        const [cached, wanted] = [slots(before), slots(after)];
        const sources = planPatch(cached, before.length, wanted, { opened: rerun, closed: rerun });
        const kept = [...sources].filter((source) => source >= 0);
        expect(kept).toEqual([...kept].sort((a, b) => a - b));
        sources.forEach((source, slot) => {
          const isCached = before.includes(after[slot]!) && slot < after.length - 1;
          if (source >= 0) expect(before[source]).toBe(after[slot]);
          if (rerun === 0 || source >= 0) expect(source >= 0).toBe(isCached);
        });
        const gaps = gapsOf(sources).flatMap(({ from, to }) =>
          Array.from({ length: to - from }, (_, i) => from + i),
        );
        expect(gaps).toEqual([...sources.keys()].filter((slot) => sources[slot] === -1));
        const common = commonPrefix(cached, before.length, wanted);
        expect(before.slice(0, common)).toEqual(after.slice(0, common));
        expect(before[common] === after[common] && before[common] !== undefined).toBe(false);
      }),
    );
  });
});
