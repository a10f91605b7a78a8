/**
 * The layers of `variants/layers.ts` in plain, differentiable TensorFlow.js operations: the kernels that inference
 * uses have no gradients. Call inside `tf.tidy`; new tensors are the caller's, inputs are borrowed.
 */
import * as tf from '@tensorflow/tfjs';
import { product, productOfData } from './differentiable-product.ts';
import type { LensShape } from './trainable-weights.ts';

/** A parameter's tensor by its name, of the shape that `LensParameters` gives it. */
export type Weights = (name: string) => tf.Tensor;

/** What attention compares and mixes, `[n, w]`, `[m, w]` and `[m, w]`; the queries carry 1 / sqrt(headDim). */
export interface Projected {
  readonly queries: tf.Tensor2D;
  readonly keys: tf.Tensor2D;
  readonly values: tf.Tensor2D;
}

export class DifferentiableLayers {
  readonly width: number;

  constructor(
    private readonly shape: LensShape,
    private readonly weights: Weights,
  ) {
    this.width = shape.config.width;
  }

  /** Tail embeddings `[m, d]` → `[m, w]`, their places right aligned. */
  tailInput(tail: tf.Tensor2D): tf.Tensor2D {
    const { width, tailTokens } = this.shape.config;
    const count = tail.shape[0];
    const places = tf.slice(this.matrix('tail_pos'), [tailTokens - count, 0], [count, width]);
    return tf.add(this.input('tail_in', tail), places);
  }

  /** Encoded tail `[m, w]` → tail gists `[Q, w]`. */
  poolTail(encoded: tf.Tensor2D): tf.Tensor2D {
    const queries = tf.mul<tf.Tensor2D>(this.matrix('tail_queries'), 1 / Math.sqrt(this.width));
    return product(tf.softmax(product(queries, tf.transpose(encoded))), encoded);
  }

  /** Pre-norm attention of one set over another, and a SwiGLU. */
  crossBlock(x: tf.Tensor2D, other: tf.Tensor2D, name: string): tf.Tensor2D {
    const queries = this.norm(`${name}.norm_q.weight`, x);
    const read = this.norm(`${name}.norm_kv.weight`, other);
    const mixed = this.mix(this.project(queries, read, `${name}.attn`));
    const attended = tf.add<tf.Tensor2D>(x, product(mixed, this.matrix(`${name}.attn.o_proj.weight`)));
    return tf.add(attended, this.swiGlu(`${name}.mlp`, this.norm(`${name}.norm_mlp.weight`, attended)));
  }

  /** Pre-norm attention of a set over itself, and a SwiGLU. @param mix - who sees whom; everybody where not said. */
  selfBlock(
    x: tf.Tensor2D,
    name: string,
    mix: (projected: Projected) => tf.Tensor2D = (projected) => this.mix(projected),
  ): tf.Tensor2D {
    const normed = this.norm(`${name}.input_layernorm.weight`, x);
    const mixed = mix(this.project(normed, normed, `${name}.self_attn`));
    const attended = tf.add<tf.Tensor2D>(x, product(mixed, this.matrix(`${name}.self_attn.o_proj.weight`)));
    const rest = this.norm(`${name}.post_attention_layernorm.weight`, attended);
    return tf.add(attended, this.swiGlu(`${name}.mlp`, rest));
  }

  /** `softmax(q · kᵀ) · v` per head, everybody seeing everybody. */
  mix({ queries, keys, values }: Projected): tf.Tensor2D {
    const { heads } = this.shape.config;
    const headDim = this.width / heads;
    const mixed = Array.from({ length: heads }, (_, head) => {
      const take = (y: tf.Tensor2D): tf.Tensor2D => tf.slice(y, [0, head * headDim], [y.shape[0], headDim]);
      return product(tf.softmax(product(take(queries), tf.transpose(take(keys)))), take(values));
    });
    return mixed.length === 1 ? mixed[0]! : tf.concat2d(mixed, 1);
  }

  swiGlu(name: string, x: tf.Tensor2D): tf.Tensor2D {
    const gate = product(x, this.matrix(`${name}.gate_proj.weight`));
    const up = product(x, this.matrix(`${name}.up_proj.weight`));
    const activated = tf.mul<tf.Tensor2D>(tf.mul(gate, tf.sigmoid(gate)), up);
    return product(activated, this.matrix(`${name}.down_proj.weight`));
  }

  /** RMSNorm with its weight. */
  norm(name: string, x: tf.Tensor2D): tf.Tensor2D {
    const spread = tf.rsqrt(tf.add(tf.mean(tf.square(x), 1, true), this.shape.epsilon));
    return tf.mul(tf.mul(x, spread), this.weights(name));
  }

  linear(name: string, x: tf.Tensor2D): tf.Tensor2D {
    return tf.add(product(x, this.matrix(`${name}.weight`)), this.weights(`${name}.bias`));
  }

  /** A linear map of data: nobody asks for the data's gradient. */
  input(name: string, data: tf.Tensor2D): tf.Tensor2D {
    return tf.add(productOfData(data, this.matrix(`${name}.weight`)), this.weights(`${name}.bias`));
  }

  matrix(name: string): tf.Tensor2D {
    return this.weights(name) as tf.Tensor2D;
  }

  /** A vector, to be added to every row or multiplied with it. */
  vector(name: string): tf.Tensor1D {
    return this.weights(name) as tf.Tensor1D;
  }

  private project(x: tf.Tensor2D, other: tf.Tensor2D, name: string): Projected {
    const scale = 1 / Math.sqrt(this.width / this.shape.config.heads);
    return {
      queries: tf.mul(this.linear(`${name}.q_proj`, x), scale),
      keys: this.linear(`${name}.k_proj`, other),
      values: this.linear(`${name}.v_proj`, other),
    };
  }
}
