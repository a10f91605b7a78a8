/**
 * What each head is worth to the merged reading: how much worse the others would read the tokens that follow without
 * it. Pure.
 */
import { mergeWeights, type MergeCandidate } from '../../../core/heads/merging.ts';
import type { MergerId } from '../../../core/parameters/heads.ts';
import { entropyOf, logSumExp } from './sampler.ts';

/** A head that is read, and what it predicts of the tokens that follow. */
export interface ReadRows {
  /** `[n, V]` logits; row i predicts token i. Borrowed. */
  readonly rows: Float32Array;
  /** As the router has it. */
  readonly utility: number;
}

export interface HeadGains {
  /** Mean negative log-likelihood as all of them merged read the tokens, nats. */
  readonly mergedNll: number;
  /** `[heads]` the same without each one. */
  readonly withoutNll: readonly number[];
}

/** The mergers that need no final hidden states, which a row of logits no longer tells. */
export type GainMerger = Exclude<MergerId, 'learned'>;

/**
 * Logits are linear in the final hidden states, so that merging rows of them is merging the states.
 *
 * @param heads - two or more.
 */
export function headGains(heads: readonly ReadRows[], ids: Uint32Array, merger: GainMerger): HeadGains {
  const vocabulary = heads[0]!.rows.length / ids.length;
  const merged = new Float32Array(vocabulary);
  const sums = new Float64Array(heads.length + 1);
  ids.forEach((id, token) => {
    const rows = heads.map(({ rows }) => rows.subarray(token * vocabulary, (token + 1) * vocabulary));
    const candidates = heads.map(({ utility }, head): MergeCandidate => {
      const entropyNats = merger === 'confident' ? entropyOf(rows[head]!) : 0;
      return { utility, entropyNats, gate: 0 };
    });
    for (let left = -1; left < heads.length; left++) {
      const kept = [...heads.keys()].filter((head) => head !== left);
      const weights = mergeWeights(
        merger,
        kept.map((head) => candidates[head]!),
      );
      merged.fill(0);
      for (const [i, head] of kept.entries()) addScaled(merged, rows[head]!, weights[i]!);
      sums[left + 1]! += logSumExp(merged) - merged[id]!;
    }
  });
  const [mergedNll, ...withoutNll] = Array.from(sums, (sum) => sum / ids.length);
  return { mergedNll: mergedNll!, withoutNll };
}

function addScaled(sum: Float32Array, row: Float32Array, weight: number): void {
  for (let i = 0; i < row.length; i++) sum[i]! += weight * row[i]!;
}
