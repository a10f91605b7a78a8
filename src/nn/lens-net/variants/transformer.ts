/**
 * LensNet's body `transformer`: slots and tail in one bidirectional sequence. A slot sees its window of slots
 * and the whole tail, the tail sees everything, so that the cost grows with N and not with N².
 */
import * as tf from '@tensorflow/tfjs';
import type { LensBody, LensLayers, SelfBlock } from './layers.ts';
import { LensTail } from './tail.ts';
import type { LensVariantConfig } from '../../model-folder/manifest.ts';
import { applyLinear } from '../../model-folder/weights.ts';

/** @throws {WeightError} if the file does not fit the configuration. */
export function loadTransformer(
  layers: LensLayers,
  hiddenSize: number,
  config: LensVariantConfig<'transformer'>,
): LensBody {
  const reader = new LensTail(layers, hiddenSize, config);
  const stack = Array.from({ length: config.layers }, (_, i) => layers.loadSelfBlock(`layers.${i}`));
  const tailNorm = layers.vector('tail_norm.weight');
  return (projected, tail) => {
    const count = projected.shape[0];
    let x = tf.concat2d([projected, reader.project(tail)], 0);
    for (const block of stack) x = runLayer(layers, x, block, count, config.window);
    const encoded = layers.norm(rows(x, count, x.shape[0]), tailNorm);
    return { slots: rows(x, 0, count), queries: reader.pool(encoded) };
  };
}

/** @param x - `[count + m, w]`: slots, then the tail. */
function runLayer(
  layers: LensLayers,
  x: tf.Tensor2D,
  block: SelfBlock,
  count: number,
  window: number,
): tf.Tensor2D {
  const normed = layers.norm(x, block.inputNorm);
  const { q, k, v, output } = block.attention;
  const [queries, keys, values] = [applyLinear(normed, q), applyLinear(normed, k), applyLinear(normed, v)];
  const mixed =
    count <= window
      ? layers.mix(queries, keys, values)
      : mixWindows(layers, queries, keys, values, count, window);
  return layers.finishSelfBlock(x, applyLinear(mixed, output), block);
}

function mixWindows(
  layers: LensLayers,
  queries: tf.Tensor2D,
  keys: tf.Tensor2D,
  values: tf.Tensor2D,
  count: number,
  window: number,
): tf.Tensor2D {
  const total = queries.shape[0];
  const [tailKeys, tailValues] = [rows(keys, count, total), rows(values, count, total)];
  const parts: tf.Tensor2D[] = [];
  for (let start = 0; start < count; start += window) {
    const end = Math.min(start + window, count);
    const seenKeys = tf.concat2d([rows(keys, start, end), tailKeys], 0);
    const seenValues = tf.concat2d([rows(values, start, end), tailValues], 0);
    parts.push(layers.mix(rows(queries, start, end), seenKeys, seenValues));
  }
  parts.push(layers.mix(rows(queries, count, total), keys, values));
  return tf.concat2d(parts, 0);
}

function rows(x: tf.Tensor2D, start: number, end: number): tf.Tensor2D {
  return tf.slice(x, [start, 0], [end - start, x.shape[1]]);
}
