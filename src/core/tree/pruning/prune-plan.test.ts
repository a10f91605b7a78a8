import { describe, expect, it } from 'vitest';
import { configOf, treeOf } from '../../testing/fake-history.ts';
import { K } from '../ids.ts';
import { planPruning } from './prune-plan.ts';
import type { PruneInput, PruneOrder } from './prune-plan.ts';

const STEP = 1000;
const plan = (changes: Partial<PruneInput> & Pick<PruneInput, 'tree'>) =>
  planPruning({
    rules: configOf({ pruneMaxShare: 0.9 }),
    step: STEP,
    protectedSpans: [],
    heldEntries: [],
    ...changes,
  });

describe('a dry run of pruning', () => {
  it('takes raw blocks that were never used, and leaves what was used lately or often', () => {
    const tree = treeOf(10 * K);
    tree.metadata(0).recordAccess(2, STEP - 10, 1);
    for (let i = 0; i < 100; i++) tree.metadata(0).recordAccess(4, STEP - 300, 1);
    tree.metadata(0).recordAccess(5, STEP - 300, 1);
    expect(plan({ tree }).runs).toEqual([
      { lod: 0, first: 0, count: 2 },
      { lod: 0, first: 3, count: 1 },
      { lod: 0, first: 5, count: 5 },
    ]);
  });

  it('forgets accesses by halves', () => {
    const tree = treeOf(10 * K);
    for (let i = 0; i < 8; i++) tree.metadata(0).recordAccess(0, STEP - 300, 1);
    const rules = configOf({ pruneMaxShare: 0.9, pruneHalfLifeSteps: 100 });
    // 8 · 2^(-3) is 1, which may go; 8 · 2^(-1.5) is more.
    expect(plan({ tree, rules: { ...rules, pruneMaxShare: 1 } }).runs).toEqual([
      { lod: 0, first: 0, count: 10 },
    ]);
    const slower = { ...rules, pruneMaxShare: 1, pruneHalfLifeSteps: 200 };
    expect(plan({ tree, rules: slower }).runs).toEqual([{ lod: 0, first: 1, count: 9 }]);
  });

  it('keeps what was measured to matter, by the block or by its gist', () => {
    const tree = treeOf(4 * K);
    tree.metadata(0).sensitivity.set(0, 0.5);
    tree.metadata(1).sensitivity.set(1, 0.5);
    tree.metadata(1).sensitivity.set(2, -0.5);
    expect(plan({ tree }).runs).toEqual([{ lod: 0, first: 2, count: 2 }]);
  });

  it('keeps protected spans and what stands in a window', () => {
    const tree = treeOf(6 * K);
    const protectedSpans = [
      { start: 4 * K, end: 6 * K },
      { start: 10, end: 20 },
    ];
    const heldEntries = [
      { lod: 0, start: 2 * K },
      { lod: 1, start: 3 * K },
    ];
    expect(plan({ tree, protectedSpans, heldEntries }).runs).toEqual([
      { lod: 0, first: 1, count: 1 },
      { lod: 0, first: 3, count: 1 },
    ]);
  });

  it('stops at the share, lowest worth first', () => {
    const tree = treeOf(10 * K);
    tree.metadata(0).recordAccess(0, STEP - 300, 1);
    const { units } = plan({ tree, rules: configOf({ pruneMaxShare: 0.3 }) });
    expect(units.map(({ first }) => first)).toEqual([1, 2, 3]);
  });

  it('takes groups of gists only when all below them is cold and none was ever expanded', () => {
    const tree = treeOf(6 * K * K);
    const gistsOf = (runs: ReturnType<typeof plan>['runs']) => runs.filter(({ lod }) => lod === 1);
    expect(gistsOf(plan({ tree }).runs)).toEqual([]);
    tree.withhold([{ lod: 0, first: 0, count: 3 * K }]);
    // The newest three parents still serve as context of the next one.
    expect(gistsOf(plan({ tree }).runs)).toEqual([{ lod: 1, first: 0, count: 3 * K }]);
    tree.metadata(1).expansions.set(K + 5, 1);
    expect(gistsOf(plan({ tree }).runs)).toEqual([
      { lod: 1, first: 0, count: K },
      { lod: 1, first: 2 * K, count: K },
    ]);
  });

  it('plans over millions of tokens', () => {
    const tree = treeOf(5_200_000);
    const { runs, units } = plan({ tree });
    expect(units.length).toBeGreaterThan(140_000);
    expect(runs).toEqual([{ lod: 0, first: 0, count: units.length }]);
  });

  it('compares with age and chance', () => {
    const tree = treeOf(20 * K);
    const rules = configOf({ pruneMaxShare: 0.25 });
    tree.metadata(0).recordAccess(0, STEP, 1);
    const firsts = (order: PruneOrder, seed = 1) =>
      plan({ tree, rules, order, seed }).units.map(({ first }) => first);
    expect(firsts('age')).toEqual([0, 1, 2, 3, 4]);
    expect(firsts('random')).toHaveLength(5);
    expect(firsts('random')).not.toEqual(firsts('random', 2));
  });
});
