import { describe, expect, it } from 'vitest';
import { STRATEGY_IDS } from '../../parameters/allocator.ts';
import { INITIAL_ALLOCATOR_STATE } from './allocator-state.ts';
import { allocate } from '../focus-allocator.ts';
import { allocateBy, applied, brief, inputOf, refused } from '../../testing/two-groups.ts';

/** Five raw blocks, the newest of them protected: 60, 61 and 62 may collapse, 63 may not. */
const RAW = 4;

describe('a limit of open blocks', () => {
  it('collapses the raw blocks beyond the best, whatever room is left', () => {
    const { actions } = allocate(inputOf(RAW, { 60: 0.1, 61: 0.15, 62: 0.19 }, { openBlocks: 1 }));
    expect(applied(actions).map(brief)).toEqual([
      ['collapse', 60, 'enough-open', null],
      ['collapse', 61, 'enough-open', null],
    ]);
  });

  it('opens what is better in the place of what is worse, and says what was refused', () => {
    const scores = { 3: 0.5, 9: 0.9, 60: 0.1, 61: 0.1, 62: 0.7 };
    const { actions } = allocate(inputOf(RAW, scores, { openBlocks: 2 }));
    expect(applied(actions).map(brief)).toEqual([
      ['collapse', 60, 'enough-open', null],
      ['collapse', 61, 'enough-open', null],
      ['expand', 9, 'score-above-tau', 1],
    ]);
    expect(refused(actions).map(({ start, reason }) => [start / 32, reason])).toEqual([[3, 'enough-open']]);
  });

  it('keeps what stands open against what is better by no more than the trade margin', () => {
    const changes = { openBlocks: 3, tradeMargin: 0.1 };
    const open = { 60: 0.6, 61: 0.6, 62: 0.45 };
    expect(applied(allocate(inputOf(RAW, { ...open, 3: 0.5 }, changes)).actions)).toEqual([]);
    expect(applied(allocate(inputOf(RAW, { ...open, 3: 0.6 }, changes)).actions)).toHaveLength(2);
  });

  it('gives way to what is far better among scores that crowd at the end of the scale, and not to equals', () => {
    const changes = { openBlocks: 3, tradeMargin: 0.1 };
    const open = { 60: 0.94, 61: 0.94, 62: 0.94 };
    expect(applied(allocate(inputOf(RAW, { ...open, 3: 1 }, changes)).actions)).toHaveLength(2);
    expect(applied(allocate(inputOf(RAW, { 60: 1, 61: 1, 62: 1, 3: 1 }, changes)).actions)).toEqual([]);
  });

  it('leaves pinned blocks and those that moved lately as they are', () => {
    const input = inputOf(RAW, { 60: 0.1, 61: 0.1, 62: 0.15 }, { openBlocks: 1, cooldownSteps: 2 });
    const pins = [{ start: 60 * 32, end: 61 * 32 }];
    const cooldowns = [{ lod: 1, start: 61 * 32, step: 1, kind: 'expand' as const }];
    const state = { ...INITIAL_ALLOCATOR_STATE, step: 1, cooldowns };
    expect(applied(allocate({ ...input, pins, state }).actions)).toEqual([]);
  });

  it.each(STRATEGY_IDS)('holds under the strategy %s, even where free room asks for more', (strategy) => {
    const scores = Object.fromEntries(Array.from({ length: 60 }, (_, block) => [block, 0.9 - block / 100]));
    const { layout } = allocateBy(strategy, inputOf(RAW, scores, { openBlocks: 2, budgetTokens: 1024 }));
    const open = layout.entries.filter(({ lod, end }) => lod === 0 && end <= 63 * 32);
    expect(open.length).toBeLessThanOrEqual(2);
  });
});
