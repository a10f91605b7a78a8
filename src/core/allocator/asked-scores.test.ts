import { describe, expect, it } from 'vitest';
import { entryAt, layoutOf } from '../context/working-context.ts';
import { allocate } from './focus-allocator.ts';
import { applied, blocks, brief, gists, inputOf } from '../testing/two-groups.ts';
import { askedScores } from './asked-scores.ts';

const config = { driftGain: 0.5, budgetTokens: 100, openNeighbours: 0, neighbourShare: 1, tauExpand: 0.2 };
const asked = (layout: Parameters<typeof askedScores>[0], scores: number[], changes = {}, drift = 0) =>
  Array.from(askedScores(layout, Float32Array.from(scores), { drift }, { ...config, ...changes }), (score) =>
    Number(score.toFixed(3)),
  );

describe('asked scores', () => {
  const five = layoutOf([...gists(1, 0, 4), ...blocks(4, 1)]);

  it('are what the policy gave, less drift, on its scale', () => {
    expect(asked(five, [0.9, -0.9, NaN, 0.1, 0])).toEqual([0.9, -0.9, 0, 0.1, 0]);
    expect(asked(five, [0.9, -0.9, 0, 0.1, 0], {}, 40)).toEqual([0.7, -1, -0.2, -0.1, -0.2]);
  });

  it('ask for the neighbours of a wanted block as for itself, raw ones too', () => {
    expect(asked(five, [-0.1, -0.1, 0.15, 0.8, -0.4], { openNeighbours: 1 })).toEqual([
      -0.1, -0.1, 0.8, 0.8, 0.8,
    ]);
    expect(asked(five, [-0.1, 0.9, 0.2, 0.8, -0.4], { openNeighbours: 2 })).toEqual([
      0.9, 0.9, 0.9, 0.9, 0.8,
    ]);
  });

  it('ask less for neighbours than for the block, and never less than for themselves', () => {
    expect(asked(five, [-0.1, -0.1, 0.6, 0.8, -0.4], { openNeighbours: 1, neighbourShare: 0.5 })).toEqual([
      -0.1, 0.4, 0.6, 0.8, 0.5,
    ]);
    // What is asked for by nothing of its own is no more than at the threshold.
    expect(asked(five, [-0.1, 0, 0, 0.8, -0.4], { openNeighbours: 1, neighbourShare: 0 })).toEqual([
      -0.1, 0, 0.2, 0.8, 0.2,
    ]);
  });

  it('ask for no neighbour beyond a coarser gist, and for none of a block that is not wanted', () => {
    const coarse = layoutOf([entryAt(2, 0), ...gists(1, 32, 2)]);
    expect(asked(coarse, [0, 0.5, 0], { openNeighbours: 2 })).toEqual([0, 0.5, 0.5]);
    expect(asked(coarse, [0.9, 0, 0.1], { openNeighbours: 2 })).toEqual([0.9, 0, 0.1]);
  });

  it('open a block with its neighbours, which come behind others that are asked for', () => {
    const both = allocate(inputOf(2, { 9: 0.9, 20: 0.7 }, { openNeighbours: 1, neighbourShare: 0.5 }));
    expect(applied(both.actions).map(brief)).toEqual([
      ['expand', 9, 'score-above-tau', 1],
      ['expand', 20, 'score-above-tau', 2],
      ['expand', 10, 'score-above-tau', 3],
      ['expand', 8, 'score-above-tau', 4],
    ]);
    const { actions } = allocate(inputOf(4, { 9: 0.9 }, { openNeighbours: 1, neighbourShare: 1 }));
    expect(applied(actions).map(brief)).toEqual([
      ['expand', 10, 'score-above-tau', 1],
      ['expand', 9, 'score-above-tau', 2],
      ['expand', 8, 'score-above-tau', 3],
    ]);
  });
});
