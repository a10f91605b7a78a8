/** The tail's side of LensNet: embeddings with their places, and the tail gists that learned queries make. */
import * as tf from '@tensorflow/tfjs';
import type { LensLayers } from './layers.ts';
import type { LensNetConfig } from '../../model-folder/manifest.ts';
import { applyLinear, type Linear } from '../../model-folder/weights.ts';

export class LensTail {
  private readonly tailTokens: number;
  private readonly input: Linear;
  private readonly places: tf.Tensor2D;
  /** Carries the factor 1 / sqrt(width). */
  private readonly queries: tf.Tensor2D;

  constructor(layers: LensLayers, hiddenSize: number, { tailTokens, tailQueries }: LensNetConfig) {
    const { loader, width } = layers;
    this.tailTokens = tailTokens;
    this.input = loadTailInput(layers, hiddenSize);
    this.places = loader.matrix('tail_pos', tailTokens, width);
    this.queries = loader.matrix('tail_queries', tailQueries, width, 1 / Math.sqrt(width));
  }

  /** Tail embeddings `[m, d]` → `[m, w]`, their places right aligned. */
  project(tail: tf.Tensor2D): tf.Tensor2D {
    const count = tail.shape[0];
    const places = tf.slice(this.places, [this.tailTokens - count, 0], [count, this.places.shape[1]]);
    return tf.add(applyLinear(tail, this.input), places);
  }

  /** Encoded tail `[m, w]` → tail gists `[Q, w]`. */
  pool(encoded: tf.Tensor2D): tf.Tensor2D {
    return tf.matMul(tf.softmax(tf.matMul<tf.Tensor2D>(this.queries, tf.transpose(encoded))), encoded);
  }
}

export function loadTailInput({ loader, width }: LensLayers, hiddenSize: number): Linear {
  return loader.linear(hiddenSize, [{ name: 'tail_in', outputs: width }], true);
}
