/**
 * The LensNet `dual-cross-attention` of docs/models.md in plain, differentiable TensorFlow.js operations: the
 * kernels that inference uses have no gradients. Every slot is read, but only chosen slots are scored. Call
 * inside `tf.tidy`; new tensors are the caller's, inputs are borrowed.
 */
import * as tf from '@tensorflow/tfjs';
import { product, productOfData } from './differentiable-product.ts';
import type { LensShape } from './trainable-weights.ts';

/** One state on the device. */
export interface ForwardInput {
  /** `[N, 2d + features]` every slot. */
  readonly slots: tf.Tensor2D;
  /** `[n, 2d + features]` the slots whose logits are wanted. */
  readonly chosen: tf.Tensor2D;
  /** `[m, d]`, 1 ≤ m ≤ M. */
  readonly tail: tf.Tensor2D;
}

/** A parameter's tensor by its name, of the shape that `LensParameters` gives it. */
export type Weights = (name: string) => tf.Tensor;

/** @returns `[n]` logits of the chosen slots. */
export function trainingLogits(shape: LensShape, weights: Weights, input: ForwardInput): tf.Tensor1D {
  return new TrainingForward(shape, weights).run(input);
}

class TrainingForward {
  constructor(
    private readonly shape: LensShape,
    private readonly weights: Weights,
  ) {}

  run({ slots, chosen, tail }: ForwardInput): tf.Tensor1D {
    const everySlot = this.input('slot_in', slots);
    let q = this.tailGists(tail);
    q = this.crossBlock(q, everySlot, 'read');
    const keys = tf.concat2d([this.matrix('null'), q], 0);
    const e = this.crossBlock(this.input('slot_in', chosen), keys, 'score');
    const matchQ = toUnit(product(q, this.matrix('match_q.weight')));
    const matchK = toUnit(product(e, this.matrix('match_k.weight')));
    const match = tf.max<tf.Tensor1D>(product(matchK, tf.transpose(matchQ)), 1);
    const head = this.linear('head', this.norm('head_norm.weight', e));
    return tf.add(tf.mul(match, this.weights('match_scale')), tf.reshape(head, [chosen.shape[0]]));
  }

  private tailGists(tail: tf.Tensor2D): tf.Tensor2D {
    const { width, tailTokens } = this.shape.config;
    const count = tail.shape[0];
    const places = tf.slice(this.matrix('tail_pos'), [tailTokens - count, 0], [count, width]);
    const t = tf.add<tf.Tensor2D>(this.input('tail_in', tail), places);
    const normed = this.norm('tail_block.input_layernorm.weight', t);
    const attended = tf.add<tf.Tensor2D>(t, this.attend(normed, normed, 'tail_block.self_attn'));
    const rest = this.norm('tail_block.post_attention_layernorm.weight', attended);
    const encoded = tf.add<tf.Tensor2D>(attended, this.swiGlu('tail_block.mlp', rest));
    const queries = tf.mul<tf.Tensor2D>(this.matrix('tail_queries'), 1 / Math.sqrt(width));
    return product(tf.softmax(product(queries, tf.transpose(encoded))), encoded);
  }

  private crossBlock(x: tf.Tensor2D, other: tf.Tensor2D, name: string): tf.Tensor2D {
    const queries = this.norm(`${name}.norm_q.weight`, x);
    const read = this.norm(`${name}.norm_kv.weight`, other);
    const attended = tf.add<tf.Tensor2D>(x, this.attend(queries, read, `${name}.attn`));
    return tf.add(attended, this.swiGlu(`${name}.mlp`, this.norm(`${name}.norm_mlp.weight`, attended)));
  }

  private attend(x: tf.Tensor2D, other: tf.Tensor2D, name: string): tf.Tensor2D {
    const { heads, width } = this.shape.config;
    const headDim = width / heads;
    const q = tf.mul<tf.Tensor2D>(this.linear(`${name}.q_proj`, x), 1 / Math.sqrt(headDim));
    const k = this.linear(`${name}.k_proj`, other);
    const v = this.linear(`${name}.v_proj`, other);
    const mixed = Array.from({ length: heads }, (_, head) => {
      const take = (y: tf.Tensor2D): tf.Tensor2D => tf.slice(y, [0, head * headDim], [y.shape[0], headDim]);
      return product(tf.softmax(product(take(q), tf.transpose(take(k)))), take(v));
    });
    const joined = mixed.length === 1 ? mixed[0]! : tf.concat2d(mixed, 1);
    return product(joined, this.matrix(`${name}.o_proj.weight`));
  }

  private swiGlu(name: string, x: tf.Tensor2D): tf.Tensor2D {
    const gate = product(x, this.matrix(`${name}.gate_proj.weight`));
    const up = product(x, this.matrix(`${name}.up_proj.weight`));
    const activated = tf.mul<tf.Tensor2D>(tf.mul(gate, tf.sigmoid(gate)), up);
    return product(activated, this.matrix(`${name}.down_proj.weight`));
  }

  /** RMSNorm with its weight. */
  private norm(name: string, x: tf.Tensor2D): tf.Tensor2D {
    const spread = tf.rsqrt(tf.add(tf.mean(tf.square(x), 1, true), this.shape.epsilon));
    return tf.mul(tf.mul(x, spread), this.weights(name));
  }

  private linear(name: string, x: tf.Tensor2D): tf.Tensor2D {
    return tf.add(product(x, this.matrix(`${name}.weight`)), this.weights(`${name}.bias`));
  }

  /** A linear map of data: nobody asks for the data's gradient. */
  private input(name: string, data: tf.Tensor2D): tf.Tensor2D {
    return tf.add(productOfData(data, this.matrix(`${name}.weight`)), this.weights(`${name}.bias`));
  }

  private matrix(name: string): tf.Tensor2D {
    return this.weights(name) as tf.Tensor2D;
  }
}

/** Rows to length 1, with 1e-6 added to the squared norm. */
function toUnit(x: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(x, tf.rsqrt(tf.add(tf.sum(tf.square(x), 1, true), 1e-6)));
}
