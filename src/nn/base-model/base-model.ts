/** The base language model: embeddings and gists in, logits out (docs/models.md). Knows no text and no tree. */
import * as tf from '@tensorflow/tfjs';
import { yieldToEvents } from '../../base/clock.ts';
import type { AttentionReading } from '../../core/trace/parameters.ts';
import { activeKernels } from '../backend/active-kernels.ts';
import { AttentionFold } from './attention-reading.ts';
import { HeadReading, SlotHeadsBuffer } from './head-reading.ts';
import type { BaseConfig } from './config.ts';
import { CapacityError, ShapeError } from '../errors.ts';
import type { Kernels, RopeTables } from '../backend/kernels.ts';
import { KvCache } from './kv-cache.ts';
import { PREFILL_SLOTS } from '../ports.ts';
import type { AttentionHeads, DecodeSession, LanguageModel, SlotHeads } from '../ports.ts';
import { createRopeTables } from './rope.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import {
  finishLayer,
  loadTransformerLayer,
  projectQkv,
  qkvColumns,
  type TransformerLayer,
} from './transformer-layer.ts';
import { applyLinear, type Linear, WeightLoader } from '../model-folder/weights.ts';

const EMBEDDINGS = 'model.embed_tokens';

export class BaseModel implements LanguageModel {
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly layers: number;
  readonly attention: AttentionHeads;
  readonly parameters: number;
  private readonly kernels: Kernels = activeKernels();
  private readonly loader: WeightLoader;
  private readonly stack: readonly TransformerLayer[];
  private readonly norm: tf.Tensor1D;
  private readonly head: Linear;
  /** `[vocabulary, d]`, on the CPU: a lookup needs no device. */
  private readonly embeddings: Float32Array;

  /** @throws {WeightError} if the file does not fit the configuration. */
  constructor(
    private readonly config: BaseConfig,
    file: TensorFile,
  ) {
    const { vocabularySize, hiddenSize, layers, tiedHead, heads, kvHeads, headDim } = config;
    this.vocabularySize = vocabularySize;
    this.hiddenSize = hiddenSize;
    this.layers = layers;
    this.attention = { heads, kvHeads, headDim };
    this.parameters = file.names.reduce(
      (sum, name) => sum + file.shape(name).reduce((product, size) => product * size, 1),
      0,
    );
    this.loader = new WeightLoader(file);
    try {
      this.embeddings = file.floats(`${EMBEDDINGS}.weight`, [vocabularySize, hiddenSize]);
      this.stack = Array.from({ length: layers }, (_, i) =>
        loadTransformerLayer(this.loader, `model.layers.${i}`, config),
      );
      this.norm = this.loader.vector('model.norm.weight', hiddenSize);
      const head = { name: tiedHead ? EMBEDDINGS : 'lm_head', outputs: vocabularySize };
      this.head = this.loader.linear(hiddenSize, [head], false);
    } catch (error) {
      this.loader.dispose();
      throw error;
    }
  }

  embed(ids: ArrayLike<number>): Float32Array {
    const size = this.hiddenSize;
    const result = new Float32Array(ids.length * size);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (!Number.isInteger(id) || id < 0 || id >= this.vocabularySize) {
        throw new RangeError(`Token id ${id} is outside the vocabulary of ${this.vocabularySize}.`);
      }
      result.set(this.embeddings.subarray(id * size, (id + 1) * size), i * size);
    }
    return result;
  }

  /** `[d]` mean of all token embeddings; owned by the caller. */
  meanEmbedding(): Float32Array {
    const { hiddenSize, vocabularySize, embeddings } = this;
    const sums = new Float64Array(hiddenSize);
    for (let i = 0; i < embeddings.length; i++) sums[i % hiddenSize]! += embeddings[i]!;
    return Float32Array.from(sums, (sum) => sum / vocabularySize);
  }

  createDecodeSession(capacitySlots: number): DecodeSession {
    return new CachedDecodeSession(this, new KvCache(this.config, capacitySlots));
  }

  /**
   * Run the layers over new slots, append their keys and values to the cache, and give the logits of the
   * last rows. The top layer computes nothing but keys and values for the others. The cache's length is the
   * caller's to raise.
   *
   * @param embeddings - `[n, d]`, borrowed.
   * @param positions - `[n]`.
   * @param deviations - `[n]`, as `createRopeTables` has them.
   * @param wanted - how many last rows; 0..n.
   * @param reading - with rows wanted: read the last row's attention, too.
   * @returns `[wanted · vocabulary]` logits, then `[slots]` attention if it is read: one tensor, so that one
   * readback brings both. Undefined where no rows are wanted; the caller disposes it.
   */
  forward(
    cache: KvCache,
    embeddings: Float32Array,
    positions: Float64Array,
    wanted: number,
    deviations?: Float64Array,
    reading?: AttentionReading,
  ): tf.Tensor1D | undefined {
    const rows = positions.length;
    const fold = reading === undefined || wanted === 0 ? null : new AttentionFold(reading, this.layers);
    return tf.tidy((): tf.Tensor1D | undefined => {
      const rope = createRopeTables(positions, this.config.headDim, this.config.ropeTheta, deviations);
      let x = tf.tensor2d(embeddings, [rows, this.hiddenSize]);
      const top = this.layers - 1;
      for (let i = 0; i < top; i++) x = this.runLayer(i, x, rope, cache, rows, fold)!;
      const last = this.runLayer(top, x, rope, cache, wanted, fold);
      if (last === undefined) return undefined;
      const logits = applyLinear(this.kernels.rmsNorm(last, this.norm, this.config.epsilon), this.head);
      const flat = logits.as1D();
      return fold === null ? flat : tf.concat1d([flat, fold.finish()]);
    });
  }

  /**
   * Run the layers over new slots as `forward` does, for what their heads are.
   *
   * @returns `HeadReading`'s tensor; the caller disposes it.
   */
  forwardForHeads(cache: KvCache, embeddings: Float32Array, positions: Float64Array): tf.Tensor1D {
    const rows = positions.length;
    return tf.tidy(() => {
      const rope = createRopeTables(positions, this.config.headDim, this.config.ropeTheta);
      const heads = new HeadReading(this.kernels, qkvColumns(this.config));
      let x = tf.tensor2d(embeddings, [rows, this.hiddenSize]);
      const top = this.layers - 1;
      for (let i = 0; i < top; i++) x = this.runLayer(i, x, rope, cache, rows, null, heads)!;
      this.runLayer(top, x, rope, cache, 0, null, heads);
      return heads.finish();
    });
  }

  async appendTogether(
    sessions: readonly DecodeSession[],
    embeddings: Float32Array,
    positions: Float64Array,
    deviations?: Float64Array,
  ): Promise<Float32Array> {
    const own = sessions.map((session) => {
      if (session instanceof CachedDecodeSession && session.isOf(this)) return session;
      throw new Error('A decode session of another model cannot run together with this one.');
    });
    if (embeddings.length !== own.length * this.hiddenSize)
      throw new ShapeError('embeddings', own.length * this.hiddenSize, embeddings.length);
    return runTogether(own, (caches) =>
      tf.tidy(() => {
        const rope = createRopeTables(positions, this.config.headDim, this.config.ropeTheta, deviations);
        let x = tf.tensor2d(embeddings, [caches.length, this.hiddenSize]);
        for (let i = 0; i < this.layers; i++) x = this.runLayerTogether(i, x, rope, caches);
        return this.kernels.rmsNorm(x, this.norm, this.config.epsilon);
      }),
    );
  }

  logitsOf(hidden: Float32Array): Promise<Float32Array> {
    const rows = hidden.length / this.hiddenSize;
    if (!Number.isInteger(rows)) throw new ShapeError('hidden', this.hiddenSize, hidden.length);
    const logits = tf.tidy(() => applyLinear(tf.tensor2d(hidden, [rows, this.hiddenSize]), this.head));
    return readAndDispose(logits);
  }

  /** As `KvCache.moveSlots`. */
  moveSlots(cache: KvCache, first: number, sources: Int32Array): void {
    cache.moveSlots(this.kernels, first, sources);
  }

  dispose(): void {
    this.loader.dispose();
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

  /** One slot for each cache: what has no cache is run for all rows at once. @returns `[caches, d]`. */
  private runLayerTogether(
    index: number,
    x: tf.Tensor2D,
    rope: RopeTables,
    caches: readonly KvCache[],
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
      return this.kernels.attention(this.kernels.takeHeads(own, columns.q, rotation), keys, values, {
        batch: 1,
        queriesPerBatch: 1,
        keyRowsPerBatch: cache.capacitySlots,
        keyCount: cache.length + 1,
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

class CachedDecodeSession implements DecodeSession {
  private isRunning = false;
  private isDisposed = false;
  lastAttention: Float32Array | null = null;

  constructor(
    private readonly model: BaseModel,
    private readonly cache: KvCache,
  ) {}

  get capacitySlots(): number {
    return this.cache.capacitySlots;
  }

  get length(): number {
    return this.cache.length;
  }

  async append(
    embeddings: Float32Array,
    positions: Float64Array,
    want: 'last' | 'all' | number,
    deviations?: Float64Array,
    reading?: AttentionReading,
  ): Promise<Float32Array> {
    const rows = positions.length;
    this.assertSlots(embeddings, positions, deviations);
    if (this.length + rows > this.capacitySlots)
      throw new CapacityError(this.capacitySlots, this.length, rows);
    const wanted = want === 'all' ? rows : want === 'last' ? 1 : Math.min(want, rows);
    const lengthBefore = this.length;
    try {
      return await this.run(embeddings, positions, wanted, deviations, reading);
    } catch (error) {
      this.cache.length = lengthBefore;
      throw error;
    }
  }

  async appendForHeads(embeddings: Float32Array, positions: Float64Array): Promise<SlotHeads> {
    const rows = positions.length;
    this.assertSlots(embeddings, positions);
    if (this.length + rows > this.capacitySlots)
      throw new CapacityError(this.capacitySlots, this.length, rows);
    const { hiddenSize, layers, attention } = this.model;
    const read = new SlotHeadsBuffer(rows, layers, attention);
    const lengthBefore = this.length;
    this.isRunning = true;
    this.lastAttention = null;
    try {
      for (let start = 0; ; start += PREFILL_SLOTS) {
        const end = Math.min(rows, start + PREFILL_SLOTS);
        const chunk = embeddings.subarray(start * hiddenSize, end * hiddenSize);
        const output = this.model.forwardForHeads(this.cache, chunk, positions.subarray(start, end));
        this.cache.length += end - start;
        read.put(await readAndDispose(output), start, end - start);
        if (end === rows) return read;
        await yieldToEvents();
      }
    } catch (error) {
      this.cache.length = lengthBefore;
      throw error;
    } finally {
      this.isRunning = false;
      if (this.isDisposed) this.cache.dispose();
    }
  }

  async fill(
    firstSlot: number,
    embeddings: Float32Array,
    positions: Float64Array,
    deviations?: Float64Array,
  ): Promise<void> {
    this.assertSlots(embeddings, positions, deviations);
    const { length } = this;
    if (firstSlot < 0 || firstSlot + positions.length > length) {
      throw new RangeError(`Slots ${firstSlot}..${firstSlot + positions.length} are not within ${length}.`);
    }
    this.cache.length = firstSlot;
    try {
      await this.run(embeddings, positions, 0, deviations);
    } finally {
      this.cache.length = length;
    }
  }

  rearrange(sources: Int32Array): void {
    this.assertIdle();
    const { length, cache } = this;
    if (sources.length > cache.capacitySlots) {
      throw new CapacityError(cache.capacitySlots, length, sources.length - length);
    }
    if (sources.some((source) => source < -1 || source >= length)) {
      throw new RangeError(`Only slots before ${length} are cached.`);
    }
    let first = 0;
    while (sources[first] === first) first++;
    let end = sources.length;
    while (end > first && sources[end - 1] === -1) end--;
    // A gap takes any slot's rows along: they are overwritten before they are read.
    this.model.moveSlots(
      cache,
      first,
      sources.subarray(first, end).map((source) => Math.max(source, 0)),
    );
    cache.length = sources.length;
    this.lastAttention = null;
  }

  truncate(length: number): void {
    this.assertIdle();
    if (!Number.isInteger(length) || length < 0 || length > this.length) {
      throw new RangeError(`Cannot truncate ${this.length} slots to ${length}.`);
    }
    this.cache.length = length;
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    if (!this.isRunning) this.cache.dispose();
  }

  /** Run slots behind the cache's length, chunk by chunk. @returns `[wanted, vocabulary]` logits. */
  private async run(
    embeddings: Float32Array,
    positions: Float64Array,
    wanted: number,
    deviations?: Float64Array,
    reading?: AttentionReading,
  ): Promise<Float32Array> {
    const rows = positions.length;
    const { hiddenSize, vocabularySize } = this.model;
    const result = new Float32Array(wanted * vocabularySize);
    this.isRunning = true;
    this.lastAttention = null;
    try {
      for (let start = 0; ; start += PREFILL_SLOTS) {
        const end = Math.min(rows, start + PREFILL_SLOTS);
        const chunk = embeddings.subarray(start * hiddenSize, end * hiddenSize);
        const chunkWanted = Math.min(end - start, Math.max(0, end - (rows - wanted)));
        const places = positions.subarray(start, end);
        const widths = deviations?.subarray(start, end);
        const read = end === rows ? reading : undefined;
        const output = this.model.forward(this.cache, chunk, places, chunkWanted, widths, read);
        this.cache.length += end - start;
        if (output !== undefined) {
          const first = end - chunkWanted - (rows - wanted);
          const values = await readAndDispose(output);
          const logits = chunkWanted * vocabularySize;
          result.set(values.subarray(0, logits), first * vocabularySize);
          if (read !== undefined) this.lastAttention = values.slice(logits);
        }
        if (end === rows) return result;
        await yieldToEvents();
      }
    } finally {
      this.isRunning = false;
      if (this.isDisposed) this.cache.dispose();
    }
  }

  private assertSlots(embeddings: Float32Array, positions: Float64Array, deviations?: Float64Array): void {
    const rows = positions.length;
    const { hiddenSize } = this.model;
    this.assertIdle();
    if (rows === 0) throw new ShapeError('positions (at least one slot)', 1, 0);
    if (embeddings.length !== rows * hiddenSize) {
      throw new ShapeError('embeddings', rows * hiddenSize, embeddings.length);
    }
    if (deviations !== undefined && deviations.length !== rows) {
      throw new ShapeError('deviations', rows, deviations.length);
    }
  }

  isOf(model: BaseModel): boolean {
    return this.model === model;
  }

  /** The cache for one more slot, while it is run together with others'. @throws {CapacityError} */
  lendCache(): KvCache {
    this.assertIdle();
    if (this.length >= this.capacitySlots) throw new CapacityError(this.capacitySlots, this.length, 1);
    return this.cache;
  }

  /** The run over a lent cache begins. */
  beginRun(): void {
    this.isRunning = true;
    this.lastAttention = null;
  }

  /** It ended; the slot counts if it was run. */
  endRun(hasRun: boolean): void {
    if (hasRun) this.cache.length++;
    this.isRunning = false;
    if (this.isDisposed) this.cache.dispose();
  }

  private assertIdle(): void {
    if (this.isDisposed) throw new Error('This decode session is disposed.');
    if (this.isRunning) throw new Error('This decode session is still appending.');
  }
}

/** Run one slot of each session; either all of them count or none. */
async function runTogether(
  sessions: readonly CachedDecodeSession[],
  run: (caches: readonly KvCache[]) => tf.Tensor,
): Promise<Float32Array> {
  const caches = sessions.map((session) => session.lendCache());
  if (new Set(caches).size < caches.length) throw new Error('A decode session was given twice.');
  for (const session of sessions) session.beginRun();
  let hasRun = false;
  try {
    const hidden = await readAndDispose(run(caches));
    hasRun = true;
    return hidden;
  } finally {
    for (const session of sessions) session.endRun(hasRun);
  }
}

async function readAndDispose(tensor: tf.Tensor): Promise<Float32Array> {
  try {
    return await tensor.data<'float32'>();
  } finally {
    tensor.dispose();
  }
}
