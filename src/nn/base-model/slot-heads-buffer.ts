/** The keys and queries of slots, put together as they are read chunk by chunk. */
import type { AttentionHeads, SlotHeads } from '../ports.ts';

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
