import { describe, expect, it } from 'vitest';
import { heatRuns } from './heat.ts';

describe('a heatmap row', () => {
  it('gives each block its cell and joins equal neighbours', () => {
    expect(heatRuns([1, 1, 0, -1], 40)).toEqual([
      { from: 0, to: 20, scoreIndex: 8 },
      { from: 30, to: 40, scoreIndex: 0 },
    ]);
    expect(heatRuns([], 40)).toEqual([]);
  });

  it('keeps the strongest of those that share a cell', () => {
    const scores = new Float32Array(1000);
    scores[500] = -0.9;
    scores[501] = 0.4;
    expect(heatRuns(scores, 20)).toEqual([{ from: 10, to: 12, scoreIndex: 0 }]);
  });
});
