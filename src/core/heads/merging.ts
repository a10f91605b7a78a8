/** The weights by which the final hidden states of several heads become one. Pure. */
import type { MergerId } from '../parameters/heads.ts';

/** How many nats of entropy make a head e times lighter. */
export const ENTROPY_SCALE_NATS = 0.5;

/** One head that was read, as mergers see it. */
export interface MergeCandidate {
  /** As the router has it. */
  readonly utility: number;
  /** Of its own next-token distribution, nats. */
  readonly entropyNats: number;
  /** What a learned merger gives it, before the softmax; 0 where there is none. */
  readonly gate: number;
}

/** What certainty gives a head before the softmax. */
export function confidentGate(entropyNats: number): number {
  return -entropyNats / ENTROPY_SCALE_NATS;
}

/** `[heads]` weights, none negative, that sum to 1. @param heads - at least one. */
export function mergeWeights(merger: MergerId, heads: readonly MergeCandidate[]): Float64Array {
  if (heads.length === 1) return Float64Array.of(1);
  switch (merger) {
    case 'mean':
      return new Float64Array(heads.length).fill(1 / heads.length);
    case 'confident':
      return softmax(heads.map(({ entropyNats }) => confidentGate(entropyNats)));
    case 'best-head': {
      const weights = new Float64Array(heads.length);
      weights[indexOfMost(heads.map(({ utility }) => utility))] = 1;
      return weights;
    }
    case 'learned':
      return softmax(heads.map(({ gate }) => gate));
  }
}

/**
 * The weighted sum of final hidden states, or of the logits that each gives: the LM head is linear, so that it may run
 * before as well as after. A single row comes out as it is, bit for bit.
 *
 * @param rows - `[heads, n]`; borrowed.
 * @returns `[n]`; owned by the caller.
 */
export function mergeRows(rows: Float32Array, weights: Float64Array): Float32Array {
  const n = rows.length / weights.length;
  if (weights.length === 1) return rows.slice();
  const merged = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let head = 0; head < weights.length; head++) sum += weights[head]! * rows[head * n + i]!;
    merged[i] = sum;
  }
  return merged;
}

/** Of nothing, nothing. */
export function softmax(logits: readonly number[]): Float64Array {
  const most = Math.max(...logits);
  const weights = Float64Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** The first of equals. */
function indexOfMost(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);
}
