import { describe, expect, it } from 'vitest';
import { treeOf } from '../testing/fake-history.ts';
import { INVARIANTS, checkInvariants } from './invariants.ts';
import { entryAt, layoutOf } from './working-context.ts';
import type { Layout } from './working-context.ts';

describe('invariants', () => {
  const tree = treeOf(2100);
  const [lod2, lod1, raw, tail] = [entryAt(2, 0), entryAt(1, 1024), entryAt(0, 1056), entryAt(0, 1088, 1100)];
  const good = layoutOf([lod2, lod1, raw, tail]);
  const breaks = (layout: Layout, budgetTokens = 512, previous?: Layout): string[] =>
    checkInvariants(layout, tree, { budgetTokens }, previous === undefined ? {} : { previous }).map(
      ({ check }) => check,
    );

  it('hold for a good layout', () => {
    expect(breaks(good, 46, good)).toEqual([]);
    expect(INVARIANTS).toHaveLength(7);
  });

  it('are each found when broken', () => {
    expect(breaks(good, 45)).toEqual(['budget']);
    expect(breaks({ ...good, usedTokens: 1 })).toEqual(['budget']);
    expect(breaks(layoutOf([lod2, raw, tail]))).toEqual(['contiguity']);
    expect(breaks(layoutOf([lod2, lod1, entryAt(0, 1056, 1060), entryAt(0, 1060, 1064)]))).toContain(
      'block-alignment',
    );
    expect(breaks(layoutOf([entryAt(1, 0), { ...lod2, start: 32, end: 1056 }]))).toContain(
      'level-consistency',
    );
    expect(breaks(layoutOf([entryAt(3, 0)]))).toContain('tree-consistency');
    expect(
      breaks(
        layoutOf([...Array.from({ length: 16 }, (_, i) => entryAt(1, 512 + i * 32)), lod1, raw, tail]),
        512,
        good,
      ),
    ).toContain('no-partial-swaps');
  });

  it('let evicted spans come back at the front', () => {
    expect(breaks(good, 512, layoutOf([lod1, raw, tail]))).toEqual([]);
  });

  it('know a pruned entry', () => {
    tree.setFlag(1, 1024, 'pruned', true);
    expect(breaks(good)).toEqual(['tree-consistency']);
    tree.setFlag(1, 1024, 'pruned', false);
  });
});
