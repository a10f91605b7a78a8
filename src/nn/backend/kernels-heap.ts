/**
 * The custom kernels for the 'wasm' and 'cpu' backends: JavaScript loops straight over the WASM heap (or
 * the CPU values), because at one row per step an operation's overhead costs more than its arithmetic.
 */
import * as tf from '@tensorflow/tfjs';
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { KernelAttention } from './attention-kernel.ts';
import { attendDense, type CopyColumns } from './attention-dense.ts';
import { attendLoop, weighKeysLoop } from './attention-loop.ts';
import type { AttentionShape, HeadColumns, Kernels, QueryShape, RopeTables } from './kernels.ts';

/** From this many query-key pairs per head on, XNNPACK matrix products beat the JavaScript loop. */
const DENSE_PAIRS = 2048;
const MANY_ROWS = 16;

export class HeapKernels implements Kernels {
  private readonly simd: KernelAttention | null;

  /** @param module - the WASM kernels, where they run. */
  constructor(module: WebAssembly.Module | null) {
    this.simd = module === null ? null : new KernelAttention(module);
  }

  rmsNorm(x: tf.Tensor2D, weight: tf.Tensor1D, epsilon: number): tf.Tensor2D {
    const [rows, columns] = x.shape;
    const result = emptyTensor(rows, columns);
    const [source, scale, out] = [valuesOf(x), valuesOf(weight), valuesOf(result)];
    for (let row = 0; row < rows; row++) {
      const base = row * columns;
      let squares = 0;
      for (let i = base; i < base + columns; i++) squares += source[i]! * source[i]!;
      const factor = 1 / Math.sqrt(squares / columns + epsilon);
      for (let i = 0; i < columns; i++) out[base + i] = source[base + i]! * factor * scale[i]!;
    }
    return result;
  }

  takeHeads(x: tf.Tensor2D, columns: HeadColumns, rope: RopeTables | null): tf.Tensor2D {
    const result = emptyTensor(x.shape[0], columns.heads * columns.headDim);
    this.appendHeads(result, 0, x, columns, rope);
    return result;
  }

  appendHeads(
    target: tf.Tensor2D,
    firstRow: number,
    x: tf.Tensor2D,
    { start, heads, headDim }: HeadColumns,
    rope: RopeTables | null,
  ): void {
    const [rows, columns] = x.shape;
    const width = heads * headDim;
    const half = headDim / 2;
    const [source, out] = [valuesOf(x), valuesOf(target)];
    const cos = rope && valuesOf(rope.cos);
    const sin = rope && valuesOf(rope.sin);
    for (let row = 0; row < rows; row++) {
      const from = row * columns + start;
      const to = (firstRow + row) * width;
      if (cos === null || sin === null) {
        out.set(source.subarray(from, from + width), to);
        continue;
      }
      for (let head = 0; head < width; head += headDim) {
        for (let i = 0; i < half; i++) {
          const low = source[from + head + i]!;
          const high = source[from + head + half + i]!;
          const c = cos[row * half + i]!;
          const s = sin[row * half + i]!;
          out[to + head + i] = low * c - high * s;
          out[to + head + half + i] = high * c + low * s;
        }
      }
    }
  }

  moveRows(target: tf.Tensor2D, first: number, sources: Int32Array): void {
    const width = target.shape[1];
    const out = valuesOf(target);
    const lowest = sources.reduce((low, source) => Math.min(low, source), target.shape[0]);
    const highest = sources.reduce((high, source) => Math.max(high, source), 0);
    const before = out.slice(lowest * width, (highest + 1) * width);
    sources.forEach((source, i) => {
      const from = (source - lowest) * width;
      out.set(before.subarray(from, from + width), (first + i) * width);
    });
  }

  attention(q: tf.Tensor2D, k: tf.Tensor2D, v: tf.Tensor2D, shape: AttentionShape): tf.Tensor2D {
    if (shape.batch === 1 && shape.firstKey === null) {
      if (shape.queriesPerBatch >= 8 && shape.queriesPerBatch * shape.keyCount >= DENSE_PAIRS) {
        return attendDense(q, k, v, shape, hideLaterKeys, copyColumns);
      }
    }
    const result = emptyTensor(q.shape[0], q.shape[1]);
    const firstKeys = shape.firstKey && integersOf(shape.firstKey);
    const values = [valuesOf(q), valuesOf(k), valuesOf(v), valuesOf(result), firstKeys] as const;
    if (this.simd !== null && KernelAttention.canRun(shape)) this.simd.attend(...values, shape);
    else attendLoop(...values, shape);
    return result;
  }

  attentionWeights(q: tf.Tensor2D, k: tf.Tensor2D, shape: QueryShape): tf.Tensor2D {
    const result = emptyTensor(shape.heads, shape.keyCount);
    weighKeysLoop(valuesOf(q), valuesOf(k), valuesOf(result), shape);
    return result;
  }

  swiGlu(gateUp: tf.Tensor2D): tf.Tensor2D {
    const [rows, columns] = gateUp.shape;
    const width = columns / 2;
    // Over many rows the exponentials cost most: XNNPACK's sigmoid is several times faster than Math.exp.
    const sigmoids = rows >= MANY_ROWS ? tf.sigmoid(tf.slice(gateUp, [0, 0], [rows, width])) : null;
    const result = sigmoids ?? emptyTensor(rows, width);
    const [source, out] = [valuesOf(gateUp), valuesOf(result)];
    for (let row = 0; row < rows; row++) {
      const gates = row * columns;
      for (let i = 0; i < width; i++) {
        const gate = source[gates + i]!;
        const share = sigmoids === null ? 1 / (1 + Math.exp(-gate)) : out[row * width + i]!;
        out[row * width + i] = gate * share * source[gates + width + i]!;
      }
    }
    return result;
  }
}

/** Overwrite the scores `[queries, keys]` of keys that come after their query, in place. */
function hideLaterKeys(scores: tf.Tensor2D, causalOffset: number): void {
  const [queries, keys] = scores.shape;
  const values = valuesOf(scores);
  for (let query = 0; query < queries; query++) {
    const firstHidden = Math.min(keys, query + causalOffset + 1);
    values.fill(-1e30, query * keys + firstHidden, (query + 1) * keys);
  }
}

const copyColumns: CopyColumns = (x, rows, start, width, isTransposed) => {
  const columns = x.shape[1];
  const result = isTransposed ? emptyTensor(width, rows) : emptyTensor(rows, width);
  const [source, out] = [valuesOf(x), valuesOf(result)];
  for (let row = 0; row < rows; row++) {
    const from = row * columns + start;
    if (!isTransposed) out.set(source.subarray(from, from + width), row * width);
    else for (let j = 0; j < width; j++) out[j * rows + row] = source[from + j]!;
  }
  return result;
};

/** A float32 tensor of the active backend with arbitrary content, tracked by the enclosing `tf.tidy`. */
function emptyTensor(rows: number, columns: number): tf.Tensor2D {
  const backend = tf.backend();
  if (!(backend instanceof BackendWasm)) {
    return tf.tensor2d(new Float32Array(rows * columns), [rows, columns]);
  }
  const info = backend.makeOutput([rows, columns], 'float32');
  return tf.engine().makeTensorFromTensorInfo(info, backend) as tf.Tensor2D;
}

/** The tensor's own memory. Valid until the next allocation: WASM memory may move when it grows. */
function valuesOf(tensor: tf.Tensor): Float32Array {
  return memoryOf(tensor) as Float32Array;
}

function integersOf(tensor: tf.Tensor): Int32Array {
  return memoryOf(tensor) as Int32Array;
}

function memoryOf(tensor: tf.Tensor): unknown {
  const backend = tf.backend();
  if (backend instanceof BackendWasm) return backend.typedArrayFromHeap(tensor);
  return backend.readSync(tensor.dataId);
}
