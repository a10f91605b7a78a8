import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configOf, treeOf } from '../../core/testing/fake-history.ts';
import { assembleByRecency } from '../../core/allocator/assembly.ts';
import { BlockIndex } from './block-index.ts';
import { K } from '../../core/tree/ids.ts';
import { Rng } from '../../base/rng.ts';
import { entryAt, layoutOf } from '../../core/context/working-context.ts';
import type { MeasuredState } from './collect.ts';
import { bestBlock } from './block-relevance.ts';
import { expandToRaw, unitsOf } from './moves.ts';
import { chooseStates, findStates } from './sampled-states.ts';
import { ReplayTree } from './replay-tree.ts';
import { measureRouting } from './routing-measure.ts';
import { targetsOf, worthScale } from './targets.ts';

const layout = layoutOf([entryAt(1, 0), entryAt(1, K), entryAt(0, 2 * K), entryAt(1, 3 * K)]);

/** Expanding the first gist gains; collapsing the raw block loses as much; the second gist is worth nothing. */
function stateOf(gainNats: number): MeasuredState {
  const unit = { count: 1, lod: 1, start: 0, end: K } as const;
  return {
    ...{ cursor: 4 * K, horizonTokens: 64, kind: 'block', layout, isHeldOut: true },
    lensScores: Float32Array.of(0.1, 0.2, 0.3, 0.4),
    moves: [
      { ...unit, kind: 'expand', first: 0, gainNats },
      { ...unit, kind: 'expand', first: 1, gainNats: 0 },
      { ...unit, lod: 0, kind: 'collapse', first: 2, gainNats: -gainNats },
    ],
  };
}

describe('measuring routing', () => {
  it('rewards scores that follow the worth of detail, and finds the best expansion', () => {
    const state = stateOf(0.2);
    const right = { state, scores: Float32Array.of(0.8, -0.5, 0.8, -0.9) };
    const wrong = { state, scores: Float32Array.of(-0.8, 0.5, -0.8, 0.9) };
    const well = measureRouting([right, right], 1, 3, 1);
    // Two moves are worth the same, which scores of different prices need not say exactly.
    expect(well.spearman).toBeGreaterThan(0.85);
    expect(well.recall).toMatchObject({ k: 1, hits: 2, n: 2 });
    const measured = measureRouting([wrong, wrong], 2, 3, 1);
    expect(measured.spearman).toBeLessThan(-0.85);
    expect(measured.recall).toMatchObject({ hits: 0, n: 2 });
    expect(measureRouting([{ ...right, state: stateOf(0.001) }], 1, 0, 1).recall.ci95).toBeNull();
  });

  it('asks for high scores where detail gained, and holds the rest where it was', () => {
    const state = stateOf(0.2);
    const targets = targetsOf(state, worthScale([state]), new Rng(1));
    expect(targets.map(({ firstSlot, slotCount }) => [firstSlot, slotCount])).toEqual([
      [0, 1],
      [1, 1],
      [2, K],
      [2 + K, 1],
    ]);
    expect(targets[0]!.target).toBeGreaterThan(0.5);
    expect(targets[1]!.target).toBeCloseTo(-0.1, 1);
    expect(targets[2]!.target).toBeGreaterThan(0.2);
    expect(targets[3]).toMatchObject({ target: state.lensScores[3], group: null });
    const idle = targetsOf(stateOf(0), 0.1, new Rng(1));
    expect(idle[2]!.target).toBeCloseTo(-0.4, 1);
  });
});

describe('places to look back from', () => {
  const tree = treeOf(6000);
  const rules = {
    firstCursor: 200,
    answerPrefix: tree.tokens(700, 702).slice(),
    isAnswerEnd: () => false,
    distantTokens: 64,
  };

  it('lie after the first cursor, have their whole horizon in the history, and do not overlap', () => {
    const found = findStates(tree, rules);
    expect(found.answers.some(({ cursor }) => cursor === 702)).toBe(true);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 0, max: 999 }), (count, seed) => {
        const chosen = chooseStates(found, count, new Rng(seed));
        expect(chosen.length).toBeLessThanOrEqual(count);
        let end = rules.firstCursor;
        for (const { cursor, horizonTokens } of chosen) {
          expect(cursor).toBeGreaterThanOrEqual(end);
          end = cursor + horizonTokens;
        }
        expect(end).toBeLessThanOrEqual(tree.tokenCount);
      }),
    );
  });

  it('show the tree as it was', () => {
    const replay = new ReplayTree(tree);
    for (const cursor of [100, 1500, 4000]) {
      const then = replay.growTo(cursor);
      const fresh = treeOf(cursor);
      expect(then.tokens(0, cursor)).toEqual(fresh.tokens(0, cursor));
      expect(then.countAt(1)).toBe(Math.floor(cursor / K));
      expect(then.countAt(2)).toBe(Math.floor(cursor / K ** 2));
      expect(then.pendingGistCount).toBe(0);
    }
  });

  it('go down to the raw block that shares most words with the question', () => {
    const config = configOf({ budgetTokens: 512, recentTokens: 64, lod1WindowTokens: 64 });
    const start = assembleByRecency(tree, config).layout;
    const page = unitsOf({ layout: start, tree, config }).expansions.find(({ lod }) => lod === 2)!;
    const wanted = page.start / K + 7;
    const relevance = new BlockIndex(tree).rank(tree.tokens(wanted * K, (wanted + 1) * K));
    expect(bestBlock(relevance, page.start, page.end)).toBe(wanted);
    const expanded = expandToRaw(start, page.first, tree, relevance);
    expect(expanded.entries.filter(({ lod }) => lod === 0).map((entry) => entry.start)).toContain(wanted * K);
    expect(expanded.usedTokens).toBe(start.usedTokens + 2 * (K - 1));
  });
});
