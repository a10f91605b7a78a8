/** Reads the keys and queries of slots as they are run, all layers in one readback. */
import * as tf from '@tensorflow/tfjs';
import type { Kernels, RopeTables } from '../backend/kernels.ts';
import type { QkvColumns } from './transformer-layer.ts';

/** Gathers them layer by layer. Lives within one `tf.tidy`. */
export class HeadReading {
  private readonly parts: tf.Tensor1D[] = [];

  constructor(
    private readonly kernels: Kernels,
    private readonly columns: QkvColumns,
  ) {}

  /** @param qkv - a layer's stacked projection, `[n, columns]`; borrowed. */
  add(qkv: tf.Tensor2D, rotation: RopeTables | null): void {
    for (const columns of [this.columns.k, this.columns.q]) {
      const rows = this.kernels.takeHeads(qkv, columns, rotation);
      this.parts.push(tf.reshape<tf.Rank.R1>(rows, [rows.size]));
    }
  }

  /** @returns layer after layer, the keys `[n, kvHeads · headDim]` and the queries `[n, heads · headDim]`. */
  finish(): tf.Tensor1D {
    return tf.concat1d(this.parts);
  }
}
