/**
 * Attention of many queries over many keys as matrix products, one head at a time: on WASM, XNNPACK runs
 * only unbatched, untransposed products. Keys and values are copied out of their tensors first, because
 * XNNPACK packs its right-hand side once per tensor and would not see a cache that is written in place. The library's
 * own slices copy the whole tensor before they take a part, which for a cache with room is most of the work.
 */
import * as tf from '@tensorflow/tfjs';
import type { AttentionShape } from './kernels.ts';

/** Copies `rows` first rows of `width` columns from `start` on into a tensor of their own: `[width, rows]` if transposed. */
export type CopyColumns = (
  x: tf.Tensor2D,
  rows: number,
  start: number,
  width: number,
  isTransposed: boolean,
) => tf.Tensor2D;

/**
 * @param hideLaterKeys - masks scores `[queries, keys]` in place.
 * @returns as `Kernels.attention`.
 */
export function attendDense(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  shape: AttentionShape,
  hideLaterKeys: (scores: tf.Tensor2D, causalOffset: number) => void,
  copyColumns: CopyColumns,
): tf.Tensor2D {
  const { keyCount, causalOffset, heads, kvHeads, headDim, queriesPerBatch } = shape;
  const group = heads / kvHeads;
  return tf.tidy(() => {
    const perHead: tf.Tensor2D[] = [];
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const keys = copyColumns(k, keyCount, kvHead * headDim, headDim, true);
      const values = copyColumns(v, keyCount, kvHead * headDim, headDim, false);
      for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
        const queries = copyColumns(q, queriesPerBatch, head * headDim, headDim, false);
        const scores = tf.matMul<tf.Tensor2D>(queries, keys);
        if (causalOffset !== null) hideLaterKeys(scores, causalOffset);
        perHead.push(tf.matMul(tf.softmax(scores), values));
      }
    }
    return perHead.length === 1 ? perHead[0]! : tf.concat2d(perHead, 1);
  });
}
