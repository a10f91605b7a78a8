import { describe, expect, it } from 'vitest';
import type { Allocation } from '../pass/allocation-pass.ts';
import type { AllocationInput } from '../focus-allocator.ts';
import { allocateBy, applied, brief, inputOf, refused } from '../../testing/two-groups.ts';

const moves = (actions: Parameters<typeof applied>[0]): unknown[] =>
  applied(actions).map(({ kind, start }) => [kind, start / 32]);

describe('matching allocation', () => {
  const allocate = (input: AllocationInput): Allocation => allocateBy('matching', input);
  const full = { budgetTokens: 188 };

  it('finds the set of moves that is worth most', () => {
    const { actions } = allocate(inputOf(4, { 3: 0.9, 9: 0.7, 60: -0.4, 61: 0.1, 62: 0.5, 63: -0.9 }, full));
    expect(applied(actions).map(brief)).toEqual([
      ['collapse', 60, 'paid-for-expansion', 1],
      ['expand', 3, 'score-above-tau', 1],
      // Rank 2 is the group that holds both expansions.
      ['collapse', 61, 'paid-for-expansion', 3],
      ['expand', 9, 'score-above-tau', 2],
    ]);
    expect(applied(actions)[1]!.paidBy).toEqual([[1, 60 * 32, 61 * 32]]);
  });

  it('trades what is wanted for what is wanted clearly more, which greedy refuses', () => {
    const input = inputOf(4, { 3: 0.9, 60: 0.3, 61: 0.4, 62: 0.4 }, full);
    expect(moves(allocate(input).actions)).toEqual([
      ['collapse', 60],
      ['expand', 3],
    ]);
    expect(moves(allocateBy('greedy', input).actions)).toEqual([]);
    const close = { ...input, config: { ...input.config, tauCollapse: 0.5 } };
    expect(moves(allocate(close).actions)).toEqual([]);
    expect(refused(allocate(close).actions)).toMatchObject([{ reason: 'no-budget', missingTokens: 31 }]);
  });

  it('weighs a group’s collapse against the expansion of its members', () => {
    const low = Object.fromEntries(Array.from({ length: 32 }, (_, block) => [block, -0.5]));
    const roomy = { maxActions: 2 };
    expect(moves(allocate(inputOf(4, { ...low, 5: 0.3 }, roomy)).actions)).toEqual([['collapse', 0]]);
    expect(moves(allocate(inputOf(4, { ...low, 5: 0.9 }, roomy)).actions)).toEqual([['expand', 5]]);
  });

  it('is never worth less than any other choice of as many moves', () => {
    const scores = { 3: 0.9, 9: 0.8, 12: 0.6, 60: -0.4, 61: 0.1, 62: -0.3 };
    for (const maxActions of [1, 2, 3, 4]) {
      const input = inputOf(4, scores, { ...full, budgetTokens: 188 + 31, maxActions });
      const worth = (actions: Parameters<typeof applied>[0]): number =>
        applied(actions).reduce(
          (sum, { kind, score }) => sum + (kind === 'expand' ? score! - 0.2 : -score! - 0.2),
          0,
        );
      const best = worth(allocate(input).actions);
      expect(best).toBeGreaterThanOrEqual(worth(allocateBy('greedy', input).actions) - 1e-9);
      expect(best).toBeGreaterThanOrEqual(worth(allocateBy('stochastic', input).actions) - 1e-9);
    }
  });
});

describe('stochastic allocation', () => {
  const allocate = (input: AllocationInput): Allocation => allocateBy('stochastic', input);
  const scores = Object.fromEntries(Array.from({ length: 20 }, (_, block) => [block, 0.3 + block / 50]));
  const firstOf = (seed: number, changes = {}): number =>
    applied(allocate(inputOf(4, scores, { seed, maxActions: 1, ...changes })).actions)[0]!.start / 32;
  const drawn = Array.from({ length: 200 }, (_, seed) => firstOf(seed));

  it('draws among the k best, the better the more often, by its seed alone', () => {
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(12);
    expect(new Set(drawn).size).toBeGreaterThan(4);
    const share = (block: number): number => drawn.filter((start) => start === block).length;
    expect(share(19)).toBeGreaterThan(share(12));
    expect(firstOf(7)).toBe(firstOf(7));
  });

  it('is greedy at temperature 0, and near it at a low one', () => {
    for (let seed = 0; seed < 20; seed++) {
      expect(firstOf(seed, { strategyTemperature: 0 })).toBe(19);
      expect(firstOf(seed, { strategyTemperature: 0.001 })).toBe(19);
    }
  });
});
