import { expect, it } from 'vitest';
import { SCORE_PRICES, SCORE_SLOPE, expectedGainNats } from './score-unit.ts';

it('reads back the gain that a score stands for, by the price of what was scored', () => {
  for (const gain of [-0.2, 0, 0.05, 0.3]) {
    for (const [lod, price] of [
      [0, SCORE_PRICES.raw],
      [1, SCORE_PRICES.gist],
      [3, SCORE_PRICES.gist],
    ] as const) {
      expect(expectedGainNats(Math.tanh(SCORE_SLOPE * gain - price), lod)).toBeCloseTo(gain, 6);
    }
  }
  expect(Number.isFinite(expectedGainNats(1, 1))).toBe(true);
  expect(expectedGainNats(-0.3, 0)).toBeGreaterThan(expectedGainNats(-0.3, 1));
});
