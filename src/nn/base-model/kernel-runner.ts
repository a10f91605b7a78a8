/** A base's layers on the WASM kernels: a whole run of all layers is one call into `kernels/llama.ts`. */
import type { AttentionReading } from '../../core/parameters/measurement.ts';
import { KernelMemory, kernelUse } from '../backend/kernel-memory.ts';
import type { ThreadPool } from '../backend/thread-pool.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import { PREFILL_SLOTS } from '../ports.ts';
import type { BaseConfig } from './config.ts';
import {
  allocateRoom,
  cacheBytesOf,
  KernelStack,
  putRows,
  type RunFields,
  scoreBytesOf,
  takeRows,
} from './kernel-stack.ts';
import { KernelWeights, paddedColumns } from './kernel-weights.ts';
import type {
  ForwardRequest,
  ForwardResult,
  LayerRunner,
  RunningContext,
  TogetherRequest,
  TogetherResult,
} from './layer-runner.ts';
import { rotationsOf } from './rope.ts';
import { baseTensors } from './tensor-names.ts';

/** Rows whose logits are computed at once: bounds their memory. */
const LOGIT_ROWS = 32;
const READINGS = { mean: 1, 'strongest-head': 2, 'last-layer': 3 } as const satisfies Record<
  AttentionReading,
  number
>;

export class KernelRunner implements LayerRunner {
  readonly weightBytes: number;
  private readonly memory: KernelMemory;
  private readonly stack: KernelStack;
  private readonly embeddings: number;
  private readonly head: number;
  /** What does not change from run to run. */
  private readonly room: RunFields;
  private readonly logits: number;

  /** @throws {WeightError} if the file does not fit the configuration; nothing is left behind. */
  constructor(
    private readonly config: BaseConfig,
    file: TensorFile,
    module: WebAssembly.Module,
    pool: ThreadPool | null = null,
    /** How many multiplications of a layer are worth a thread. */
    share?: number,
  ) {
    this.memory = new KernelMemory(module, pool);
    const bytesBefore = kernelUse.bytes;
    const weights = new KernelWeights(this.memory, file);
    const { memory } = this;
    const { hiddenSize, vocabularySize, layerHasRope } = config;
    const names = baseTensors(config);
    try {
      const layers = layerHasRope.map((hasRope, i) => ({ prefix: names.layer(i), hasRope }));
      this.stack = new KernelStack(memory, weights, config, layers, names.norm, share);
      this.embeddings = weights.linear(names.embeddings, vocabularySize, hiddenSize);
      this.head = config.tiedHead ? this.embeddings : weights.linear(names.head, vocabularySize, hiddenSize);
      this.weightBytes = kernelUse.bytes - bytesBefore;
      this.room = allocateRoom(memory, config, PREFILL_SLOTS);
      this.stack.fill(this.room);
      this.logits = memory.allocate(LOGIT_ROWS * paddedColumns(vocabularySize) * 4);
    } catch (error) {
      memory.dispose();
      throw error;
    }
  }

  lookUp(ids: ArrayLike<number>): Float32Array {
    const { memory, config } = this;
    const { hiddenSize } = config;
    const stride = paddedColumns(hiddenSize);
    const result = new Float32Array(ids.length * hiddenSize);
    // The room for a run's rows is free between runs.
    for (let first = 0; first < ids.length; first += PREFILL_SLOTS) {
      const count = Math.min(PREFILL_SLOTS, ids.length - first);
      const words = memory.words(this.room.k, count);
      for (let i = 0; i < count; i++) words[i] = ids[first + i]!;
      memory.kernels.lookUp(this.embeddings, this.room.k, count, this.room.x);
      takeRows(memory.floats(this.room.x, count * stride), hiddenSize, result, first * hiddenSize);
    }
    return result;
  }

  createContext(capacitySlots: number): RunningContext {
    return new KernelContext(this, capacitySlots);
  }

  forwardTogether(
    contexts: readonly RunningContext[],
    { reading, ...request }: TogetherRequest,
  ): Promise<TogetherResult> {
    const { memory, config } = this;
    const own = contexts.map((context) => {
      if (context instanceof KernelContext) return context;
      throw new Error('A context of another device cannot run here.');
    });
    const caches = memory.record(own.flatMap((context) => context.ownCache()));
    try {
      const rows = own.length;
      // Any of the longest has room for the scores of all.
      const longest = own.reduce((a, b) => (a.capacitySlots > b.capacitySlots ? a : b));
      const read = reading === undefined ? 0 : READINGS[reading];
      this.runLayers({ ...longest.fields(), rows, wanted: rows, caches, reading: read }, request, () => {
        if (reading !== undefined) for (const context of own) context.clearWeights();
      });
      const hidden = new Float32Array(rows * config.hiddenSize);
      const normed = memory.floats(this.room.normed, rows * paddedColumns(config.hiddenSize));
      takeRows(normed, config.hiddenSize, hidden, 0);
      const attention = reading === undefined ? null : own.map((context) => context.readWeights());
      return Promise.resolve({ hidden, attention });
    } finally {
      memory.free(caches);
    }
  }

  logitsOf(hidden: Float32Array): Promise<Float32Array> {
    const { memory, room } = this;
    const { hiddenSize, vocabularySize } = this.config;
    const rows = hidden.length / hiddenSize;
    const result = new Float32Array(rows * vocabularySize);
    for (let first = 0; first < rows; first += LOGIT_ROWS) {
      const count = Math.min(LOGIT_ROWS, rows - first);
      const chunk = hidden.subarray(first * hiddenSize, (first + count) * hiddenSize);
      putRows(chunk, hiddenSize, memory.floats(room.normed, count * paddedColumns(hiddenSize)));
      result.set(this.logitsOfRows(0, count), first * vocabularySize);
    }
    return Promise.resolve(result);
  }

  dispose(): void {
    this.memory.dispose();
  }

  /** @returns where a cache and the room that grows with it begin. @throws {RangeError} if there is no room. */
  allocateCache(capacitySlots: number): {
    readonly cache: number;
    readonly scores: number;
    readonly weights: number;
  } {
    const { memory, config } = this;
    const scoreBytes = scoreBytesOf(capacitySlots) * memory.threads;
    const cache = memory.allocate(cacheBytesOf(config, config.layers, capacitySlots));
    try {
      const scores = memory.allocate(scoreBytes);
      try {
        return { cache, scores, weights: memory.allocate(paddedColumns(capacitySlots) * 4) };
      } catch (error) {
        memory.free(scores);
        throw error;
      }
    } catch (error) {
      memory.free(cache);
      throw error;
    }
  }

  free(blocks: readonly number[]): void {
    for (const block of blocks) this.memory.free(block);
  }

  clearWeights(weights: number, slots: number): void {
    this.memory.floats(weights, paddedColumns(slots)).fill(0);
  }

  /** `[slots]`, sums to 1. */
  readWeights(weights: number, slots: number): Float32Array {
    return normalised(this.memory.floats(weights, slots));
  }

  /** @param fields - of the context that runs. */
  forward(
    fields: Partial<RunFields>,
    { embeddings, positions, deviations, wanted, reading }: ForwardRequest,
  ): ForwardResult {
    const rows = positions.length;
    const slots = fields.length! + rows;
    const isRead = reading !== undefined && wanted > 0;
    this.runLayers(
      { ...fields, rows, wanted, reading: isRead ? READINGS[reading] : 0 },
      {
        embeddings,
        positions,
        deviations,
      },
      () => {
        if (isRead) this.clearWeights(fields.weights!, slots);
      },
    );
    const attention = isRead ? this.readWeights(fields.weights!, slots) : null;
    return { logits: this.logitsOfRows(rows - wanted, wanted), attention };
  }

  /** @returns as `SlotHeadsBuffer.put` takes it. */
  forwardForHeads(
    fields: Partial<RunFields>,
    request: Pick<ForwardRequest, 'embeddings' | 'positions'>,
  ): Float32Array {
    const { memory } = this;
    const { layers, heads, kvHeads, headDim } = this.config;
    const rows = request.positions.length;
    const values = rows * (heads + kvHeads) * headDim * layers;
    const at = memory.allocate(values * 4);
    try {
      this.runLayers({ ...fields, rows, wanted: 0, heads: at }, request);
      return memory.floats(at, values).slice();
    } finally {
      memory.free(at);
    }
  }

  moveSlots(
    { cache, capacity }: Pick<RunFields, 'cache' | 'capacity'>,
    first: number,
    sources: Int32Array,
  ): void {
    if (sources.length === 0) return;
    const { memory } = this;
    const list = memory.allocate(sources.length * 4);
    const room = memory.allocate(sources.length * this.config.headDim * 4);
    memory.words(list, sources.length).set(sources);
    memory.kernels.moveSlots(this.stack.at, cache, capacity, first, list, sources.length, room);
    this.free([list, room]);
  }

  /** @param own, other - of the two contexts. */
  copySlots(
    own: Pick<RunFields, 'cache' | 'capacity'>,
    other: Pick<RunFields, 'cache' | 'capacity'>,
    first: number,
    count: number,
  ): void {
    const { layers, kvHeads, headDim } = this.config;
    const headBytes = headDim * 4;
    // Keys and then values of every layer, head after head (`keysOf` in `kernels/llama.ts`).
    for (let head = 0; head < 2 * layers * kvHeads; head++) {
      const at = ({ cache, capacity }: Pick<RunFields, 'cache' | 'capacity'>) =>
        this.memory.floats(cache + (head * capacity + first) * headBytes, count * headDim);
      at(own).set(at(other));
    }
  }

  /** @param clear - of what the run adds to; as all that is prepared, it may be called twice. */
  private runLayers(
    fields: Partial<RunFields>,
    { embeddings, positions, deviations }: Pick<ForwardRequest, 'embeddings' | 'positions' | 'deviations'>,
    clear?: () => void,
  ): void {
    const { headDim, ropeTheta } = this.config;
    const rotations = rotationsOf(positions, headDim, ropeTheta, deviations);
    this.stack.runLayers({ ...this.room, ...fields }, embeddings, rotations, clear);
  }

  /** `[count, vocabulary]` of normed rows from `first` on. */
  private logitsOfRows(first: number, count: number): Float32Array {
    const { memory } = this;
    const { vocabularySize, hiddenSize } = this.config;
    const stride = paddedColumns(vocabularySize);
    const result = new Float32Array(count * vocabularySize);
    for (let done = 0; done < count; done += LOGIT_ROWS) {
      const rows = Math.min(LOGIT_ROWS, count - done);
      const parameters = [this.head, this.stack.run, first + done, rows, this.logits, stride * 4];
      this.stack.runShared('runHead', rows * vocabularySize * hiddenSize, parameters);
      takeRows(memory.floats(this.logits, rows * stride), vocabularySize, result, done * vocabularySize);
    }
    return result;
  }
}

class KernelContext implements RunningContext {
  length = 0;
  private readonly blocks: ReturnType<KernelRunner['allocateCache']>;

  constructor(
    private readonly runner: KernelRunner,
    readonly capacitySlots: number,
  ) {
    this.blocks = runner.allocateCache(capacitySlots);
  }

  forward(request: ForwardRequest): Promise<ForwardResult> {
    return Promise.resolve(this.runner.forward(this.fields(), request));
  }

  forwardForHeads(request: Pick<ForwardRequest, 'embeddings' | 'positions'>): Promise<Float32Array> {
    return Promise.resolve(this.runner.forwardForHeads(this.fields(), request));
  }

  copySlots(other: RunningContext, first: number, count: number): void {
    if (!(other instanceof KernelContext))
      throw new Error('A context of another device has no slots for this one.');
    const fieldsOf = ({ blocks, capacitySlots }: KernelContext) => ({
      cache: blocks.cache,
      capacity: capacitySlots,
    });
    this.runner.copySlots(fieldsOf(this), fieldsOf(other), first, count);
  }

  moveSlots(first: number, sources: Int32Array): void {
    this.runner.moveSlots({ cache: this.blocks.cache, capacity: this.capacitySlots }, first, sources);
  }

  dispose(): void {
    this.runner.free(Object.values(this.blocks));
  }

  /** An `OwnCache` of `kernels/llama.ts`. */
  ownCache(): readonly number[] {
    return [this.blocks.cache, this.capacitySlots, this.length, this.blocks.weights];
  }

  /** Before one more slot's attention is read. */
  clearWeights(): void {
    this.runner.clearWeights(this.blocks.weights, this.length + 1);
  }

  /** What that slot attended to. */
  readWeights(): Float32Array {
    return this.runner.readWeights(this.blocks.weights, this.length + 1);
  }

  fields(): Partial<RunFields> {
    const { capacitySlots: capacity, length } = this;
    return { ...this.blocks, scoreBytes: scoreBytesOf(capacity), length, capacity };
  }
}

function normalised(weights: Float32Array): Float32Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
