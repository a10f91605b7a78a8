/**
 * Attention as JavaScript loops over plain arrays: for one query at a time over a long cache, and for many
 * small batches, where an operation's overhead would cost more than its arithmetic.
 */
import type { AttentionShape, QueryShape } from './kernels.ts';

/**
 * @param q - as `Kernels.attention`, k and v alike.
 * @param out - overwritten with the result.
 * @param firstKeys - `[batch]`, or null where every key is real.
 */
export function attendLoop(
  q: Float32Array,
  k: Float32Array,
  v: Float32Array,
  out: Float32Array,
  firstKeys: Int32Array | null,
  shape: Omit<AttentionShape, 'firstKey'>,
): void {
  const { batch, queriesPerBatch, keyRowsPerBatch, keyCount, causalOffset, heads, kvHeads, headDim } = shape;
  const width = heads * headDim;
  const kvWidth = kvHeads * headDim;
  const group = heads / kvHeads;
  const scores = new Float64Array(keyCount);
  const query = new Float64Array(headDim);
  const mixed = new Float64Array(headDim);
  for (let b = 0; b < batch; b++) {
    const first = firstKeys === null ? 0 : firstKeys[b]!;
    for (let i = 0; i < queriesPerBatch; i++) {
      const end = causalOffset === null ? keyCount : Math.min(keyCount, i + causalOffset + 1);
      if (end <= first) {
        out.fill(0, (b * queriesPerBatch + i) * width, (b * queriesPerBatch + i + 1) * width);
        continue;
      }
      for (let head = 0; head < heads; head++) {
        const at = (b * queriesPerBatch + i) * width + head * headDim;
        const keysAt = b * keyRowsPerBatch * kvWidth + Math.floor(head / group) * headDim;
        for (let j = 0; j < headDim; j++) query[j] = q[at + j]!;
        scoreKeys(query, k, keysAt, kvWidth, first, end, scores);
        const total = exponentiate(scores, first, end);
        mixed.fill(0);
        mixValues(scores, v, keysAt, kvWidth, first, end, mixed);
        for (let j = 0; j < headDim; j++) out[at + j] = mixed[j]! / total;
      }
    }
  }
}

/**
 * The softmax weights of one query.
 *
 * @param q - as `Kernels.attentionWeights`, k alike.
 * @param out - `[heads, keyCount]`, overwritten.
 */
export function weighKeysLoop(
  q: Float32Array,
  k: Float32Array,
  out: Float32Array,
  { keyCount, heads, kvHeads, headDim }: QueryShape,
): void {
  const group = heads / kvHeads;
  const scores = new Float64Array(keyCount);
  for (let head = 0; head < heads; head++) {
    const query = Float64Array.from(q.subarray(head * headDim, (head + 1) * headDim));
    scoreKeys(query, k, Math.floor(head / group) * headDim, kvHeads * headDim, 0, keyCount, scores);
    const total = exponentiate(scores, 0, keyCount);
    for (let key = 0; key < keyCount; key++) out[head * keyCount + key] = scores[key]! / total;
  }
}

/** Dot products of one query with four keys at a time: each query value is loaded once for four. */
function scoreKeys(
  query: Float64Array,
  k: Float32Array,
  keysAt: number,
  stride: number,
  first: number,
  end: number,
  scores: Float64Array,
): void {
  const headDim = query.length;
  let key = first;
  for (; key + 4 <= end; key += 4) {
    const k0 = keysAt + key * stride;
    const k1 = k0 + stride;
    const k2 = k1 + stride;
    const k3 = k2 + stride;
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let j = 0; j < headDim; j++) {
      const value = query[j]!;
      s0 += value * k[k0 + j]!;
      s1 += value * k[k1 + j]!;
      s2 += value * k[k2 + j]!;
      s3 += value * k[k3 + j]!;
    }
    scores[key] = s0;
    scores[key + 1] = s1;
    scores[key + 2] = s2;
    scores[key + 3] = s3;
  }
  for (; key < end; key++) {
    const at = keysAt + key * stride;
    let sum = 0;
    for (let j = 0; j < headDim; j++) sum += query[j]! * k[at + j]!;
    scores[key] = sum;
  }
}

/** Scores to softmax numerators, in place; returns their sum. */
function exponentiate(scores: Float64Array, first: number, end: number): number {
  let highest = -Infinity;
  for (let key = first; key < end; key++) if (scores[key]! > highest) highest = scores[key]!;
  let total = 0;
  for (let key = first; key < end; key++) {
    const weight = Math.exp(scores[key]! - highest);
    scores[key] = weight;
    total += weight;
  }
  return total;
}

/** Adds the weighted values of four keys at a time: each sum is loaded and stored once for four. */
function mixValues(
  weights: Float64Array,
  v: Float32Array,
  valuesAt: number,
  stride: number,
  first: number,
  end: number,
  mixed: Float64Array,
): void {
  const headDim = mixed.length;
  let key = first;
  for (; key + 4 <= end; key += 4) {
    const v0 = valuesAt + key * stride;
    const v1 = v0 + stride;
    const v2 = v1 + stride;
    const v3 = v2 + stride;
    const w0 = weights[key]!;
    const w1 = weights[key + 1]!;
    const w2 = weights[key + 2]!;
    const w3 = weights[key + 3]!;
    for (let j = 0; j < headDim; j++) {
      mixed[j] = mixed[j]! + w0 * v[v0 + j]! + w1 * v[v1 + j]! + w2 * v[v2 + j]! + w3 * v[v3 + j]!;
    }
  }
  for (; key < end; key++) {
    const at = valuesAt + key * stride;
    for (let j = 0; j < headDim; j++) mixed[j] = mixed[j]! + weights[key]! * v[at + j]!;
  }
}
