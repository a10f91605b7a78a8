/** A base's layers as TensorFlow.js operations and the custom kernels beside them: on WebGPU, and where WASM has no SIMD. */
import * as tf from '@tensorflow/tfjs';
import { activeKernels } from '../backend/active-kernels.ts';
import type { Kernels, RopeTables } from '../backend/kernels.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import { applyLinear, type Linear, WeightLoader } from '../model-folder/weights.ts';
import { AttentionFold } from './attention-reading.ts';
import type { BaseConfig } from './config.ts';
import { HeadReading } from './head-reading.ts';
import { KvCache } from './kv-cache.ts';
import type {
  ForwardRequest,
  ForwardResult,
  LayerRunner,
  RunningContext,
  TogetherRequest,
  TogetherResult,
} from './layer-runner.ts';
import { createRopeTables } from './rope-tables.ts';
import { baseTensors } from './tensor-names.ts';
import {
  finishLayer,
  loadTransformerLayer,
  projectQkv,
  qkvColumns,
  type TransformerLayer,
} from './transformer-layer.ts';

export class TensorRunner implements LayerRunner {
  private readonly kernels: Kernels = activeKernels();
  private readonly loader: WeightLoader;
  private readonly stack: readonly TransformerLayer[];
  private readonly norm: tf.Tensor1D;
  private readonly head: Linear;
  /** `[vocabulary, d]`, on the CPU: a lookup needs no device. */
  private readonly embeddings: Float32Array;
  private readonly caches = new WeakMap<RunningContext, KvCache>();

  /** @throws {WeightError} if the file does not fit the configuration. */
  constructor(
    private readonly config: BaseConfig,
    file: TensorFile,
  ) {
    const { vocabularySize, hiddenSize, layers } = config;
    const names = baseTensors(config);
    this.loader = new WeightLoader(file);
    try {
      this.embeddings = file.floats(`${names.embeddings}.weight`, [vocabularySize, hiddenSize]);
      this.stack = Array.from({ length: layers }, (_, i) =>
        loadTransformerLayer(this.loader, names.layer(i), config),
      );
      this.norm = this.loader.vector(names.norm, hiddenSize);
      this.head = this.loader.linear(hiddenSize, [{ name: names.head, outputs: vocabularySize }], false);
    } catch (error) {
      this.loader.dispose();
      throw error;
    }
  }

  lookUp(ids: ArrayLike<number>): Float32Array {
    const size = this.config.hiddenSize;
    const result = new Float32Array(ids.length * size);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      result.set(this.embeddings.subarray(id * size, (id + 1) * size), i * size);
    }
    return result;
  }

  createContext(capacitySlots: number): RunningContext {
    const cache = new KvCache(this.config, capacitySlots);
    const context: RunningContext = {
      capacitySlots,
      get length() {
        return cache.length;
      },
      set length(slots) {
        cache.length = slots;
      },
      forward: (request) => this.forward(cache, request),
      forwardForHeads: async (request) => readAndDispose(this.forwardForHeads(cache, request)),
      copySlots: (other, first, count) => {
        const { kvHeads, headDim } = this.config;
        const columns = { start: 0, heads: kvHeads, headDim };
        cache.copySlots(this.kernels, this.caches.get(other)!, columns, first, count);
      },
      moveSlots: (first, sources) => {
        cache.moveSlots(this.kernels, first, sources);
      },
      dispose: () => {
        cache.dispose();
      },
    };
    this.caches.set(context, cache);
    return context;
  }

  async forwardTogether(
    contexts: readonly RunningContext[],
    { embeddings, positions, deviations, reading }: TogetherRequest,
  ): Promise<TogetherResult> {
    const caches = contexts.map((context) => this.caches.get(context)!);
    const { layers, hiddenSize, headDim, ropeTheta, epsilon } = this.config;
    // One tensor, so that one readback brings all of it.
    const values = await readAndDispose(
      tf.tidy(() => {
        const rope = createRopeTables(positions, headDim, ropeTheta, deviations);
        const folds = reading === undefined ? [] : caches.map(() => new AttentionFold(reading, layers));
        let x = tf.tensor2d(embeddings, [caches.length, hiddenSize]);
        for (let i = 0; i < layers; i++) x = this.runLayerTogether(i, x, rope, caches, folds);
        const hidden = this.kernels.rmsNorm(x, this.norm, epsilon);
        if (folds.length === 0) return hidden;
        return tf.concat1d([tf.reshape(hidden, [hidden.size]), ...folds.map((fold) => fold.finish())]);
      }),
    );
    if (reading === undefined) return { hidden: values, attention: null };
    let at = caches.length * hiddenSize;
    const hidden = values.slice(0, at);
    const attention = caches.map(({ length }) => values.slice(at, (at += length + 1)));
    return { hidden, attention };
  }

  logitsOf(hidden: Float32Array): Promise<Float32Array> {
    const { hiddenSize } = this.config;
    const rows = hidden.length / hiddenSize;
    return readAndDispose(tf.tidy(() => applyLinear(tf.tensor2d(hidden, [rows, hiddenSize]), this.head)));
  }

  dispose(): void {
    this.loader.dispose();
  }

  private async forward(cache: KvCache, request: ForwardRequest): Promise<ForwardResult> {
    const { wanted, reading } = request;
    const output = this.run(cache, request);
    if (output === undefined) return { logits: new Float32Array(0), attention: null };
    const values = await readAndDispose(output);
    const logits = wanted * this.config.vocabularySize;
    return reading === undefined
      ? { logits: values, attention: null }
      : { logits: values.subarray(0, logits), attention: values.slice(logits) };
  }

  /**
   * @returns `[wanted · vocabulary]` logits, then `[slots]` attention if it is read: one tensor, so that one
   * readback brings both. Undefined where no rows are wanted; the caller disposes it.
   */
  private run(
    cache: KvCache,
    { embeddings, positions, deviations, wanted, reading }: ForwardRequest,
  ): tf.Tensor1D | undefined {
    const rows = positions.length;
    const { layers, hiddenSize, headDim, ropeTheta, epsilon } = this.config;
    const fold = reading === undefined || wanted === 0 ? null : new AttentionFold(reading, layers);
    return tf.tidy((): tf.Tensor1D | undefined => {
      const rope = createRopeTables(positions, headDim, ropeTheta, deviations);
      let x = tf.tensor2d(embeddings, [rows, hiddenSize]);
      const top = layers - 1;
      for (let i = 0; i < top; i++) x = this.runLayer(i, x, rope, cache, rows, fold)!;
      const last = this.runLayer(top, x, rope, cache, wanted, fold);
      if (last === undefined) return undefined;
      const logits = applyLinear(this.kernels.rmsNorm(last, this.norm, epsilon), this.head);
      const flat = tf.reshape<tf.Rank.R1>(logits, [logits.size]);
      return fold === null ? flat : tf.concat1d([flat, fold.finish()]);
    });
  }

  /** @returns `HeadReading`'s tensor; the caller disposes it. */
  private forwardForHeads(
    cache: KvCache,
    { embeddings, positions }: Pick<ForwardRequest, 'embeddings' | 'positions'>,
  ): tf.Tensor1D {
    const rows = positions.length;
    const { layers, hiddenSize, headDim, ropeTheta } = this.config;
    return tf.tidy(() => {
      const rope = createRopeTables(positions, headDim, ropeTheta);
      const heads = new HeadReading(this.kernels, qkvColumns(this.config));
      let x = tf.tensor2d(embeddings, [rows, hiddenSize]);
      const top = layers - 1;
      for (let i = 0; i < top; i++) x = this.runLayer(i, x, rope, cache, rows, null, heads)!;
      this.runLayer(top, x, rope, cache, 0, null, heads);
      return heads.finish();
    });
  }

  /** @returns `[wanted, d]` the last rows' outputs; undefined where none are wanted. */
  private runLayer(
    index: number,
    x: tf.Tensor2D,
    rope: RopeTables,
    cache: KvCache,
    wanted: number,
    fold: AttentionFold | null,
    reading: HeadReading | null = null,
  ): tf.Tensor2D | undefined {
    const { heads, kvHeads, headDim, epsilon, layerHasRope } = this.config;
    const [layer, keys, values] = [this.stack[index]!, cache.keys[index]!, cache.values[index]!];
    const rows = x.shape[0];
    const columns = qkvColumns(this.config);
    const rotation = layerHasRope[index]! ? rope : null;
    const qkv = projectQkv(this.kernels, layer, x, epsilon);
    this.kernels.appendHeads(keys, cache.length, qkv, columns.k, rotation);
    this.kernels.appendHeads(values, cache.length, qkv, columns.v, null);
    reading?.add(qkv, rotation);
    if (wanted === 0) return undefined;
    const rotationOfWanted = rotation && {
      cos: lastRows(rotation.cos, wanted),
      sin: lastRows(rotation.sin, wanted),
    };
    const q = this.kernels.takeHeads(lastRows(qkv, wanted), columns.q, rotationOfWanted);
    const keyCount = cache.length + rows;
    if (fold?.wants(index)) {
      fold.add(this.kernels.attentionWeights(lastRows(q, 1), keys, { keyCount, heads, kvHeads, headDim }));
    }
    const mixed = this.kernels.attention(q, keys, values, {
      batch: 1,
      queriesPerBatch: wanted,
      keyRowsPerBatch: cache.capacitySlots,
      keyCount,
      causalOffset: keyCount - wanted,
      firstKey: null,
      heads,
      kvHeads,
      headDim,
    });
    return finishLayer(this.kernels, layer, lastRows(x, wanted), mixed, epsilon);
  }

  /**
   * One slot for each cache: what has no cache is run for all rows at once.
   *
   * @param folds - one a cache, or none where no attention is read.
   * @returns `[caches, d]`.
   */
  private runLayerTogether(
    index: number,
    x: tf.Tensor2D,
    rope: RopeTables,
    caches: readonly KvCache[],
    folds: readonly AttentionFold[],
  ): tf.Tensor2D {
    const { heads, kvHeads, headDim, epsilon, layerHasRope } = this.config;
    const layer = this.stack[index]!;
    const columns = qkvColumns(this.config);
    const qkv = projectQkv(this.kernels, layer, x, epsilon);
    const mixed = caches.map((cache, row) => {
      const rotation = layerHasRope[index]! ? rowOf(rope, row) : null;
      const own = tf.slice(qkv, [row, 0], [1, qkv.shape[1]]);
      const [keys, values] = [cache.keys[index]!, cache.values[index]!];
      this.kernels.appendHeads(keys, cache.length, own, columns.k, rotation);
      this.kernels.appendHeads(values, cache.length, own, columns.v, null);
      const q = this.kernels.takeHeads(own, columns.q, rotation);
      const keyCount = cache.length + 1;
      if (folds[row]?.wants(index)) {
        folds[row].add(this.kernels.attentionWeights(q, keys, { keyCount, heads, kvHeads, headDim }));
      }
      return this.kernels.attention(q, keys, values, {
        batch: 1,
        queriesPerBatch: 1,
        keyRowsPerBatch: cache.capacitySlots,
        keyCount,
        causalOffset: cache.length,
        firstKey: null,
        heads,
        kvHeads,
        headDim,
      });
    });
    return finishLayer(this.kernels, layer, x, tf.concat2d(mixed, 0), epsilon);
  }
}

/** One row of the tables. */
function rowOf({ cos, sin }: RopeTables, row: number): RopeTables {
  const take = (table: tf.Tensor2D) => tf.slice(table, [row, 0], [1, table.shape[1]]);
  return { cos: take(cos), sin: take(sin) };
}

/** The tensor itself where all rows are wanted. */
function lastRows(x: tf.Tensor2D, count: number): tf.Tensor2D {
  const [rows, columns] = x.shape;
  return count === rows ? x : tf.slice(x, [rows - count, 0], [count, columns]);
}

async function readAndDispose(tensor: tf.Tensor): Promise<Float32Array> {
  try {
    return await tensor.data<'float32'>();
  } finally {
    tensor.dispose();
  }
}
