/** From slot scores to entry scores: the mean over an entry's slots. */
import { K } from '../tree/ids.ts';
import type { SlotView } from '../context/slot-view.ts';

/** A scorer broke its contract. */
export class ScoreError extends Error {
  override readonly name = 'ScoreError';
}

/**
 * Mean score per entry.
 *
 * @param slotScores - `[N]`, as a scorer gives them.
 * @returns `[entries.length]`; NaN or infinite where one of the entry's slots was.
 * @throws {ScoreError} if there is not one score per slot.
 */
export function entryScores(view: SlotView, slotScores: Float32Array): Float32Array {
  if (slotScores.length !== view.slotCount) {
    throw new ScoreError(`The scorer gave ${slotScores.length} scores for ${view.slotCount} slots.`);
  }
  const scores = new Float32Array(view.entries.length);
  let slot = 0;
  for (let i = 0; i < scores.length; i++) {
    const { cost } = view.entries[i]!;
    let sum = 0;
    for (let last = slot + cost; slot < last; slot++) sum += slotScores[slot]!;
    scores[i] = sum / cost;
  }
  return scores;
}

/** Score of K siblings: the mean over their entries, from entry `first` on. */
export function siblingGroupScore(scores: Float32Array, first: number): number {
  let sum = 0;
  for (let i = first; i < first + K; i++) sum += scores[i]!;
  return sum / K;
}

/** The same scores limited to [-1, 1], with anything not finite replaced by 0 and counted. */
export function sanitiseScores(scores: Float32Array): {
  readonly scores: Float32Array;
  readonly notFinite: number;
} {
  let notFinite = 0;
  const limited = scores.map((score) => {
    if (Number.isFinite(score)) return Math.max(-1, Math.min(1, score));
    notFinite++;
    return 0;
  });
  return { scores: limited, notFinite };
}
