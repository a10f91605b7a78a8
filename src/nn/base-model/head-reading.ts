/** Reads the keys and queries of slots as they are run, all layers in one readback. */
import * as tf from '@tensorflow/tfjs';
import type { Kernels, RopeTables } from '../backend/kernels.ts';
import type { AttentionHeads, SlotHeads } from '../ports.ts';
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

/** Puts together what was read chunk by chunk. */
export class SlotHeadsBuffer implements SlotHeads {
  readonly keys: readonly Float32Array[];
  readonly queries: readonly Float32Array[];

  constructor(
    slots: number,
    layers: number,
    private readonly shape: AttentionHeads,
  ) {
    const { heads, kvHeads, headDim } = shape;
    const rows = (count: number) =>
      Array.from({ length: layers }, () => new Float32Array(slots * count * headDim));
    this.keys = rows(kvHeads);
    this.queries = rows(heads);
  }

  /** @param values - as `HeadReading.finish` has them, of `count` slots from `start` on. */
  put(values: Float32Array, start: number, count: number): void {
    const { heads, kvHeads, headDim } = this.shape;
    let at = 0;
    for (const [layer, keys] of this.keys.entries()) {
      for (const [target, width] of [
        [keys, kvHeads * headDim],
        [this.queries[layer]!, heads * headDim],
      ] as const) {
        target.set(values.subarray(at, at + count * width), start * width);
        at += count * width;
      }
    }
  }
}
