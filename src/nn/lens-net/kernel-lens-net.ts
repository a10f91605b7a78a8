/**
 * The default LensNet on the WASM kernels: a pass over a working context is one call into `kernels/lens.ts`. Scores are
 * those of the layers on TensorFlow.js but for rounding: what all slots are multiplied by are whole numbers.
 */
import type { SlotView } from '../../core/context/slot-view.ts';
import { KernelMemory } from '../backend/kernel-memory.ts';
import type { ThreadPool } from '../backend/thread-pool.ts';
import { paddedColumns } from '../base-model/kernel-weights.ts';
import type { LensNetConfig } from '../model-folder/manifest.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import { lensMultiplications } from '../lens-work.ts';
import type { LensInput, LensNet, LensWork } from '../ports.ts';
import { checkLensInput, lastTail, shareRows, type SlotShape, slotColumns, slotShapeOf } from './input.ts';
import { type KernelLensConfig, KernelLensWeights } from './kernel-lens-weights.ts';

/** `LENS_ROWS` of `kernels/lens.ts`. */
const LENS_ROWS = 48;
/** `PANEL_ROWS` of `kernels/products.ts`. */
const PANEL_ROWS = 12;
/** Words of an `Attention` of `kernels/attention.ts`. */
const ATTENTION_WORDS = 14;
/** Multiplications that are worth a thread of their own: some hundred microseconds of one. */
const SHARE = 2_000_000;
/** Slots that room is made for at a time. */
const SLOTS_AT_ONCE = 256;
/**
 * Tails whose reading is kept: several heads, windows too wide for one pass, refinements and pages that are looked into
 * are scored for the same tail, or for each part of a question in turn. A reading is some tens of kilobytes.
 */
const KEPT_TAILS = 16;

/** What a tail asks, in memory. */
interface TailReading {
  /** `[m, d]` as it was read. */
  readonly tail: Float32Array;
  /** `tailAsks` and `asking` of a `LensRun`, side by side. */
  readonly at: number;
}

/** Words of `LensRun` in `kernels/lens.ts`, in its order. */
const RUN_FIELDS = [
  'slots',
  'tailTokens',
  'sharedRows',
  'embeddings',
  'shared',
  'sharedOf',
  'sharedProducts',
  'tail',
  'places',
  'encoded',
  'tailAsks',
  'asking',
  'isTailRead',
  'asked',
  'answers',
  'x',
  'normed',
  'scored',
  'scoredSlots',
  'out',
  'nextSlot',
  'spaces',
  'sync',
] as const;

/** Whether this net runs on the kernels: heads of whole vectors, and the body that they know. */
export function canRunOnKernels(config: LensNetConfig): config is KernelLensConfig {
  return (
    config.variant === 'dual-cross-attention' &&
    config.tailGists !== false &&
    config.width % (4 * config.heads) === 0
  );
}

export class KernelLensNet implements LensNet {
  readonly id = 'lensnet';
  readonly version: number;
  readonly tailTokens: number;
  readonly readsWords: boolean;
  readonly work: LensWork;
  private readonly memory: KernelMemory;
  private readonly shape: SlotShape;
  private readonly lens: number;
  private readonly inner: number;
  private readonly places: Float32Array;
  private readonly run: number;
  private room: ReturnType<KernelLensNet['allocateRoom']> | null = null;
  /** The latest last. */
  private readonly readings: TailReading[] = [];

  /** @throws {WeightError} if the file does not fit the configuration; nothing is left behind. */
  constructor(
    private readonly hiddenSize: number,
    epsilon: number,
    private readonly config: KernelLensConfig,
    file: TensorFile,
    module: WebAssembly.Module,
    pool: ThreadPool | null,
    private readonly share = SHARE,
  ) {
    const { width, tailTokens, version } = config;
    this.version = version;
    this.tailTokens = tailTokens;
    this.shape = slotShapeOf(hiddenSize, config);
    this.readsWords = this.shape.lexicalFeatures > 0;
    this.memory = new KernelMemory(module, pool);
    try {
      const weights = new KernelLensWeights(this.memory, file, this.shape, config);
      this.lens = weights.lens(epsilon);
      this.inner = weights.widestInner;
      this.work = weights.work();
      this.places = file.floats('tail_pos', [tailTokens, width]);
      this.run = this.memory.allocate(RUN_FIELDS.length * 4);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  async score(view: SlotView): Promise<Float32Array> {
    const logits = await this.logits(view);
    return logits.map(Math.tanh);
  }

  /** As `SlotLensNet.logits`. */
  // eslint-disable-next-line @typescript-eslint/require-await -- what is wrong with the input is thrown like anything else
  async logits(input: LensInput): Promise<Float32Array> {
    const { slotCount, tailCount } = input;
    checkLensInput(input, this.shape);
    if (slotCount === 0 || tailCount === 0) return new Float32Array(slotCount);
    const tail = lastTail(input, this.hiddenSize, this.tailTokens);
    const shared = shareRows(input, this.shape);
    const room = this.roomFor(slotCount);
    const scoredSlots = input.scoredSlots ?? Uint32Array.from({ length: slotCount }, (_, slot) => slot);
    const multiplications = lensMultiplications(this.work, this.tailTokens, input);
    const threads = Math.max(1, Math.floor(multiplications / this.share));
    const known = this.takeReading(tail);
    const reading = known ?? { tail: tail.slice(), at: this.roomForReading() };
    try {
      for (const count of [threads, 1]) {
        this.put(input, scoredSlots, tail, shared, {
          ...room,
          ...this.readingFields(reading, known !== null),
        });
        if (this.memory.runShared('runLens', count, [this.lens, this.run])) break;
      }
    } catch (error) {
      this.memory.free(reading.at);
      throw error;
    }
    this.readings.push(reading);
    return spread(this.memory.floats(room.out, scoredSlots.length), scoredSlots, slotCount);
  }

  dispose(): void {
    this.memory.dispose();
  }

  /** What a run reads; as everything that is prepared, it may be put there twice. */
  private put(
    { slotCount, embeddings }: LensInput,
    scoredSlots: Uint32Array,
    tail: Float32Array,
    shared: ReturnType<typeof shareRows>,
    room: NonNullable<typeof this.room> & ReturnType<KernelLensNet['readingFields']>,
  ): void {
    const { memory, hiddenSize, config } = this;
    const { width, tailTokens } = config;
    const columns = slotColumns(this.shape) - hiddenSize;
    const count = tail.length / hiddenSize;
    const sharedRows = shared.rows.length / columns;
    this.putRows(room.embeddings, embeddings, hiddenSize);
    this.putRows(room.shared, shared.rows, columns);
    this.putRows(room.tail, tail, hiddenSize);
    memory.words(room.sharedOf, slotCount).set(shared.rowOf);
    memory.words(room.scoredSlots, scoredSlots.length).set(scoredSlots);
    memory.floats(room.places, count * width).set(this.places.subarray((tailTokens - count) * width));
    const run: Record<(typeof RUN_FIELDS)[number], number> = {
      ...room,
      slots: slotCount,
      tailTokens: count,
      sharedRows,
      scored: scoredSlots.length,
      nextSlot: 0,
      sync: memory.sync,
    };
    memory.words(this.run, RUN_FIELDS.length).set(RUN_FIELDS.map((field) => run[field]));
  }

  /** Out of those kept, where it belongs again once it was used. */
  private takeReading(tail: Float32Array): TailReading | null {
    const at = this.readings.findLastIndex((reading) => isSame(reading.tail, tail));
    return at < 0 ? null : this.readings.splice(at, 1)[0]!;
  }

  /** @throws {RangeError} if there is none. */
  private roomForReading(): number {
    if (this.readings.length >= KEPT_TAILS) return this.readings.shift()!.at;
    const { width, heads, tailQueries } = this.config;
    return this.memory.allocate((1 + heads) * tailQueries * paddedColumns(width) * 4);
  }

  private readingFields({ at }: TailReading, isKnown: boolean) {
    const { width, tailQueries } = this.config;
    return {
      tailAsks: at,
      asking: at + tailQueries * paddedColumns(width) * 4,
      isTailRead: isKnown ? 1 : 0,
    };
  }

  /** Rows padded to whole vectors. */
  private putRows(at: number, values: Float32Array, columns: number): void {
    const stride = paddedColumns(columns);
    const rows = values.length / columns;
    const target = this.memory.floats(at, rows * stride);
    if (stride === columns) target.set(values);
    else
      for (let row = 0; row < rows; row++)
        target.set(values.subarray(row * columns, (row + 1) * columns), row * stride);
  }

  private roomFor(slots: number): NonNullable<typeof this.room> {
    if (this.room !== null && this.room.capacity >= slots) return this.room;
    if (this.room !== null) for (const block of this.room.blocks) this.memory.free(block);
    this.room = null;
    return (this.room = this.allocateRoom(Math.ceil(slots / SLOTS_AT_ONCE) * SLOTS_AT_ONCE));
  }

  /** @throws {RangeError} if there is none. */
  private allocateRoom(capacity: number) {
    const { memory, hiddenSize } = this;
    const { width, heads, tailTokens, tailQueries } = this.config;
    const blocks: number[] = [];
    const take = (bytes: number): number => {
      const at = memory.allocate(bytes);
      blocks.push(at);
      return at;
    };
    const rows = (count: number, columns: number): number => take(count * paddedColumns(columns) * 4);
    const columns = slotColumns(this.shape) - hiddenSize;
    const asking = heads * tailQueries;
    const record = (values: readonly number[]): number => {
      const at = memory.record(values);
      blocks.push(at);
      return at;
    };
    const most = Math.max(LENS_ROWS, tailTokens, 1 + tailQueries);
    const { inner } = this;
    const widest = paddedColumns(Math.max(hiddenSize, columns, width, inner, heads * (1 + tailQueries)));
    const space = (): number => {
      const [normed, q, k, v, mixed, gate, up] = [
        width,
        Math.max(width, heads * (1 + tailQueries)),
        ...[width, width, width, inner, inner],
      ].map((each) => rows(most, each));
      const groups = Math.ceil(widest / 32);
      const rounded = record([take(most * widest * 2), take(most * groups * 4), take(most * groups * 4)]);
      const panel = take(PANEL_ROWS * widest * 4);
      const attention = take(ATTENTION_WORDS * 4);
      const scores = take(3 * paddedColumns(Math.max(capacity, tailTokens)) * 4);
      const picked = rows(LENS_ROWS, width);
      return record([normed!, q!, k!, v!, mixed!, gate!, up!, picked, rounded, panel, attention, scores]);
    };
    try {
      return {
        capacity,
        blocks,
        embeddings: rows(capacity, hiddenSize),
        shared: rows(capacity, columns),
        sharedOf: take(capacity * 4),
        sharedProducts: rows(capacity, width),
        tail: rows(tailTokens, hiddenSize),
        places: rows(tailTokens, width),
        encoded: rows(tailTokens, width),
        asked: rows(1 + tailQueries, width),
        asking: rows(asking, width),
        answers: rows(asking, width),
        x: rows(capacity, width),
        normed: rows(capacity, width),
        scoredSlots: take(capacity * 4),
        out: take(capacity * 4),
        spaces: record(Array.from({ length: memory.threads }, space)),
      };
    } catch (error) {
      for (const block of blocks) memory.free(block);
      throw error;
    }
  }
}

function isSame(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** `[slots]`, a new array: a slot that was not scored gets the score of the nearest before it that was. */
function spread(scored: Float32Array, scoredSlots: Uint32Array, slots: number): Float32Array {
  const scores = new Float32Array(slots);
  scoredSlots.forEach((slot, i) => scores.fill(scored[i]!, slot, scoredSlots[i + 1] ?? slots));
  return scores;
}
