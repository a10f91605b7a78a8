/**
 * The operations that TensorFlow.js lacks (RMSNorm, RoPE, in-place cache append, attention, SwiGLU), as one
 * interface with one implementation per backend. Everything is `[rows, columns]` float32.
 */
import type * as tf from '@tensorflow/tfjs';

/** Neighbouring columns of a projection that belong to `heads` heads. */
export interface HeadColumns {
  readonly start: number;
  readonly heads: number;
  readonly headDim: number;
}

/** cos and sin `[rows, headDim / 2]` of each row's angles. */
export interface RopeTables {
  readonly cos: tf.Tensor2D;
  readonly sin: tf.Tensor2D;
}

/**
 * Which keys each query sees. Query i of batch b sees key j iff `firstKey[b] <= j < keyCount` and, where
 * `causalOffset` is a number, `j <= i + causalOffset`. A query that sees nothing gets zeros.
 */
export interface AttentionShape {
  readonly batch: number;
  readonly queriesPerBatch: number;
  /** Rows of one batch in `k` and `v`; more than `keyCount` for a cache with room. */
  readonly keyRowsPerBatch: number;
  readonly keyCount: number;
  readonly causalOffset: number | null;
  /** `[batch]` int32, or null where every key is real. */
  readonly firstKey: tf.Tensor1D | null;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** One query over the first `keyCount` keys. */
export type QueryShape = Pick<AttentionShape, 'keyCount' | 'heads' | 'kvHeads' | 'headDim'>;

/** New tensors are the caller's; inputs are borrowed. Call inside `tf.tidy`. */
export interface Kernels {
  /** `x / sqrt(mean(x²) + epsilon) · weight`, row by row. */
  rmsNorm(x: tf.Tensor2D, weight: tf.Tensor1D, epsilon: number): tf.Tensor2D;
  /** The columns of `x` as a tensor of their own, rotated where tables are given. */
  takeHeads(x: tf.Tensor2D, columns: HeadColumns, rope: RopeTables | null): tf.Tensor2D;
  /** The same, written into `target` from row `firstRow` on, in place. `target` must never be read back. */
  appendHeads(
    target: tf.Tensor2D,
    firstRow: number,
    x: tf.Tensor2D,
    columns: HeadColumns,
    rope: RopeTables | null,
  ): void;
  /** Row `first + i` of `target` becomes what row `sources[i]` was, in place; any may be moved over any. */
  moveRows(target: tf.Tensor2D, first: number, sources: Int32Array): void;
  /**
   * `softmax(q · kᵀ) · v` per head; q is scaled already.
   *
   * @param q - `[batch · queriesPerBatch, heads · headDim]`
   * @param k - `[batch · keyRowsPerBatch, kvHeads · headDim]`, v alike.
   * @returns as q.
   */
  attention(q: tf.Tensor2D, k: tf.Tensor2D, v: tf.Tensor2D, shape: AttentionShape): tf.Tensor2D;
  /**
   * The weights of that softmax for one query that sees every key before `keyCount`.
   *
   * @param q - `[1, heads · headDim]`, scaled already.
   * @param k - `[at least keyCount, kvHeads · headDim]`.
   * @returns `[heads, keyCount]`, each row sums to 1.
   */
  attentionWeights(q: tf.Tensor2D, k: tf.Tensor2D, shape: QueryShape): tf.Tensor2D;
  /** `[rows, 2n]` of gate and up → `[rows, n]` of `silu(gate) · up`. */
  swiGlu(gateUp: tf.Tensor2D): tf.Tensor2D;
}
