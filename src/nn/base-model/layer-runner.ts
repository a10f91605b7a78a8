/** What runs a base's layers on one device; `base-model.ts` holds the rules that are the same on every one. */
import type { AttentionReading } from '../../core/parameters/measurement.ts';
import type { FirstChoice } from '../ports.ts';

/** The weights of a base on a device. */
export interface LayerRunner {
  /** What the weights take in its memory; absent where they are float32. */
  readonly weightBytes?: number;
  /** `[n, d]` rows of the embedding table, for ids that are in it; a new array. */
  lookUp(ids: ArrayLike<number>): Float32Array;
  /** @throws what the device does when it is full; nothing stays allocated then. */
  createContext(capacitySlots: number): RunningContext;
  /**
   * One slot for each context, all of this runner: what has no cache is run for all at once.
   *
   * @param request - with a reading, every context's attention is read, too.
   */
  forwardTogether(contexts: readonly RunningContext[], request: TogetherRequest): Promise<TogetherResult>;
  /** @param hidden - `[n, d]`, as `forwardTogether` gives them. @returns `[n, vocabulary]`, the caller's. */
  logitsOf(hidden: Float32Array): Promise<Float32Array>;
  dispose(): void;
}

export interface ForwardRequest {
  /** `[n, d]`, borrowed. */
  readonly embeddings: Float32Array;
  /** `[n]` */
  readonly positions: Float64Array;
  /** `[n]`, as `rotationsOf` has them. */
  readonly deviations?: Float64Array | undefined;
  /** How many last rows' logits; 0..n. */
  readonly wanted: number;
  /** With rows wanted: read the last row's attention, too. */
  readonly reading?: AttentionReading | undefined;
}

export type TogetherRequest = Omit<ForwardRequest, 'wanted'>;

export interface TogetherResult {
  /** `[contexts, d]` normed outputs of the top layer, the caller's. */
  readonly hidden: Float32Array;
  /** Per context as `ForwardResult` has it; null where none is read. */
  readonly attention: readonly Float32Array[] | null;
}

export interface ForwardResult {
  /** `[wanted, vocabulary]`, the caller's. */
  readonly logits: Float32Array;
  /** `[slots]`, sums to 1; null where none is read. */
  readonly attention: Float32Array | null;
}

/** One key-value cache of fixed capacity, written in place, and how to run slots behind it. */
export interface RunningContext {
  readonly capacitySlots: number;
  /** Slots that hold something; the caller's to raise after a run, and to lower. */
  length: number;
  /**
   * Run the layers over new slots, writing their keys and values behind `length`. The top layer computes nothing but
   * keys and values for rows whose logits are not wanted.
   */
  forward(request: ForwardRequest): Promise<ForwardResult>;
  /** The same for what their heads are. @returns as `SlotHeadsBuffer.put` takes it. */
  forwardForHeads(request: Pick<ForwardRequest, 'embeddings' | 'positions'>): Promise<Float32Array>;
  /** Slots `first` to `first + count - 1` become what another context of this runner holds there. */
  copySlots(other: RunningContext, first: number, count: number): void;
  /** As `GreedyDecoding` has it, over one embedding and as many positions as slots are run. */
  readonly choose?: (
    request: Pick<ForwardRequest, 'embeddings' | 'positions' | 'deviations'>,
  ) => Promise<readonly FirstChoice[]>;
  /** Slot `first + i` becomes what slot `sources[i]` held; any may be moved over any. */
  moveSlots(first: number, sources: Int32Array): void;
  dispose(): void;
}
