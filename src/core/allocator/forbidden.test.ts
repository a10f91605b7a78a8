import { describe, expect, it } from 'vitest';
import { configOf, treeOf } from '../testing/fake-history.ts';
import { INITIAL_ALLOCATOR_STATE } from './pass/allocator-state.ts';
import { allocate } from './focus-allocator.ts';
import { moveRules, refuse } from '../context/moves.ts';
import { actByHand } from './manual-action.ts';
import { entryAt, layoutOf } from '../context/working-context.ts';

/** 2,048 tokens in two gists and raw blocks, the first wanted; `forbidden` names levels at position 0. */
function inputWith(lods: readonly number[]) {
  const tree = treeOf(2048 + 64);
  for (const lod of lods) tree.setFlag(lod, 0, 'forbidden', true);
  const layout = layoutOf([
    ...Array.from({ length: 32 }, (_, i) => entryAt(1, i * 32)),
    entryAt(2, 1024),
    entryAt(0, 2048),
    entryAt(0, 2080),
  ]);
  const scores = new Float32Array(35);
  scores[0] = scores[1] = 0.9;
  const config = configOf({ budgetTokens: 512, recentTokens: 64, maxActions: 4 });
  return { layout, scores, tree, config, state: INITIAL_ALLOCATOR_STATE, pass: 0 };
}

const moves = (lods: readonly number[]) =>
  allocate(inputWith(lods)).actions.map(({ kind, start, reason, applied }) => [kind, start, reason, applied]);

describe('a forbidden gist', () => {
  it('does not expand however much it is wanted, and its neighbour does', () => {
    expect(moves([1])).toEqual([
      ['expand', 32, 'score-above-tau', true],
      ['expand', 0, 'forbidden', false],
    ]);
    expect(moves([]).map(([, , reason]) => reason)).toEqual(['score-above-tau', 'score-above-tau']);
  });

  it('keeps everything below it from expanding too', () => {
    expect(moves([2]).map(([, , reason]) => reason)).toEqual(['forbidden', 'forbidden']);
    const { layout, tree, config } = inputWith([2]);
    expect(refuse(layout, 'expand', 32, moveRules(layout, tree, config))).toBeNull();
  });

  it('refuses the researcher too', () => {
    const { actions } = actByHand(inputWith([1]), { kind: 'expand', lod: 1, start: 0, end: 32 });
    expect(actions).toMatchObject([{ applied: false, reason: 'forbidden' }]);
  });
});
