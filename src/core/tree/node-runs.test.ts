import fc from 'fast-check';
import { expect, it } from 'vitest';
import { commonRuns, countNodes, unionRuns, withoutRuns } from './node-runs.ts';
import type { NodeRun } from './ids.ts';

const runs = fc.array(
  fc.record({
    lod: fc.integer({ min: 0, max: 2 }),
    first: fc.integer({ min: 0, max: 20 }),
    count: fc.integer({ min: 0, max: 6 }),
  }),
  { maxLength: 8 },
);
const nodesOf = (of: readonly NodeRun[]): Set<string> =>
  new Set(
    of.flatMap(({ lod, first, count }) => Array.from({ length: count }, (_, i) => `${lod}:${first + i}`)),
  );

it('does with runs what sets do with nodes', () => {
  fc.assert(
    fc.property(runs, runs, (a, b) => {
      const [left, right] = [nodesOf(a), nodesOf(b)];
      const both = unionRuns(a, b);
      expect(nodesOf(both)).toEqual(new Set([...left, ...right]));
      expect(nodesOf(withoutRuns(a, b))).toEqual(new Set([...left].filter((node) => !right.has(node))));
      expect(nodesOf(commonRuns(a, b))).toEqual(new Set([...left].filter((node) => right.has(node))));
      expect(countNodes(both)).toBe(nodesOf(both).size);
      both.forEach((run, i) => {
        const next = both[i + 1];
        if (next?.lod === run.lod) expect(next.first).toBeGreaterThan(run.first + run.count);
      });
    }),
    { numRuns: 300 },
  );
});
