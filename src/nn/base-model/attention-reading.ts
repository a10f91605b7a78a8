/** Folds the newest slot's attention, layer by layer, into one weight per slot. Lives within one `tf.tidy`. */
import * as tf from '@tensorflow/tfjs';
import type { AttentionReading } from '../../core/parameters/measurement.ts';

export class AttentionFold {
  private folded: tf.Tensor1D | null = null;

  constructor(
    private readonly reading: AttentionReading,
    private readonly layers: number,
  ) {}

  /** Does this layer count. */
  wants(layer: number): boolean {
    return this.reading !== 'last-layer' || layer === this.layers - 1;
  }

  /** @param weights - `[heads, slots]`, each row a softmax; borrowed. */
  add(weights: tf.Tensor2D): void {
    const isStrongest = this.reading === 'strongest-head';
    const layer: tf.Tensor1D = isStrongest ? tf.max(weights, 0) : tf.mean(weights, 0);
    if (this.folded === null) this.folded = layer;
    else this.folded = isStrongest ? tf.maximum(this.folded, layer) : tf.add(this.folded, layer);
  }

  /** @returns `[slots]`, sums to 1. */
  finish(): tf.Tensor1D {
    if (this.folded === null) throw new Error('No layer was read.');
    return tf.div(this.folded, tf.sum(this.folded));
  }
}
