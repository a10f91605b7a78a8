/**
 * Attention between many rows and few, without projecting the many: a product of three is taken from its small side.
 * `(x·Wq)·kᵀ = x·(Wq·kᵀ)` for few keys, `q·(x·Wk)ᵀ = (q·Wkᵀ)·xᵀ` for few queries, and the values likewise; a key's bias
 * adds the same to all logits of a query and falls out of its softmax. The same numbers up to rounding, for a fraction
 * of the multiplications.
 */
import * as tf from '@tensorflow/tfjs';
import { applyLinear, type Linear } from '../../model-folder/weights.ts';

export interface AttentionWeights {
  /** Carries the factor 1 / sqrt(headDim). */
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  /** Without a bias. */
  readonly output: Linear;
}

/** Whether the many are spared more than folding costs: a folded side has a column a head and row of the few. */
export function isWorthFolding(many: number, few: number, heads: number, width: number): boolean {
  return few < many && 2 * heads * few <= width;
}

/**
 * `[n, w]` rows attend over a few `[m, w]`, which are normed as they are. Call inside `tf.tidy`.
 *
 * @returns `[n, w]`, the enclosing tidy's.
 */
export function attendOverFew(
  x: tf.Tensor2D,
  few: tf.Tensor2D,
  { q, k, v, output }: AttentionWeights,
  heads: number,
): tf.Tensor2D {
  const [keys, values] = [applyLinear(few, k), applyLinear(few, v)];
  const [n, m] = [x.shape[0], few.shape[0]];
  const width = keys.shape[1];
  const headKeys = byHead(keys, heads);
  // [heads, w, m] → [w, heads · m]
  const folded = tf.matMul<tf.Tensor3D>(byHead(q.weight, heads), headKeys, false, true);
  const toLogits = tf.reshape<tf.Rank.R2>(tf.transpose(folded, [1, 0, 2]), [x.shape[1], heads * m]);
  const plain = tf.matMul<tf.Tensor2D>(x, toLogits);
  const logits = q.bias === null ? plain : tf.add<tf.Tensor2D>(plain, biasLogits(q.bias, headKeys, heads));
  const shares = tf.reshape<tf.Rank.R2>(tf.softmax(tf.reshape<tf.Rank.R2>(logits, [n * heads, m])), [
    n,
    heads * m,
  ]);
  // [heads, m, headDim] · [heads, headDim, w]
  const outputs = tf.reshape<tf.Rank.R3>(output.weight, [heads, width / heads, output.weight.shape[1]]);
  const fromShares = tf.matMul<tf.Tensor3D>(byHead(values, heads), outputs);
  return tf.matMul(shares, tf.reshape<tf.Rank.R2>(fromShares, [heads * m, output.weight.shape[1]]));
}

/**
 * A few `[n, w]` rows attend over many `[m, w]`, all normed as they are. Call inside `tf.tidy`.
 *
 * @returns `[n, w]`, the enclosing tidy's.
 */
export function fewAttendOver(
  few: tf.Tensor2D,
  x: tf.Tensor2D,
  { q, k, v, output }: AttentionWeights,
  heads: number,
): tf.Tensor2D {
  const queries = applyLinear(few, q);
  const [n, width] = [few.shape[0], queries.shape[1]];
  const inputs = x.shape[1];
  // [heads, n, headDim] · [heads, headDim, w]
  const folded = tf.matMul<tf.Tensor3D>(byHead(queries, heads), byHead(k.weight, heads), false, true);
  const asking = tf.reshape<tf.Rank.R2>(folded, [heads * n, inputs]);
  const shares = tf.softmax(tf.matMul<tf.Tensor2D>(asking, tf.transpose(x)));
  const mixed = tf.reshape<tf.Rank.R3>(tf.matMul<tf.Tensor2D>(shares, x), [heads, n, inputs]);
  const values = tf.matMul<tf.Tensor3D>(mixed, byHead(v.weight, heads));
  const joined = tf.reshape<tf.Rank.R2>(tf.transpose(values, [1, 0, 2]), [n, width]);
  // A query's shares sum to 1, so that a value's bias comes through whole.
  return applyLinear(v.bias === null ? joined : tf.add(joined, v.bias), output);
}

/** `[rows, heads · headDim]` → `[heads, rows, headDim]`. */
function byHead(x: tf.Tensor2D, heads: number): tf.Tensor3D {
  const [rows, width] = x.shape;
  return tf.transpose(tf.reshape<tf.Rank.R3>(x, [rows, heads, width / heads]), [1, 0, 2]);
}

/** `[1, heads · m]` what a query's bias adds to its logits. */
function biasLogits(bias: tf.Tensor1D, headKeys: tf.Tensor3D, heads: number): tf.Tensor2D {
  const rows = tf.reshape<tf.Rank.R3>(bias, [heads, 1, bias.shape[0] / heads]);
  return tf.reshape(tf.matMul(rows, headKeys, false, true), [1, heads * headKeys.shape[1]]);
}
