/** How fast the active backend multiplies, measured: what decoding costs most of. */
import * as tf from '@tensorflow/tfjs';

const INPUTS = 1024;
/** More than a processor keeps near itself: a base’s weights are read anew for every token. */
const OUTPUTS = 16_384;
const LONGEST_MS = 100;

/** @returns float32 weights per second that one row of activations is multiplied by. */
export async function measureWeightsPerSecond(now: () => number): Promise<number> {
  const row = tf.ones([1, INPUTS]);
  const weights = tf.ones([INPUTS, OUTPUTS]);
  const run = async (): Promise<void> => {
    const products = tf.matMul(row, weights);
    await products.data();
    products.dispose();
  };
  try {
    // The first run compiles.
    await run();
    const began = now();
    let best = Infinity;
    for (let at = began; at - began < LONGEST_MS;) {
      await run();
      const ended = now();
      best = Math.min(best, ended - at);
      at = ended;
    }
    return (INPUTS * OUTPUTS) / (Math.max(best, 0.01) / 1000);
  } finally {
    tf.dispose([row, weights]);
  }
}
