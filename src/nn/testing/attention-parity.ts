/** Measures how far the active backend's attention weights are from the definition. Shared by tests under Node and in the browser. */
import * as tf from '@tensorflow/tfjs';
import { activeKernels } from '../backend/active-kernels.ts';
import { startTensorFlow } from '../backend/device.ts';
import { largestError } from './fixture-parity.ts';
import { randomValues } from './synthetic-weights.ts';

const SHAPE = { keyCount: 150, heads: 4, kvHeads: 2, headDim: 8 };
const CAPACITY = 160;

/** @returns the largest absolute error over all heads and keys. */
export async function measureWeightError(): Promise<number> {
  await startTensorFlow();
  const { heads, kvHeads, headDim } = SHAPE;
  const queries = randomValues(heads * headDim, 21).map((value) => value * 3);
  const keys = randomValues(CAPACITY * kvHeads * headDim, 22).map((value) => value * 3);
  const weights = tf.tidy(() =>
    activeKernels().attentionWeights(
      tf.tensor2d(queries, [1, heads * headDim]),
      tf.tensor2d(keys, [CAPACITY, kvHeads * headDim]),
      SHAPE,
    ),
  );
  const found = await weights.data<'float32'>();
  weights.dispose();
  return largestError(found, byDefinition(queries, keys));
}

function byDefinition(queries: Float32Array, keys: Float32Array): Float32Array {
  const { keyCount, heads, kvHeads, headDim } = SHAPE;
  const all: number[] = [];
  for (let head = 0; head < heads; head++) {
    const kvHead = Math.floor(head / (heads / kvHeads));
    const numerators = Array.from({ length: keyCount }, (_, key) => {
      let dot = 0;
      for (let i = 0; i < headDim; i++) {
        dot += queries[head * headDim + i]! * keys[(key * kvHeads + kvHead) * headDim + i]!;
      }
      return Math.exp(dot);
    });
    const total = numerators.reduce((sum, value) => sum + value, 0);
    all.push(...numerators.map((value) => value / total));
  }
  return Float32Array.from(all);
}
