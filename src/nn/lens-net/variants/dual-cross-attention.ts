/** LensNet's default body: tail gists read the slots, then the slots query the tail gists. */
import * as tf from '@tensorflow/tfjs';
import type { LensBody, LensLayers } from './layers.ts';
import { LensTail, loadTailInput } from './tail.ts';
import type { LensVariantConfig } from '../../model-folder/manifest.ts';
import { applyLinear } from '../../model-folder/weights.ts';

/** @throws {WeightError} if the file does not fit the configuration. */
export function loadDualCross(
  layers: LensLayers,
  hiddenSize: number,
  config: LensVariantConfig<'dual-cross-attention'>,
): LensBody {
  const ask =
    config.tailGists === false ? loadMeanTail(layers, hiddenSize) : loadTailGists(layers, hiddenSize, config);
  const read = layers.loadCrossBlock('read');
  const score = layers.loadCrossBlock('score');
  const nullSlot = layers.loader.matrix('null', 1, layers.width);
  return (projected, tail) => {
    const queries = layers.crossBlock(ask(tail), projected, read);
    return { slots: layers.crossBlock(projected, tf.concat2d([nullSlot, queries], 0), score), queries };
  };
}

type Ask = (tail: tf.Tensor2D) => tf.Tensor2D;

function loadTailGists(
  layers: LensLayers,
  hiddenSize: number,
  config: LensVariantConfig<'dual-cross-attention'>,
): Ask {
  const reader = new LensTail(layers, hiddenSize, config);
  const block = layers.loadSelfBlock('tail_block');
  return (tail) => reader.pool(layers.selfBlock(reader.project(tail), block));
}

function loadMeanTail(layers: LensLayers, hiddenSize: number): Ask {
  const input = loadTailInput(layers, hiddenSize);
  return (tail) => applyLinear(tf.mean<tf.Tensor2D>(tail, 0, true), input);
}
