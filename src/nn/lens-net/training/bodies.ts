/**
 * What sets LensNet's variants apart (docs/models.md), in differentiable operations. Every slot is read, but only
 * the chosen slots come out. Call inside `tf.tidy`.
 */
import * as tf from '@tensorflow/tfjs';
import type { LensVariantConfig } from '../../model-folder/manifest.ts';
import type { DifferentiableLayers, Projected } from './differentiable-layers.ts';
import { product, productOfData } from './differentiable-product.ts';
import type { LensShape } from './trainable-weights.ts';

/** One state on the device. */
export interface ForwardInput {
  /** `[N, 2d + features]` every slot. */
  readonly slots: tf.Tensor2D;
  /** Which of the slots are to be scored, in order. */
  readonly chosen: readonly number[];
  /** `[n, 2d + features]` their rows. */
  readonly chosenSlots: tf.Tensor2D;
  /** `[m, d]`, 1 ≤ m ≤ M. */
  readonly tail: tf.Tensor2D;
}

/** Chosen slots `[n, w]` that know the query, and the query vectors `[Q, w]` that they are matched against. */
interface BodyOutput {
  readonly slots: tf.Tensor2D;
  readonly queries: tf.Tensor2D;
}

/** As `variants/perceiver.ts` has it. */
const COMPETITION_EPSILON = 1e-8;

export function runBody({ config }: LensShape, layers: DifferentiableLayers, input: ForwardInput): BodyOutput {
  switch (config.variant) {
    case 'dual-cross-attention':
      return dualCross(config, layers, input);
    case 'transformer':
      return transformer(config, layers, input);
    case 'perceiver':
      return perceiver(config, layers, input);
    default:
      throw new Error(config satisfies never);
  }
}

function dualCross(
  { tailGists = true }: LensVariantConfig<'dual-cross-attention'>,
  layers: DifferentiableLayers,
  { slots, chosenSlots, tail }: ForwardInput,
): BodyOutput {
  const asked = tailGists
    ? layers.poolTail(layers.selfBlock(layers.tailInput(tail), 'tail_block'))
    : layers.input('tail_in', tf.mean<tf.Tensor2D>(tail, 0, true));
  const queries = layers.crossBlock(asked, layers.input('slot_in', slots), 'read');
  return { slots: scored(layers, chosenSlots, queries), queries };
}

/** The chosen slots, once they have queried what the queries have become. */
function scored(layers: DifferentiableLayers, chosenSlots: tf.Tensor2D, queries: tf.Tensor2D): tf.Tensor2D {
  const keys = tf.concat2d([layers.matrix('null'), queries], 0);
  return layers.crossBlock(layers.input('slot_in', chosenSlots), keys, 'score');
}

function transformer(
  config: LensVariantConfig<'transformer'>,
  layers: DifferentiableLayers,
  { slots, chosen, tail }: ForwardInput,
): BodyOutput {
  const count = slots.shape[0];
  let x = tf.concat2d([layers.input('slot_in', slots), layers.tailInput(tail)], 0);
  for (let layer = 0; layer < config.layers; layer++) {
    x = layers.selfBlock(x, `layers.${layer}`, (projected) =>
      mixWindows(layers, projected, count, config.window),
    );
  }
  const encoded = layers.norm('tail_norm.weight', rows(x, count, x.shape[0]));
  const every = rows(x, 0, count);
  return { slots: productOfData(selection(chosen, count), every), queries: layers.poolTail(encoded) };
}

/** A slot sees its window of slots and the whole tail, the tail sees everything. @param count - slots before the tail. */
function mixWindows(
  layers: DifferentiableLayers,
  { queries, keys, values }: Projected,
  count: number,
  window: number,
): tf.Tensor2D {
  if (count <= window) return layers.mix({ queries, keys, values });
  const total = queries.shape[0];
  const [tailKeys, tailValues] = [rows(keys, count, total), rows(values, count, total)];
  const parts: tf.Tensor2D[] = [];
  for (let start = 0; start < count; start += window) {
    const end = Math.min(start + window, count);
    const seen = {
      keys: tf.concat2d([rows(keys, start, end), tailKeys], 0),
      values: tf.concat2d([rows(values, start, end), tailValues], 0),
    };
    parts.push(layers.mix({ queries: rows(queries, start, end), ...seen }));
  }
  parts.push(layers.mix({ queries: rows(queries, count, total), keys, values }));
  return tf.concat2d(parts, 0);
}

function perceiver(
  { iterations }: LensVariantConfig<'perceiver'>,
  layers: DifferentiableLayers,
  { slots, chosenSlots, tail }: ForwardInput,
): BodyOutput {
  const encoded = layers.selfBlock(layers.tailInput(tail), 'tail_block');
  const read = tf.concat2d([layers.input('slot_in', slots), encoded], 0);
  const normed = layers.norm('compete.norm_in.weight', read);
  const keys = product(normed, layers.matrix('compete.k_proj.weight'));
  const values = product(normed, layers.matrix('compete.v_proj.weight'));
  const scale = 1 / Math.sqrt(layers.width);
  let z = layers.poolTail(encoded);
  for (let round = 0; round < iterations; round++) {
    const latent = layers.norm('compete.norm_latent.weight', z);
    const asked = tf.mul<tf.Tensor2D>(product(latent, layers.matrix('compete.q_proj.weight')), scale);
    // The softmax runs over the latents: each input divides itself among them.
    const shares = tf.transpose(tf.softmax(product(keys, tf.transpose(asked))));
    const totals = tf.add(tf.sum(shares, 1, true), COMPETITION_EPSILON);
    z = gru(layers, tf.div(product(shares, values), totals), z);
    z = tf.add(z, layers.swiGlu('compete.mlp', layers.norm('compete.norm_mlp.weight', z)));
  }
  return { slots: scored(layers, chosenSlots, z), queries: z };
}

/** A gated recurrent unit in PyTorch's order of gates (reset, update, new). */
function gru(layers: DifferentiableLayers, input: tf.Tensor2D, state: tf.Tensor2D): tf.Tensor2D {
  const side = (x: tf.Tensor2D, name: string): readonly tf.Tensor2D[] => {
    const weighted = product(x, layers.matrix(`compete.gru.weight_${name}`));
    const gates = tf.add<tf.Tensor2D>(weighted, layers.vector(`compete.gru.bias_${name}`));
    const { width } = layers;
    return [0, 1, 2].map((gate) => tf.slice(gates, [0, gate * width], [x.shape[0], width]));
  };
  const [resetX, updateX, newX] = side(input, 'ih');
  const [resetH, updateH, newH] = side(state, 'hh');
  const reset = tf.sigmoid(tf.add(resetX!, resetH!));
  const update = tf.sigmoid(tf.add(updateX!, updateH!));
  const fresh = tf.tanh(tf.add<tf.Tensor2D>(newX!, tf.mul(reset, newH!)));
  return tf.add(fresh, tf.mul(update, tf.sub(state, fresh)));
}

/** `[n, count]` with a 1 where a row is chosen: `gather` has no gradient on WASM. */
function selection(chosen: readonly number[], count: number): tf.Tensor2D {
  const picks = new Float32Array(chosen.length * count);
  chosen.forEach((slot, row) => (picks[row * count + slot] = 1));
  return tf.tensor2d(picks, [chosen.length, count]);
}

function rows(x: tf.Tensor2D, start: number, end: number): tf.Tensor2D {
  return tf.slice(x, [start, 0], [end - start, x.shape[1]]);
}
