/**
 * LensNet (docs/models.md) in plain, differentiable TensorFlow.js operations. Call inside `tf.tidy`; new tensors are
 * the caller's, inputs are borrowed.
 */
import * as tf from '@tensorflow/tfjs';
import { type ForwardInput, runBody } from './bodies.ts';
import { DifferentiableLayers, type Weights } from './differentiable-layers.ts';
import { product } from './differentiable-product.ts';
import type { LensShape } from './trainable-weights.ts';

/** @returns `[n]` logits of the chosen slots. */
export function trainingLogits(shape: LensShape, weights: Weights, input: ForwardInput): tf.Tensor1D {
  const layers = new DifferentiableLayers(shape, weights);
  const { slots, queries } = runBody(shape, layers, input);
  const matchQ = toUnit(product(queries, layers.matrix('match_q.weight')));
  const matchK = toUnit(product(slots, layers.matrix('match_k.weight')));
  const match = tf.max<tf.Tensor1D>(product(matchK, tf.transpose(matchQ)), 1);
  const head = layers.linear('head', layers.norm('head_norm.weight', slots));
  return tf.add(tf.mul(match, layers.vector('match_scale')), tf.reshape(head, [input.chosen.length]));
}

/** Rows to length 1, with 1e-6 added to the squared norm. */
function toUnit(x: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(x, tf.rsqrt(tf.add(tf.sum(tf.square(x), 1, true), 1e-6)));
}
