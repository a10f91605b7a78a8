/**
 * LensNet's body `perceiver`: latents that start as tail gists compete for the slots and the tail (slot
 * attention, Locatello et al. 2020), and the slots query what the latents have become.
 */
import * as tf from '@tensorflow/tfjs';
import type { LensBody, LensLayers } from './layers.ts';
import { LensTail } from './tail.ts';
import type { LensVariantConfig } from '../../model-folder/manifest.ts';
import { applyLinear, type Linear } from '../../model-folder/weights.ts';

/** Keeps a latent that nothing chose from dividing by zero. */
const COMPETITION_EPSILON = 1e-8;

/** @throws {WeightError} if the file does not fit the configuration. */
export function loadPerceiver(
  layers: LensLayers,
  hiddenSize: number,
  config: LensVariantConfig<'perceiver'>,
): LensBody {
  const reader = new LensTail(layers, hiddenSize, config);
  const tailBlock = layers.loadSelfBlock('tail_block');
  const compete = loadSlotAttention(layers, config.iterations);
  const score = layers.loadCrossBlock('score');
  const nullSlot = layers.loader.matrix('null', 1, layers.width);
  return (projected, tail) => {
    const encoded = layers.selfBlock(reader.project(tail), tailBlock);
    const queries = compete(reader.pool(encoded), tf.concat2d([projected, encoded], 0));
    return { slots: layers.crossBlock(projected, tf.concat2d([nullSlot, queries], 0), score), queries };
  };
}

/** @returns latents `[Q, w]` and inputs `[n, w]` → latents `[Q, w]`. */
function loadSlotAttention(
  layers: LensLayers,
  iterations: number,
): (latents: tf.Tensor2D, inputs: tf.Tensor2D) => tf.Tensor2D {
  const { loader, width } = layers;
  const project = (name: string, scale = 1): Linear =>
    loader.linear(width, [{ name: `compete.${name}_proj`, outputs: width, scale }], false);
  const [q, k, v] = [project('q', 1 / Math.sqrt(width)), project('k'), project('v')];
  const [normIn, normLatent, normMlp] = ['in', 'latent', 'mlp'].map((name) =>
    layers.vector(`compete.norm_${name}.weight`),
  ) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
  const gru = loadGru(layers, 'compete.gru');
  const mlp = layers.loadSwiGlu('compete.mlp');
  return (latents, inputs) => {
    const normed = layers.norm(inputs, normIn);
    const [keys, values] = [applyLinear(normed, k), applyLinear(normed, v)];
    let z = latents;
    for (let round = 0; round < iterations; round++) {
      const asked = applyLinear(layers.norm(z, normLatent), q);
      // The softmax runs over the latents: each input divides itself among them.
      const shares = tf.transpose(tf.softmax(tf.matMul<tf.Tensor2D>(keys, tf.transpose(asked))));
      const totals = tf.add(tf.sum(shares, 1, true), COMPETITION_EPSILON);
      z = gru(tf.div(tf.matMul<tf.Tensor2D>(shares, values), totals), z);
      z = tf.add(z, layers.swiGlu(layers.norm(z, normMlp), mlp));
    }
    return z;
  };
}

/** A gated recurrent unit in PyTorch's order of gates (reset, update, new), `[n, w]` and `[n, w]` → `[n, w]`. */
function loadGru(
  { loader, width }: LensLayers,
  prefix: string,
): (input: tf.Tensor2D, state: tf.Tensor2D) => tf.Tensor2D {
  const side = (name: string): Linear => ({
    weight: loader.transposed(`${prefix}.weight_${name}`, 3 * width, width, 1),
    bias: loader.vector(`${prefix}.bias_${name}`, 3 * width),
  });
  const [fromInput, fromState] = [side('ih'), side('hh')];
  return (input, state) => {
    const [x, h] = [applyLinear(input, fromInput), applyLinear(state, fromState)];
    const [resetX, updateX, newX] = tf.split(x, 3, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    const [resetH, updateH, newH] = tf.split(h, 3, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    const reset = tf.sigmoid(tf.add(resetX, resetH));
    const update = tf.sigmoid(tf.add(updateX, updateH));
    const fresh = tf.tanh(tf.add(newX, tf.mul(reset, newH)));
    return tf.add(fresh, tf.mul(update, tf.sub(state, fresh)));
  };
}
