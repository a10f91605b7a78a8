import { expect, it } from 'vitest';
import { headGains } from './head-gains.ts';

/** Two tokens over a vocabulary of three; the right ones are 0 and 2. */
const IDS = Uint32Array.of(0, 2);
const knows = { rows: Float32Array.of(4, 0, 0, 0, 0, 4), utility: 0.5 };
const guesses = { rows: new Float32Array(6), utility: 0.2 };
const nllOf = (logit: number) => Math.log(Math.exp(logit) + 2) - logit;

it('says what the merged reading would lose without each head', () => {
  const { mergedNll, withoutNll } = headGains([knows, guesses], IDS, 'mean');
  expect(mergedNll).toBeCloseTo(nllOf(2), 6);
  expect(withoutNll[0]).toBeCloseTo(Math.log(3), 6);
  expect(withoutNll[1]).toBeCloseTo(nllOf(4), 6);
});

it('weighs heads as the merger does', () => {
  const confident = headGains([knows, guesses], IDS, 'confident');
  // The sure head counts more, so that less is lost to the one that guesses.
  expect(confident.mergedNll).toBeLessThan(nllOf(2));
  const best = headGains([knows, guesses], IDS, 'best-head');
  expect(best.mergedNll).toBeCloseTo(nllOf(4), 6);
  expect(best.withoutNll[0]).toBeCloseTo(Math.log(3), 6);
});

it('finds nothing in a head that says what another says', () => {
  const { mergedNll, withoutNll } = headGains([knows, knows, guesses], IDS, 'best-head');
  expect(withoutNll.map((nll) => nll - mergedNll)).toEqual([0, 0, 0]);
});
