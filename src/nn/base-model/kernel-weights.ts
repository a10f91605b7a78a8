/**
 * Puts a checkpoint's weights into a kernel memory, each once and as it is stored (`kernels/products.ts`, `Linear`); those
 * of a small one with 16 bits as the float32 that they are worth.
 */
import type { KernelMemory } from '../backend/kernel-memory.ts';
import { GROUP_VALUES } from '../model-folder/stored-rows.ts';
import { type StoredMatrix, type TensorFile, valueCount } from '../model-folder/tensor-file.ts';
import type { LayerShape } from './config.ts';
import { layerTensors } from './tensor-names.ts';

const FORMATS = { f32: 0, f16: 1, bf16: 2, q8: 3, q4: 4 } as const satisfies Record<
  StoredMatrix['format'],
  number
>;
/** `Format.Q16`, and how much its numbers may sum to in a group: times the largest activation, less than 2^31. */
const Q16 = 5;
const Q16_MOST = 32_767;
const Q16_GROUP_MOST = 131_000;
/**
 * Weights that take no more than this as float32 stay near the processor, where widening them costs more than reading
 * twice the bytes: a product of one row then takes half the time. Larger ones come from memory, and their bytes count.
 */
const WIDENED_BYTES = 8 * 2 ** 20;
/** Output rows that the kernels take at once. */
const ROWS_AT_ONCE = 4;

/** Values of a row in memory, padded to a whole vector. */
export function paddedColumns(columns: number): number {
  return Math.ceil(columns / 4) * 4;
}

export class KernelWeights {
  private readonly areWidened: boolean;

  /** @param widenedBytes - of a file's weights as float32, up to which they are widened. */
  constructor(
    readonly memory: KernelMemory,
    private readonly file: TensorFile,
    widenedBytes = WIDENED_BYTES,
  ) {
    this.areWidened = valueCount(file) * Float32Array.BYTES_PER_ELEMENT <= widenedBytes;
  }

  /** @returns where `[size]` float32 begin, padded with zeros to whole vectors. */
  vector(name: string, size: number): number {
    const values = this.file.floats(name, [size]);
    const at = this.memory.allocate(paddedColumns(size) * 4);
    this.memory.floats(at, size).set(values);
    return at;
  }

  /**
   * @param name - without `.weight` or `.bias`.
   * @returns where the descriptor is.
   */
  linear(name: string, outputs: number, inputs: number, hasBias = false): number {
    const { file } = this;
    const shape = [outputs, inputs] as const;
    const stored = file.stored(`${name}.weight`, shape);
    const isWidened = this.areWidened && (stored.format === 'f16' || stored.format === 'bf16');
    const kept: StoredMatrix = isWidened
      ? { format: 'f32', values: file.floats(`${name}.weight`, shape) }
      : stored;
    const bias = hasBias ? this.vector(`${name}.bias`, outputs) : 0;
    return this.store(kept, outputs, inputs, bias);
  }

  /** The same for a matrix at hand; `bias` is a pointer, 0 for none. */
  store(stored: StoredMatrix, outputs: number, inputs: number, bias = 0): number {
    const { memory } = this;
    const isGrouped = stored.format === 'q8' || stored.format === 'q4';
    const source = bytesOf(stored.values);
    const sourceRow = source.length / outputs;
    const perValue = stored.format === 'f32' ? 4 : 2;
    const rowBytes = isGrouped ? sourceRow : paddedColumns(inputs) * perValue;
    const rows = Math.ceil(outputs / ROWS_AT_ONCE) * ROWS_AT_ONCE;
    const weight = memory.allocate(rows * rowBytes);
    const target = memory.bytes(weight, rows * rowBytes);
    if (rowBytes === sourceRow) target.set(source);
    else {
      for (let row = 0; row < outputs; row++) {
        target.set(source.subarray(row * sourceRow, (row + 1) * sourceRow), row * rowBytes);
      }
    }
    const groups = inputs / GROUP_VALUES;
    const scale = isGrouped ? this.interleave(stored.scale, outputs, groups) : 0;
    const least = isGrouped && stored.least !== null ? this.interleave(stored.least, outputs, groups) : 0;
    return memory.record([FORMATS[stored.format], outputs, inputs, rowBytes, weight, scale, least, bias]);
  }

  /**
   * Float32 weights as whole numbers of 16 bits in groups of 32, which products handle twice as many of at a time: each
   * group's as large as its sum allows. As they are where a row is no whole number of groups.
   *
   * @param values - `[outputs, inputs]`
   * @returns where the descriptor is.
   */
  rounded(values: Float32Array, outputs: number, inputs: number, bias = 0): number {
    if (inputs % GROUP_VALUES !== 0) return this.store({ format: 'f32', values }, outputs, inputs, bias);
    const { memory } = this;
    const groups = inputs / GROUP_VALUES;
    const numbers = new Int16Array(outputs * inputs);
    const scales = new Float32Array(outputs * groups);
    for (let group = 0; group < scales.length; group++) {
      const own = values.subarray(group * GROUP_VALUES, (group + 1) * GROUP_VALUES);
      const most = own.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      if (most === 0) continue;
      const sum = own.reduce((total, value) => total + Math.abs(value), 0);
      const factor = Math.min(Q16_MOST / most, (Q16_GROUP_MOST - GROUP_VALUES) / sum);
      scales[group] = 1 / factor;
      own.forEach((value, i) => (numbers[group * GROUP_VALUES + i] = Math.round(value * factor)));
    }
    const rowBytes = 2 * inputs;
    const rows = Math.ceil(outputs / ROWS_AT_ONCE) * ROWS_AT_ONCE;
    const weight = memory.allocate(rows * rowBytes);
    memory.bytes(weight, outputs * rowBytes).set(bytesOf(numbers));
    const scale = this.interleave(scales, outputs, groups);
    return memory.record([Q16, outputs, inputs, rowBytes, weight, scale, 0, bias]);
  }

  /** @returns where a `Layer` of `kernels/llama.ts` is. */
  layer(prefix: string, config: LayerShape, hasRope: boolean): number {
    const { hiddenSize, heads, kvHeads, headDim, intermediateSize, attentionBias } = config;
    const names = layerTensors(prefix);
    return this.memory.record([
      this.vector(names.inputNorm, hiddenSize),
      this.linear(names.q, heads * headDim, hiddenSize, attentionBias),
      this.linear(names.k, kvHeads * headDim, hiddenSize, attentionBias),
      this.linear(names.v, kvHeads * headDim, hiddenSize, attentionBias),
      this.linear(names.output, hiddenSize, heads * headDim),
      this.vector(names.postNorm, hiddenSize),
      this.linear(names.gate, intermediateSize, hiddenSize),
      this.linear(names.up, intermediateSize, hiddenSize),
      this.linear(names.down, hiddenSize, intermediateSize),
      hasRope ? 1 : 0,
    ]);
  }

  /** `[outputs, groups]` → `[outputs / 4, groups, 4]`, zeros behind the last output. */
  private interleave(values: Float32Array, outputs: number, groups: number): number {
    const rows = Math.ceil(outputs / ROWS_AT_ONCE) * ROWS_AT_ONCE;
    const at = this.memory.allocate(rows * groups * 4);
    const target = this.memory.floats(at, rows * groups);
    for (let row = 0, from = 0; row < outputs; row++) {
      const to = (row - (row % ROWS_AT_ONCE)) * groups + (row % ROWS_AT_ONCE);
      for (let group = 0; group < groups; group++, from++) target[to + group * ROWS_AT_ONCE] = values[from]!;
    }
    return at;
  }
}

function bytesOf(values: Float32Array | Uint16Array | Int16Array | Uint8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
