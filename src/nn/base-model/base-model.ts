/** The base language model: embeddings and gists in, logits out (docs/models.md). Knows no text and no tree. */
import { yieldToEvents } from '../../base/clock.ts';
import type { AttentionReading } from '../../core/parameters/measurement.ts';
import { SlotHeadsBuffer } from './slot-heads-buffer.ts';
import type { BaseConfig } from './config.ts';
import { CapacityError, ShapeError } from '../errors.ts';
import type { LayerRunner, RunningContext, TogetherResult } from './layer-runner.ts';
import { PREFILL_SLOTS } from '../ports.ts';
import type {
  AttentionHeads,
  BaseWork,
  DecodeSession,
  FirstChoice,
  GreedyDecoding,
  LanguageModel,
  SlotHeads,
} from '../ports.ts';
import { type TensorFile, valueCount } from '../model-folder/tensor-file.ts';
import { type ChosenRunner, createRunner } from './create-runner.ts';

/** Rows of the vocabulary that are looked up at once where all are. */
const VOCABULARY_ROWS = 1024;
/** Tokens that are decoded before anybody reads one: as many hide the way back, and as few are in vain at the end. */
const GREEDY_SLOTS = 4;

export class BaseModel implements LanguageModel {
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly layers: number;
  readonly attention: AttentionHeads;
  readonly parameters: number;
  readonly work: BaseWork;
  private readonly runner: LayerRunner;
  /** As `LanguageModel` has it. */
  readonly compromise: string | null;

  /**
   * Put a base on the active backend, with all that has to be compiled for it.
   *
   * @throws {WeightError} if the file does not fit the configuration.
   */
  static async open(config: BaseConfig, file: TensorFile): Promise<BaseModel> {
    return new BaseModel(config, file, await createRunner(config, file));
  }

  private constructor(config: BaseConfig, file: TensorFile, { runner, compromise }: ChosenRunner) {
    const { vocabularySize, hiddenSize, layers, heads, kvHeads, headDim } = config;
    this.vocabularySize = vocabularySize;
    this.hiddenSize = hiddenSize;
    this.layers = layers;
    this.attention = { heads, kvHeads, headDim };
    this.parameters = valueCount(file);
    this.runner = runner;
    this.compromise = compromise;
    const headWeights = vocabularySize * hiddenSize;
    const weightBytes = this.runner.weightBytes ?? Float32Array.BYTES_PER_ELEMENT * this.parameters;
    this.work = {
      layerWeights: this.parameters - (config.tiedHead ? 1 : 2) * headWeights,
      headWeights,
      bytesPerWeight: weightBytes / this.parameters,
    };
  }

  embed(ids: ArrayLike<number>): Float32Array {
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (!Number.isInteger(id) || id < 0 || id >= this.vocabularySize) {
        throw new RangeError(`Token id ${id} is outside the vocabulary of ${this.vocabularySize}.`);
      }
    }
    return this.runner.lookUp(ids);
  }

  /** `[d]` mean of all token embeddings; owned by the caller. */
  meanEmbedding(): Float32Array {
    const { hiddenSize, vocabularySize } = this;
    const sums = new Float64Array(hiddenSize);
    for (let first = 0; first < vocabularySize; first += VOCABULARY_ROWS) {
      const count = Math.min(VOCABULARY_ROWS, vocabularySize - first);
      const rows = this.runner.lookUp(Uint32Array.from({ length: count }, (_, i) => first + i));
      for (let i = 0; i < rows.length; i++) sums[i % hiddenSize]! += rows[i]!;
    }
    return Float32Array.from(sums, (sum) => sum / vocabularySize);
  }

  createDecodeSession(capacitySlots: number): DecodeSession {
    return new CachedDecodeSession(this, this.runner.createContext(capacitySlots));
  }

  async appendTogether(
    sessions: readonly DecodeSession[],
    embeddings: Float32Array,
    positions: Float64Array,
    deviations?: Float64Array,
    reading?: AttentionReading,
  ): Promise<Float32Array> {
    const own = sessions.map((session) => {
      if (session instanceof CachedDecodeSession && session.isOf(this)) return session;
      throw new Error('A decode session of another model cannot run together with this one.');
    });
    if (embeddings.length !== own.length * this.hiddenSize)
      throw new ShapeError('embeddings', own.length * this.hiddenSize, embeddings.length);
    return runTogether(own, (caches) =>
      this.runner.forwardTogether(caches, { embeddings, positions, deviations, reading }),
    );
  }

  logitsOf(hidden: Float32Array): Promise<Float32Array> {
    const rows = hidden.length / this.hiddenSize;
    if (!Number.isInteger(rows)) throw new ShapeError('hidden', this.hiddenSize, hidden.length);
    return this.runner.logitsOf(hidden);
  }

  dispose(): void {
    this.runner.dispose();
  }
}

class CachedDecodeSession implements DecodeSession {
  private isRunning = false;
  private isDisposed = false;
  lastAttention: Float32Array | null = null;

  constructor(
    private readonly model: BaseModel,
    private readonly cache: RunningContext,
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

  get greedy(): GreedyDecoding | undefined {
    if (this.cache.choose === undefined) return undefined;
    return {
      mostSlots: GREEDY_SLOTS,
      append: (embedding, positions, deviations) => this.appendChoices(embedding, positions, deviations),
    };
  }

  private async appendChoices(
    embedding: Float32Array,
    positions: Float64Array,
    deviations?: Float64Array,
  ): Promise<readonly FirstChoice[]> {
    const slots = positions.length;
    this.assertSlots(embedding, positions.subarray(0, 1), deviations?.subarray(0, 1));
    if (slots > GREEDY_SLOTS) throw new ShapeError('positions (at most)', GREEDY_SLOTS, slots);
    if (this.length + slots > this.capacitySlots)
      throw new CapacityError(this.capacitySlots, this.length, slots);
    this.isRunning = true;
    this.lastAttention = null;
    try {
      const choices = await this.cache.choose!({ embeddings: embedding, positions, deviations });
      this.cache.length += slots;
      return choices;
    } finally {
      this.isRunning = false;
      if (this.isDisposed) this.cache.dispose();
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
        const heads = await this.cache.forwardForHeads({
          embeddings: embeddings.subarray(start * hiddenSize, end * hiddenSize),
          positions: positions.subarray(start, end),
        });
        this.cache.length += end - start;
        read.put(heads, start, end - start);
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
    cache.moveSlots(
      first,
      sources.subarray(first, end).map((source) => Math.max(source, 0)),
    );
    cache.length = sources.length;
    this.lastAttention = null;
  }

  copyFrom(other: DecodeSession, length: number): void {
    this.assertIdle();
    if (!(other instanceof CachedDecodeSession && other.isOf(this.model))) {
      throw new Error('A decode session of another model has no slots for this one.');
    }
    other.assertIdle();
    if (length > this.capacitySlots) {
      throw new CapacityError(this.capacitySlots, this.length, length - this.length);
    }
    if (!Number.isInteger(length) || length < this.length || length > other.length) {
      throw new RangeError(`Cannot go from ${this.length} slots to ${length} of ${other.length}.`);
    }
    if (length > this.length) this.cache.copySlots(other.cache, this.length, length - this.length);
    this.cache.length = length;
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
        const chunkWanted = Math.min(end - start, Math.max(0, end - (rows - wanted)));
        const { logits, attention } = await this.cache.forward({
          embeddings: embeddings.subarray(start * hiddenSize, end * hiddenSize),
          positions: positions.subarray(start, end),
          deviations: deviations?.subarray(start, end),
          wanted: chunkWanted,
          reading: end === rows ? reading : undefined,
        });
        this.cache.length += end - start;
        if (chunkWanted > 0) result.set(logits, (end - chunkWanted - (rows - wanted)) * vocabularySize);
        this.lastAttention = attention;
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
  lendCache(): RunningContext {
    this.assertIdle();
    if (this.length >= this.capacitySlots) throw new CapacityError(this.capacitySlots, this.length, 1);
    return this.cache;
  }

  /** The run over a lent cache begins. */
  beginRun(): void {
    this.isRunning = true;
    this.lastAttention = null;
  }

  /** It ended; the slot counts if it was run. @param attention - what it attended to, where that was read. */
  endRun(hasRun: boolean, attention: Float32Array | null): void {
    if (hasRun) this.cache.length++;
    this.lastAttention = attention;
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
  run: (caches: readonly RunningContext[]) => Promise<TogetherResult>,
): Promise<Float32Array> {
  const caches = sessions.map((session) => session.lendCache());
  if (new Set(caches).size < caches.length) throw new Error('A decode session was given twice.');
  for (const session of sessions) session.beginRun();
  let result: TogetherResult | null = null;
  try {
    result = await run(caches);
    return result.hidden;
  } finally {
    for (const [i, session] of sessions.entries()) {
      session.endRun(result !== null, result?.attention?.[i] ?? null);
    }
  }
}
