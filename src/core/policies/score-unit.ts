/**
 * What a LensNet's score says: the expected gain of an entry's detail, in nats a token of what comes next, over the
 * price of that detail. Training aims at it (`training/train/lens_gains.py`); docs/models.md has the definition.
 */

/** Score for one nat of gain, before the tanh. */
export const SCORE_SLOPE = 3;
/** What detail must be worth to score above zero, as a score: raw text that is kept, and a gist that opens. */
export const SCORE_PRICES = { raw: 0.4, gist: 0.12 } as const;
/** Keeps a score at the end of the scale finite. */
const LARGEST_SCORE = 0.999;

/**
 * The gain that a score stands for, in nats a token. Scores of gists and of raw text are of one unit only here: their
 * prices differ.
 *
 * @param lod - of the entry that was scored.
 */
export function expectedGainNats(score: number, lod: number): number {
  const limited = Math.max(-LARGEST_SCORE, Math.min(LARGEST_SCORE, score));
  return (Math.atanh(limited) + SCORE_PRICES[lod === 0 ? 'raw' : 'gist']) / SCORE_SLOPE;
}
