/**
 * Attention on the WASM kernels for tensors that live elsewhere: one batch after the other is copied there and back,
 * which costs far less than the JavaScript loop that it takes the place of.
 */
import { KernelMemory } from './kernel-memory.ts';
import type { AttentionShape } from './kernels.ts';

export class KernelAttention {
  private readonly memory: KernelMemory;

  constructor(module: WebAssembly.Module) {
    this.memory = new KernelMemory(module);
  }

  /** Heads of whole vectors. */
  static canRun({ headDim }: Pick<AttentionShape, 'headDim'>): boolean {
    return headDim % 4 === 0;
  }

  /** Parameters and result as `attendLoop` has them. */
  attend(
    q: Float32Array,
    k: Float32Array,
    v: Float32Array,
    out: Float32Array,
    firstKeys: Int32Array | null,
    shape: Omit<AttentionShape, 'firstKey'>,
  ): void {
    const { batch, queriesPerBatch, keyRowsPerBatch, keyCount, causalOffset, heads, kvHeads, headDim } =
      shape;
    const { memory } = this;
    const width = heads * headDim;
    const kvWidth = kvHeads * headDim;
    const [queries, result] = [0, 0].map(() => memory.allocate(queriesPerBatch * width * 4)) as [
      number,
      number,
    ];
    const [keys, values] = [0, 0].map(() => memory.allocate(keyCount * kvWidth * 4)) as [number, number];
    const scores = memory.allocate(3 * Math.ceil(keyCount / 4) * 16);
    const blocks = [queries, result, keys, values, scores];
    try {
      for (let b = 0; b < batch; b++) {
        const fromQuery = b * queriesPerBatch * width;
        const fromKey = b * keyRowsPerBatch * kvWidth;
        const put = (at: number, source: Float32Array, from: number, length: number): void => {
          memory.floats(at, length).set(source.subarray(from, from + length));
        };
        put(queries, q, fromQuery, queriesPerBatch * width);
        put(keys, k, fromKey, keyCount * kvWidth);
        put(values, v, fromKey, keyCount * kvWidth);
        const record = memory.record([
          ...[heads, kvHeads, headDim],
          ...[kvWidth * 4, headDim * 4, width * 4, width * 4],
          ...[keys, values, queries, result],
          ...[firstKeys?.[b] ?? 0, keyCount, causalOffset ?? keyCount],
        ]);
        memory.kernels.attend(record, 0, queriesPerBatch, 0, kvHeads, scores);
        memory.free(record);
        out.set(memory.floats(result, queriesPerBatch * width), fromQuery);
      }
    } finally {
      for (const block of blocks) memory.free(block);
    }
  }
}
