/**
 * What each head is worth to the merged reading: how much worse the others would read the tokens that follow without
 * it. Pure.
 */
import { mergeWeights, type MergeCandidate } from '../../../core/heads/merging.ts';
import type { MergerId } from '../../../core/parameters/heads.ts';
import type { HeadMerger } from '../../../nn/ports.ts';
import { entropyOf, logSumExp } from './sampler.ts';

/** A head that is read, and what it predicts of the tokens that follow. */
export interface ReadRows {
  /** `[n, V]` logits; row i predicts token i. Borrowed. */
  readonly rows: Float32Array;
  /** As the router has it. */
  readonly utility: number;
  /** `[n]` what a learned merger gives it before each token; absent where another merger weighs. */
  readonly gates?: readonly number[];
}

export interface HeadGains {
  /** Mean negative log-likelihood as all of them merged read the tokens, nats. */
  readonly mergedNll: number;
  /** `[heads]` the same without each one. */
  readonly withoutNll: readonly number[];
}

/**
 * The same heads by their final hidden states, which a learned merger weighs them by.
 *
 * @param states - `[n, heads, d]`, as `continuationStates` has them. @param rows - `[n, heads, V]` what they predict.
 */
export function gatedRows(
  states: Float32Array,
  rows: Float32Array,
  utilities: readonly number[],
  gateOf: HeadMerger,
  tokens: number,
): readonly ReadRows[] {
  const count = utilities.length;
  const d = states.length / tokens / count;
  const v = rows.length / tokens / count;
  return utilities.map((utility, head) => {
    const own = new Float32Array(tokens * v);
    const gates: number[] = [];
    for (let token = 0; token < tokens; token++) {
      const at = token * count + head;
      const row = rows.subarray(at * v, (at + 1) * v);
      own.set(row, token * v);
      gates.push(gateOf(states.subarray(at * d, (at + 1) * d), entropyOf(row), utility));
    }
    return { rows: own, utility, gates };
  });
}

/**
 * Logits are linear in the final hidden states, so that merging rows of them is merging the states.
 *
 * @param heads - two or more.
 */
export function headGains(heads: readonly ReadRows[], ids: Uint32Array, merger: MergerId): HeadGains {
  const vocabulary = heads[0]!.rows.length / ids.length;
  const merged = new Float32Array(vocabulary);
  const sums = new Float64Array(heads.length + 1);
  ids.forEach((id, token) => {
    const rows = heads.map(({ rows }) => rows.subarray(token * vocabulary, (token + 1) * vocabulary));
    const candidates = heads.map(({ utility, gates }, head): MergeCandidate => {
      const entropyNats = merger === 'confident' ? entropyOf(rows[head]!) : 0;
      return { utility, entropyNats, gate: gates?.[token] ?? 0 };
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
