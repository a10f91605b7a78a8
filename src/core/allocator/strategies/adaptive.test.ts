import { describe, expect, it } from 'vitest';
import type { Allocation } from '../pass/allocation-pass.ts';
import type { AllocationInput } from '../focus-allocator.ts';
import { allocateBy, applied, brief, inputOf, refused } from '../../testing/two-groups.ts';

const allocate = (input: AllocationInput): Allocation => allocateBy('adaptive', input);
const all = (score: number): Record<number, number> =>
  Object.fromEntries(Array.from({ length: 64 }, (_, block) => [block, score]));

describe('adaptive allocation', () => {
  it('lowers τ_expand until the best of the rest fill the free budget, and stops at the low bound', () => {
    const scores = { ...all(-0.6), 3: -0.4, 9: -0.52 };
    // 63 gists + 32 raw = 95 of 230: 80% are two expansions away.
    const input = inputOf(1, scores, { budgetTokens: 190 });
    const { actions, state } = allocate(input);
    expect(applied(actions).map(brief)).toEqual([
      ['expand', 3, 'score-above-tau', 1],
      ['expand', 9, 'score-above-tau', 2],
    ]);
    expect(state.thresholds!.tauExpand).toBeCloseTo(-0.55);
    expect(refused(actions)).toEqual([]);
  });

  it('collapses nothing while there is room', () => {
    const { actions } = allocate(inputOf(4, { ...all(-0.9) }, { budgetTokens: 230 }));
    expect(actions).toEqual([]);
  });

  it('expands what is above the parameter, whatever the utilisation, while it fits', () => {
    const { actions, state } = allocate(inputOf(4, { ...all(-0.9), 3: 0.5 }, { budgetTokens: 230 }));
    expect(applied(actions).map(brief)).toEqual([['expand', 3, 'score-above-tau', 1]]);
    expect(state.thresholds!.tauExpand).toBe(0.2);
  });

  it('raises τ_expand in a full window while more than the best few ask', () => {
    const input = inputOf(
      4,
      { 3: 0.5, 4: 0.52, 5: 0.9, 6: 0.92, 60: -0.4 },
      { budgetTokens: 188, maxActions: 2 },
    );
    const { actions, state } = allocate(input);
    expect(applied(actions).map(brief)).toEqual([
      ['collapse', 60, 'paid-for-expansion', null],
      ['expand', 6, 'score-above-tau', 1],
    ]);
    expect(state.thresholds!.tauExpand).toBeCloseTo(0.55);
  });

  it('trades only for a score that is higher by more than the margin', () => {
    const full = { budgetTokens: 188, tradeMargin: 0.1 };
    const scores = { 3: 0.6, 60: 0.55, 61: 0.9, 62: 0.9 };
    expect(applied(allocate(inputOf(4, scores, full)).actions)).toEqual([]);
    const { actions } = allocate(inputOf(4, { ...scores, 60: 0.49 }, full));
    expect(applied(actions).map(({ kind, start }) => [kind, start / 32])).toEqual([
      ['collapse', 60],
      ['expand', 3],
    ]);
  });

  it('trades for no small promise while nobody asks, and does so for a question', () => {
    const scores = { 3: 0.35, 60: -0.4 };
    const input = inputOf(4, scores, { budgetTokens: 188 });
    const { actions } = allocate(input);
    expect(applied(actions)).toEqual([]);
    expect(refused(actions).map(({ kind, reason }) => [kind, reason])).toEqual([['expand', 'no-budget']]);
    const { tree } = input;
    const asked: typeof tree.provenanceOf = (start, end) =>
      tree.provenanceOf(start, end).map((run) => ({ ...run, role: 'user' }));
    const withQuestion = Object.assign(tree.fork(), { provenanceOf: asked });
    const trade = applied(allocate({ ...input, tree: withQuestion }).actions);
    expect(trade.map(({ kind, start }) => [kind, start / 32])).toEqual([
      ['collapse', 60],
      ['expand', 3],
    ]);
  });

  it('says with every pass which thresholds were in force, and other strategies do not', () => {
    const input = inputOf(4, {});
    const { state } = allocate(input);
    expect(state.thresholds).toEqual({ tauExpand: expect.closeTo(-0.05) as number, tauCollapse: 1 });
    expect(allocateBy('greedy', { ...input, state }).state.thresholds).toBeUndefined();
  });
});
