/**
 * The keys and values of one running context: two fixed-capacity tensors per layer, written in place. They
 * are never read back and never concatenated; forgetting is a smaller length.
 */
import * as tf from '@tensorflow/tfjs';
import type { BaseConfig } from './config.ts';
import type { HeadColumns, Kernels } from '../backend/kernels.ts';

export class KvCache {
  /** Per layer `[capacity, kvHeads · headDim]`; keys are rotated already. */
  readonly keys: readonly tf.Tensor2D[];
  readonly values: readonly tf.Tensor2D[];
  /** Slots that hold something. */
  length = 0;

  /** @throws what the device does when it is full; nothing stays allocated then. */
  constructor(
    config: BaseConfig,
    readonly capacitySlots: number,
  ) {
    const shape: [number, number] = [capacitySlots, config.kvHeads * config.headDim];
    const tensors: tf.Tensor2D[] = [];
    try {
      while (tensors.length < 2 * config.layers) tensors.push(tf.zeros(shape));
    } catch (error) {
      tf.dispose(tensors);
      throw error;
    }
    this.keys = tensors.slice(0, config.layers);
    this.values = tensors.slice(config.layers);
  }

  /** Slot `first + i` becomes what slot `sources[i]` held; any may be moved over any. */
  moveSlots(kernels: Kernels, first: number, sources: Int32Array): void {
    if (sources.length === 0) return;
    tf.tidy(() => {
      for (const target of [...this.keys, ...this.values]) kernels.moveRows(target, first, sources);
    });
  }

  /** Slots `first` to `first + count - 1` become what another cache of the same base holds there. */
  copySlots(kernels: Kernels, other: KvCache, columns: HeadColumns, first: number, count: number): void {
    const mine = [...this.keys, ...this.values];
    const theirs = [...other.keys, ...other.values];
    tf.tidy(() => {
      for (const [i, target] of mine.entries()) {
        const source = theirs[i]!;
        const rows = tf.slice(source, [first, 0], [count, source.shape[1]]);
        kernels.appendHeads(target, first, rows, columns, null);
      }
    });
  }

  dispose(): void {
    tf.dispose([...this.keys, ...this.values]);
  }
}
