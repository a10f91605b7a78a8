import { describe, expect, it } from 'vitest';
import { configOf, treeOf } from '../testing/fake-history.ts';
import { entryAt, layoutOf } from '../context/working-context.ts';
import { HiddenSpans } from '../tree/hidden-spans.ts';
import { allocate } from './focus-allocator.ts';
import { INITIAL_ALLOCATOR_STATE } from './pass/allocator-state.ts';

const config = configOf({ budgetTokens: 4096, recentTokens: 256, maxActions: 1 });

/** 2,080 tokens: the first 1,024 as gists, then raw blocks; `hidden` is `[start, end)`. */
function outcomeOf(
  hidden: readonly [number, number] | null,
  pins: readonly { start: number; end: number }[] = [],
) {
  const tree = treeOf(2080);
  if (hidden !== null) tree.hidden = new HiddenSpans([{ start: hidden[0], end: hidden[1] }]);
  const layout = layoutOf([
    ...Array.from({ length: 32 }, (_, i) => entryAt(1, i * 32)),
    ...Array.from({ length: 33 }, (_, i) => entryAt(0, 1024 + i * 32)),
  ]);
  const scores = new Float32Array(layout.entries.length).fill(0.9);
  const base = { layout, scores, tree, config, state: INITIAL_ALLOCATOR_STATE, pass: 0, pins };
  return allocate(base);
}

const lodsAt = (outcome: ReturnType<typeof outcomeOf>, tokens: readonly number[]) =>
  tokens.map((token) => outcome.layout.entries.find(({ start, end }) => start <= token && token < end)!.lod);

describe('a hidden document', () => {
  it('collapses at once to the coarsest gists that stand for nothing else, whatever the scores and the action limit', () => {
    const outcome = outcomeOf([0, 1500]);
    expect(lodsAt(outcome, [0, 1023, 1024, 1499, 1504])).toEqual([2, 2, 1, 1, 0]);
    const taken = outcome.actions.filter(({ applied, kind }) => applied && kind === 'collapse');
    expect(taken.every(({ reason }) => reason === 'manual')).toBe(true);
    expect(lodsAt(outcomeOf(null), [0, 1024])).not.toContain(2);
  });

  it('collapses out of the recent window, but for a block that it shares with what is not hidden', () => {
    const outcome = outcomeOf([1900, 2070]);
    expect(lodsAt(outcome, [1888, 1920, 2047, 2048])).toEqual([0, 1, 1, 0]);
  });

  it('is not expanded, and says so; its neighbour is', () => {
    const { actions } = outcomeOf([32, 64]);
    expect(actions.find(({ kind, start }) => kind === 'expand' && start === 32)).toMatchObject({
      applied: false,
      reason: 'forbidden',
    });
    expect(actions.some(({ kind, start, applied }) => kind === 'expand' && start !== 32 && applied)).toBe(
      true,
    );
  });

  it('keeps what is pinned in it', () => {
    const outcome = outcomeOf([1024, 1504], [{ start: 1088, end: 1120 }]);
    expect(lodsAt(outcome, [1056, 1088, 1120])).toEqual([1, 0, 1]);
  });
});
