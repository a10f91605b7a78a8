import { describe, expect, it } from 'vitest';
import { INITIAL_ALLOCATOR_STATE } from '../pass/allocator-state.ts';
import { MAX_REFUSED } from '../pass/allocation-pass.ts';
import { allocate } from '../focus-allocator.ts';
import { checkInvariants } from '../../context/invariants.ts';
import { applied, blocks, brief, gists, inputOf, refused } from '../../testing/two-groups.ts';
import { entryAt, entryIndexAt, layoutOf } from '../../context/working-context.ts';

/** One gist to expand, and raw blocks that are wanted too. */
const WANTED = { 3: 0.9, 60: 0.5, 61: 0.5, 62: 0.5, 63: 0.5 };

describe('greedy allocation', () => {
  it('takes expansions and collapses alternately, best first', () => {
    const { actions } = allocate(inputOf(4, { 3: 0.5, 9: 0.9, 60: -0.4, 61: -0.8 }));
    expect(actions.map(brief)).toEqual([
      ['expand', 9, 'score-above-tau', 1],
      ['collapse', 61, 'score-below-tau', 1],
      ['expand', 3, 'score-above-tau', 2],
      ['collapse', 60, 'score-below-tau', 2],
    ]);
  });

  it('leaves scores inside the thresholds alone', () => {
    expect(
      allocate(inputOf(4, { 3: 0.2, 60: -0.2 }, { tauExpand: 0.2001, tauCollapse: 0.2001 })).actions,
    ).toEqual([]);
  });

  it('breaks ties nearer the cursor for expansion and farther from it for collapse', () => {
    const { actions } = allocate(inputOf(4, { 3: 0.5, 9: 0.5, 60: -0.4, 61: -0.4 }, { maxActions: 2 }));
    expect(applied(actions).map(({ kind, start }) => [kind, start / 32])).toEqual([
      ['expand', 9],
      ['collapse', 60],
    ]);
    expect(refused(actions).map(({ reason }) => reason)).toEqual(['action-limit', 'action-limit']);
  });

  it('lets an expansion wait until a collapse of the same step has paid for it', () => {
    const input = inputOf(4, { 3: 0.9, 60: -0.4 }, { budgetTokens: 60 + 128 });
    const { actions, layout } = allocate(input);
    expect(actions.map(brief)).toEqual([
      ['collapse', 60, 'paid-for-expansion', 1],
      ['expand', 3, 'score-above-tau', 1],
    ]);
    expect(actions[1]!.paidBy).toEqual([[1, 60 * 32, 61 * 32]]);
    expect(layout.usedTokens).toBe(188);
  });

  it('pays with the lowest-scored unit in which nothing is wanted when no candidate is left', () => {
    const input = inputOf(4, { 3: 0.9, 60: -0.1, 61: -0.15 }, { budgetTokens: 60 + 128 + 5 });
    const { actions, layout } = allocate(input);
    expect(actions.map(brief)).toEqual([
      ['collapse', 61, 'paid-for-expansion', null],
      ['expand', 3, 'score-above-tau', 1],
    ]);
    expect(actions[1]!.paidBy).toEqual([[1, 61 * 32, 62 * 32]]);
    expect(layout.usedTokens).toBe(188);
  });

  it('does not pay with what is wanted itself, nor beyond the action limit', () => {
    const budgetTokens = 60 + 128 + 5;
    expect(allocate(inputOf(4, WANTED, { budgetTokens })).layout.usedTokens).toBe(188);
    const limited = allocate(inputOf(4, { 3: 0.9 }, { budgetTokens, maxActions: 1 }));
    expect(applied(limited.actions)).toEqual([]);
  });

  it('records the missing tokens of an expansion that nothing pays for', () => {
    const { actions } = allocate(inputOf(4, WANTED, { budgetTokens: 60 + 128 + 5 }));
    expect(actions).toMatchObject([
      { kind: 'expand', applied: false, reason: 'no-budget', missingTokens: 26 },
    ]);
  });

  it('keeps the reserve free', () => {
    const { actions } = allocate({
      ...inputOf(4, WANTED, { budgetTokens: 60 + 128 + 40 }),
      reserveTokens: 32,
    });
    expect(actions).toMatchObject([{ reason: 'no-budget', missingTokens: 23 }]);
  });

  it('refuses to flip a span until the cooldown is over, children and parent included', () => {
    let input = inputOf(4, { 3: 0.9 });
    const outcomes: (number | undefined)[] = [];
    for (let step = 1; step <= 4; step++) {
      const { layout, state, actions } = allocate(input);
      const [action] = actions;
      outcomes.push(action!.applied ? undefined : action!.cooldownLeft);
      const scores = new Float32Array(layout.entries.length);
      scores[entryIndexAt(layout, 3 * 32)] = -0.9;
      input = { ...input, layout, state, scores };
    }
    expect(outcomes).toEqual([undefined, 2, 1, undefined]);
  });

  it('does not undo an action in a later pass of the same refocus, even without a cooldown', () => {
    const input = inputOf(4, { 3: 0.9 }, { cooldownSteps: 0 });
    const first = allocate(input);
    const scores = new Float32Array(64);
    scores[3] = -0.9;
    const second = allocate({ ...input, layout: first.layout, state: first.state, scores, pass: 1 });
    expect(second.actions).toMatchObject([{ applied: false, reason: 'cooldown' }]);
  });

  it('collapses a sibling group by the mean of its scores, as a whole', () => {
    const scores = Object.fromEntries(Array.from({ length: 32 }, (_, block) => [block, -0.5]));
    const { layout, actions } = allocate(inputOf(4, { ...scores, 5: 0.1 }));
    expect(layout.entries[0]).toEqual(entryAt(2, 0));
    expect(actions[0]).toMatchObject({
      kind: 'collapse',
      lod: 2,
      start: 0,
      end: 1024,
      toLod: 2,
      costDelta: -31,
    });
    expect(actions[0]!.score).toBeCloseTo((31 * -0.5 + 0.1) / 32);
  });

  it('refuses groups that are not whole, the recent window and pins, and says why', () => {
    const low = Object.fromEntries(Array.from({ length: 64 }, (_, block) => [block, -0.5]));
    const input = inputOf(4, { ...low, 63: -0.9, 62: -0.8, 61: 0, 60: 0 });
    const { actions } = allocate({
      ...input,
      pins: [{ start: 62 * 32, end: 63 * 32 }],
      config: { ...input.config, maxActions: 1 },
    });
    expect(refused(actions).map(({ start, lod, reason }) => [start / 32, lod, reason])).toEqual([
      [63, 1, 'protected-recent'],
      [62, 1, 'pinned'],
      [32, 2, 'not-legal'],
    ]);
  });

  it('collapses by force when over budget, lowest score first and whatever the thresholds', () => {
    const input = inputOf(4, { 60: 0.9, 61: 0.1, 62: 0.5 }, { budgetTokens: 160, maxActions: 0 });
    const firstGroup = Array.from({ length: 32 }, (_, i) => i);
    input.scores.set(firstGroup.map(() => 0.3));
    const { layout, actions } = allocate(input);
    expect(applied(actions).map(brief)).toEqual([['collapse', 61, 'over-budget', null]]);
    expect(layout.usedTokens).toBe(157);
  });

  it('evicts the oldest entry only when everything is at its coarsest', () => {
    const input = inputOf(2, {}, { budgetTokens: 64, maxActions: 0 });
    expect(applied(allocate(input).actions).map(({ kind }) => kind)).toEqual(['collapse', 'collapse']);
    const { layout, actions } = allocate({ ...input, reserveTokens: 2 });
    expect(actions.map(({ kind }) => kind)).toEqual(['collapse', 'collapse', 'evict', 'evict']);
    expect(actions.at(-1)).toMatchObject({
      reason: 'coarsest-and-over-budget',
      applied: true,
      costDelta: -1,
    });
    expect(layout.usedTokens).toBe(62);
  });

  it('brings pins to LOD0 whatever the policy says, paid for by the lowest scores', () => {
    const input = inputOf(
      4,
      { 3: -1, 60: 0.1, 61: 0.4, 62: 0.4, 63: 0.4 },
      { budgetTokens: 60 + 128, maxActions: 0 },
    );
    input.scores.fill(0.3, 0, 32);
    const { layout, actions } = allocate({ ...input, pins: [{ start: 96, end: 128 }] });
    expect(layout.entries[3]).toEqual(entryAt(0, 96));
    expect(applied(actions).map(brief)).toEqual([
      ['collapse', 60, 'paid-for-expansion', null],
      ['expand', 3, 'manual', null],
    ]);
  });

  it('collapses a pin only when the budget is impossible otherwise, and records it', () => {
    const layout = layoutOf([...gists(2, 0, 1), ...blocks(32, 4), ...gists(1, 36, 28)]);
    const input = inputOf(0, {}, { budgetTokens: 64, recentTokens: 0, maxActions: 0 });
    const pins = [{ start: 1024, end: 1024 + 128 }];
    const result = allocate({ ...input, layout, scores: new Float32Array(layout.entries.length), pins });
    const forced = applied(result.actions).filter(({ reason }) => reason === 'over-budget');
    expect(forced.length).toBeGreaterThan(0);
    expect(checkInvariants(result.layout, input.tree, input.config, { previous: layout })).toEqual([]);
  });

  it('biases scores against the drift of net cost', () => {
    const input = inputOf(4, { 3: 0.21 }, { driftGain: 1, driftDecay: 0 });
    expect(applied(allocate(input).actions)).toHaveLength(1);
    const grown = { ...INITIAL_ALLOCATOR_STATE, netCost: 64 };
    const { actions, state } = allocate({ ...input, state: grown });
    expect(state.drift).toBe(64);
    expect(actions).toEqual([]);
  });

  it('records at most 32 refusals, highest |score| first', () => {
    const scores = Object.fromEntries(Array.from({ length: 60 }, (_, block) => [block, 0.3 + block / 100]));
    const { actions } = allocate(inputOf(4, scores));
    const scored = refused(actions).map(({ score }) => score!);
    expect(scored).toHaveLength(MAX_REFUSED);
    expect(scored).toEqual([...scored].sort((a, b) => b - a));
  });

  it('ages every entry by one refocus and starts swapped ones anew', () => {
    const { layout } = allocate(inputOf(4, { 3: 0.9 }));
    expect([...layout.residency.slice(0, 5)]).toEqual([1, 1, 1, 0, 1]);
  });

  it('changes nothing that it was given', () => {
    const input = inputOf(4, { 3: 0.9, 60: -0.9 });
    const copy = structuredClone({ layout: input.layout, scores: input.scores, state: input.state });
    allocate(input);
    expect({ layout: input.layout, scores: input.scores, state: input.state }).toEqual(copy);
  });

  it('refuses scores that are not one per entry', () => {
    expect(() => allocate({ ...inputOf(4, {}), scores: new Float32Array(3) })).toThrow(RangeError);
  });
});
