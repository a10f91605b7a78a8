/** Rotations as tensors, for layers that TensorFlow.js runs. */
import * as tf from '@tensorflow/tfjs';
import type { RopeTables } from '../backend/kernels.ts';
import { rotationsOf } from './rope.ts';

/** `rotationsOf` the same as tables `[n, headDim / 2]` on the device, the caller's to dispose. */
export function createRopeTables(
  positions: ArrayLike<number>,
  headDim: number,
  theta: number,
  deviations?: ArrayLike<number>,
): RopeTables {
  const { cos, sin } = rotationsOf(positions, headDim, theta, deviations);
  const shape: [number, number] = [positions.length, headDim / 2];
  return { cos: tf.tensor2d(cos, shape), sin: tf.tensor2d(sin, shape) };
}
