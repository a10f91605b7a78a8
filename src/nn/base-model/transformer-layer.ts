/**
 * One pre-norm Llama layer: its weights and its two halves around attention. The base model and GistNet
 * share it; who stores keys and values, and who sees whom, is theirs.
 */
import * as tf from '@tensorflow/tfjs';
import type { BaseConfig } from './config.ts';
import type { HeadColumns, Kernels } from '../backend/kernels.ts';
import { applyLinear, type Linear, type WeightLoader } from '../model-folder/weights.ts';
import { layerTensors } from './tensor-names.ts';

export interface TransformerLayer {
  readonly inputNorm: tf.Tensor1D;
  /** q, k and v side by side; q carries the factor 1 / sqrt(headDim). */
  readonly qkv: Linear;
  readonly output: Linear;
  readonly postNorm: tf.Tensor1D;
  /** gate and up side by side. */
  readonly gateUp: Linear;
  readonly down: Linear;
}

/** Where q, k and v lie in the stacked projection. */
export interface QkvColumns {
  readonly q: HeadColumns;
  readonly k: HeadColumns;
  readonly v: HeadColumns;
}

export function qkvColumns({ heads, kvHeads, headDim }: BaseConfig): QkvColumns {
  return {
    q: { start: 0, heads, headDim },
    k: { start: heads * headDim, heads: kvHeads, headDim },
    v: { start: (heads + kvHeads) * headDim, heads: kvHeads, headDim },
  };
}

/**
 * @param prefix - for example `model.layers.0`.
 * @throws {WeightError} if a tensor is missing or has another shape than the configuration says.
 */
export function loadTransformerLayer(
  loader: WeightLoader,
  prefix: string,
  config: BaseConfig,
): TransformerLayer {
  const { hiddenSize, heads, kvHeads, headDim, intermediateSize, attentionBias } = config;
  const names = layerTensors(prefix);
  const qkv = [
    { name: names.q, outputs: heads * headDim, scale: 1 / Math.sqrt(headDim) },
    { name: names.k, outputs: kvHeads * headDim },
    { name: names.v, outputs: kvHeads * headDim },
  ];
  const gateUp = [
    { name: names.gate, outputs: intermediateSize },
    { name: names.up, outputs: intermediateSize },
  ];
  return {
    inputNorm: loader.vector(names.inputNorm, hiddenSize),
    qkv: loader.linear(hiddenSize, qkv, attentionBias),
    output: loader.linear(heads * headDim, [{ name: names.output, outputs: hiddenSize }], false),
    postNorm: loader.vector(names.postNorm, hiddenSize),
    gateUp: loader.linear(hiddenSize, gateUp, false),
    down: loader.linear(intermediateSize, [{ name: names.down, outputs: hiddenSize }], false),
  };
}

/** `[rows, d]` → the stacked q, k, v `[rows, (heads + 2 · kvHeads) · headDim]`. */
export function projectQkv(
  kernels: Kernels,
  layer: TransformerLayer,
  x: tf.Tensor2D,
  epsilon: number,
): tf.Tensor2D {
  return applyLinear(kernels.rmsNorm(x, layer.inputNorm, epsilon), layer.qkv);
}

/**
 * What follows attention: output projection, residual, MLP, residual.
 *
 * @param x - `[rows, d]` the layer's input.
 * @param mixed - `[rows, heads · headDim]` attention's result.
 */
export function finishLayer(
  kernels: Kernels,
  layer: TransformerLayer,
  x: tf.Tensor2D,
  mixed: tf.Tensor2D,
  epsilon: number,
): tf.Tensor2D {
  const attended = tf.add<tf.Tensor2D>(x, applyLinear(mixed, layer.output));
  const normed = kernels.rmsNorm(attended, layer.postNorm, epsilon);
  const activated = kernels.swiGlu(applyLinear(normed, layer.gateUp));
  return tf.add(attended, applyLinear(activated, layer.down));
}
