/** Rotary positions: angles in float64, cos and sin rounded to float32 once, so big positions stay exact. */
import * as tf from '@tensorflow/tfjs';
import type { RopeTables } from './kernels.ts';

/**
 * @param positions - `[n]` absolute indices, whole or fractional.
 * @returns tables `[n, headDim / 2]`, the caller's to dispose.
 */
export function createRopeTables(positions: ArrayLike<number>, headDim: number, theta: number): RopeTables {
  const half = headDim / 2;
  const frequencies = Float64Array.from({ length: half }, (_, i) => theta ** -((2 * i) / headDim));
  const cos = new Float32Array(positions.length * half);
  const sin = new Float32Array(positions.length * half);
  for (let row = 0; row < positions.length; row++) {
    for (let i = 0; i < half; i++) {
      const angle = positions[row]! * frequencies[i]!;
      cos[row * half + i] = Math.cos(angle);
      sin[row * half + i] = Math.sin(angle);
    }
  }
  const shape: [number, number] = [positions.length, half];
  return { cos: tf.tensor2d(cos, shape), sin: tf.tensor2d(sin, shape) };
}
