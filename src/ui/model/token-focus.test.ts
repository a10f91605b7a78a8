import { expect, it } from 'vitest';
import { sampleRefocus } from '../../core/testing/sample-events.ts';
import { Run } from './run.ts';
import { tokenFocus } from './token-focus.ts';

const decode = {
  type: 'decode',
  step: 3,
  timeMs: 0,
  tokenId: 1,
  text: 'a',
  logProbability: 0,
  entropy: 0,
} as const;

function runOfTwo(): Run {
  const run = new Run();
  const frame = { step: 3, cursor: 64, trigger: 'turn-end' } as const;
  run.append([
    sampleRefocus({
      ...frame,
      layout: {
        kind: 'keyframe',
        entries: [
          [0, 0, 32],
          [1, 32, 64],
        ],
      },
    }),
    sampleRefocus({
      ...frame,
      head: 1,
      layout: {
        kind: 'keyframe',
        entries: [
          [1, 0, 32],
          [0, 32, 64],
        ],
      },
    }),
    {
      ...decode,
      head: 1,
      index: 64,
      merged: [
        [0, 0.25],
        [1, 0.75],
      ],
    },
    { ...decode, head: 0, index: 65 },
  ]);
  return run;
}

it('is what stood raw in the head that weighed most, whichever head is shown', () => {
  const run = runOfTwo();
  for (const shown of [run, run.ofHead(1)!]) {
    expect(tokenFocus(shown, 64)).toMatchObject({
      head: 1,
      merged: [
        [1, 0.75],
        [0, 0.25],
      ],
      index: 0,
    });
    expect(tokenFocus(shown, 64)!.blocks.map(({ start, end }) => [start, end])).toEqual([[32, 64]]);
    expect(tokenFocus(shown, 65)).toMatchObject({ head: 0, merged: [] });
    expect(tokenFocus(shown, 65)!.blocks.map(({ start, end }) => [start, end])).toEqual([
      [0, 32],
      [64, 65],
    ]);
  }
});
