/**
 * What the rest of the project sees of the neural networks: typed arrays in, typed arrays out. No tensor
 * leaves this room, so nobody else can leak one.
 */
import type { AttentionReading } from '../core/parameters/measurement.ts';
import type { Scorer } from '../core/policies/scorer.ts';
import type { SlotView } from '../core/context/slot-view.ts';
import type { HeadStatistics } from '../core/heads/router.ts';
import type { LensNetVariant, ModelManifest } from './model-folder/manifest.ts';
import type { ChatTemplate } from './model-folder/chat-pieces.ts';
import type { Tokenizer } from './model-folder/tokenizer.ts';

/**
 * Slots that are run in one call at most: bounds the attention matrix and the memory of a long prefill, and how long
 * a stop has to wait.
 */
export const PREFILL_SLOTS = 256;

export type BackendId = 'webgpu' | 'wasm' | 'cpu';

/** Which backend runs and why; shown in the page's backend badge. */
export interface BackendReport {
  readonly id: BackendId;
  /** One sentence for people: why this backend and not a faster one. */
  readonly reason: string;
  /** The adapter's own description, when WebGPU was looked at. */
  readonly adapter: string | null;
  readonly isSoftwareAdapter: boolean;
  readonly wasOverridden: boolean;
  /** Which threads of the processor run the WASM kernels; null where something else computes. */
  readonly threads: ThreadReport | null;
}

/** Shown beside the backend. */
export interface ThreadReport {
  readonly count: number;
  /** One sentence for people: why so many. */
  readonly reason: string;
}

/** How a base attends: neighbouring query heads share a key head. */
export interface AttentionHeads {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** What every layer made of slots when they were run: the product of a query and a key is an attention's logit. */
export interface SlotHeads {
  /** Per layer `[n, kvHeads · headDim]`, rotated. */
  readonly keys: readonly Float32Array[];
  /** Per layer `[n, heads · headDim]`, rotated and divided by the root of headDim. */
  readonly queries: readonly Float32Array[];
}

/** The most likely token, with the log-probability that it has and the entropy that it was chosen from, in nats. */
export interface FirstChoice {
  readonly tokenId: number;
  readonly logProbability: number;
  readonly entropy: number;
}

/** Decoding by first choices on a device that needs nobody between two tokens. */
export interface GreedyDecoding {
  /** Slots that one call runs at most. */
  readonly mostSlots: number;
  /**
   * Run one slot, and behind it as many more as there are positions left, each holding the first choice after the slot
   * before it; keep the keys and values of all.
   *
   * @param embedding - `[d]` of the first of them, borrowed. Positions and deviations as `append` has them.
   * @returns the first choice after each of the slots.
   * @throws as `append`.
   */
  append(
    embedding: Float32Array,
    positions: Float64Array,
    deviations?: Float64Array,
  ): Promise<readonly FirstChoice[]>;
}

/** The key-value cache of one running context: fixed capacity, appended in place. */
export interface DecodeSession {
  readonly capacitySlots: number;
  /** Slots held now. */
  readonly length: number;
  /**
   * Run the base over more slots and keep their keys and values.
   *
   * @param embeddings - `[n, d]`, borrowed.
   * @param positions - `[n]` where each slot stands for RoPE; whole or fractional.
   * @param deviations - `[n]` how uncertain each position is (standard deviation); all 0 where absent.
   * @param want - whose logits: a number stands for that many last slots, 0 for none.
   * @param reading - reads the last slot's attention along, if its logits are wanted.
   * @returns `[wanted, vocabulary]` logits; owned by the caller. The fewer are wanted, the less is computed.
   * @throws {CapacityError} if the cache would overflow; nothing is changed.
   */
  append(
    embeddings: Float32Array,
    positions: Float64Array,
    want: 'last' | 'all' | number,
    deviations?: Float64Array,
    reading?: AttentionReading,
  ): Promise<Float32Array>;
  /**
   * Run the base over more slots as `append` does, for their keys and queries instead of logits.
   *
   * @returns what the caller owns.
   * @throws as `append`.
   */
  appendForHeads(embeddings: Float32Array, positions: Float64Array): Promise<SlotHeads>;
  /**
   * `[length]` how much the last slot of the last `append` or `appendTogether` attended to each slot, sums to 1; null
   * if that read none. Owned by the caller.
   */
  readonly lastAttention: Float32Array | null;
  /**
   * Behind the cached slots, up to `length`, becomes what another session holds there: keys and values are copied, and
   * nothing is run. What the other one ran before them must be what is cached here.
   *
   * @param other - of the same model, idle.
   * @throws {CapacityError} | {RangeError} where the other one holds less, or this one more; nothing is changed then.
   */
  copyFrom(other: DecodeSession, length: number): void;
  /** Absent where logits come back as fast as a choice would. */
  readonly greedy?: GreedyDecoding | undefined;
  /** Forget everything from slot n on. */
  truncate(length: number): void;
  /**
   * Move cached slots: slot i becomes what slot `sources[i]` held, in the keys and values that it got where it
   * was run. The length becomes `sources.length`.
   *
   * @param sources - cached slots, ascending; -1 leaves a gap, which `fill` has to run before any slot behind it.
   * @throws {CapacityError} | {RangeError} for what is not cached; nothing is changed then.
   */
  rearrange(sources: Int32Array): void;
  /**
   * Run the base over slots in the place of cached ones, seeing what stands before them; what stands behind is
   * kept. Parameters as `append`.
   *
   * @throws {RangeError} if they reach behind the last cached slot.
   */
  fill(
    firstSlot: number,
    embeddings: Float32Array,
    positions: Float64Array,
    deviations?: Float64Array,
  ): Promise<void>;
  dispose(): void;
}

/** What running a base asks for, by its sizes alone: what a measured time is compared with. */
export interface BaseWork {
  /** Weights of its layers' matrices: each slot is multiplied by all of them. */
  readonly layerWeights: number;
  /** Weights of the head: each slot whose logits are wanted. */
  readonly headWeights: number;
  /** As they lie in memory, the scales of groups included. */
  readonly bytesPerWeight: number;
}

export interface LanguageModel {
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly layers: number;
  readonly attention: AttentionHeads;
  /** How many weights it has; a tied head counts once. */
  readonly parameters: number;
  /** Absent where nobody counted. */
  readonly work?: BaseWork | undefined;
  /** One sentence for people where it runs slower than this backend lets others; null or absent where it does not. */
  readonly compromise?: string | null;
  /** `[n, d]` token embeddings, looked up on the CPU; owned by the caller. Unknown ids throw a RangeError. */
  embed(ids: ArrayLike<number>): Float32Array;
  createDecodeSession(capacitySlots: number): DecodeSession;
  /**
   * Run one more slot in each of several sessions, in one pass that shares what has no cache, and keep its keys and
   * values.
   *
   * @param sessions - of this model, each once.
   * @param embeddings - `[sessions, d]`, borrowed; positions and deviations `[sessions]`, as `append` has them.
   * @param reading - reads what each slot attends to along, for its session's `lastAttention`.
   * @returns `[sessions, d]` final hidden states, which `logitsOf` reads; owned by the caller.
   * @throws {CapacityError} if one of the caches would overflow; nothing is changed.
   */
  appendTogether(
    sessions: readonly DecodeSession[],
    embeddings: Float32Array,
    positions: Float64Array,
    deviations?: Float64Array,
    reading?: AttentionReading,
  ): Promise<Float32Array>;
  /**
   * The LM head alone.
   *
   * @param hidden - `[n, d]` final hidden states, borrowed.
   * @returns `[n, vocabulary]` logits; owned by the caller.
   */
  logitsOf(hidden: Float32Array): Promise<Float32Array>;
  dispose(): void;
}

/** What compressing takes. */
export interface GistWork {
  /** Multiplications of one block with all of its context. */
  readonly blockMultiplications: number;
  /** What it reads and writes besides weights. */
  readonly blockBytes: number;
}

export interface GistNet {
  readonly version: number;
  /** Where it runs on the project's own kernels. */
  readonly work?: GistWork;
  /** How many children before the block may be given as context. */
  readonly contextChildren: number;
  /**
   * Compress complete blocks of K children.
   *
   * @param lod - the level of detail of the gists made: 1 (children are token embeddings) or more.
   * @param children - `[B, C + K, d]`, right aligned, C = contextChildren; borrowed.
   * @param contextCounts - `[B]` how many of the C context rows are real.
   * @param tokens - `[B · K]` ids of the children, at LOD1 only, where a net may weigh them by token.
   * @returns `[B, d]`; owned by the caller.
   */
  compress(
    lod: number,
    children: Float32Array,
    contextCounts: ArrayLike<number>,
    tokens?: ArrayLike<number>,
  ): Promise<Float32Array>;
  dispose(): void;
}

/** What one pass of a LensNet reads; the fields of a `SlotView` that matter. */
export type LensInput = Pick<
  SlotView,
  'slotCount' | 'embeddings' | 'blockVectors' | 'features' | 'lexical' | 'tail' | 'tailCount' | 'scoredSlots'
>;

/** What scoring takes, in multiplications. */
export interface LensWork {
  /** Of a slot that is read. */
  readonly slotMultiplications: number;
  /** Of one that is scored, besides. */
  readonly scoredMultiplications: number;
  /** Of a token of the tail. */
  readonly tailMultiplications: number;
}

export interface LensNet extends Scorer {
  readonly version: number;
  /** Where it runs on the project's own kernels, all of a pass in one call. */
  readonly work?: LensWork | undefined;
  /** How many tail embeddings it reads at most. */
  readonly tailTokens: number;
  /** Whether it needs `lexical` in what it scores. */
  readonly readsWords: boolean;
  dispose(): void;
}

/** What was measured about one entry, or one group of siblings, of a working context. */
export interface EntryTarget {
  /** Its slots: neighbours in the view. */
  readonly firstSlot: number;
  readonly slotCount: number;
  /** The score that it should have, in [-1, 1]. */
  readonly target: number;
  /** How much it counts in the regression, above 0. */
  readonly weight: number;
  /** Targets of one group are ranked among each other; null takes no part. */
  readonly group: string | null;
}

/** One working context to learn from; borrowed, not kept. */
export interface LensExample extends LensInput {
  /** At least one; the tail must not be empty. */
  readonly targets: readonly EntryTarget[];
}

export interface ExampleLoss {
  readonly total: number;
  readonly regression: number;
  readonly ranking: number;
}

/** Everything that a training step changes; plain arrays, copies. */
export interface TrainerState {
  readonly weights: Float32Array;
  readonly optimizer: {
    readonly step: number;
    readonly mean: Float32Array;
    readonly square: Float32Array;
  };
}

/** Trains one LensNet: gradients of examples are added up, then a step is taken along their mean. */
export interface LensTrainer {
  /** Add one example's gradient to the step. @throws {TrainingError} if its loss is no number. */
  addExample(example: LensExample): Promise<ExampleLoss>;
  /**
   * Take the step and begin the next one.
   *
   * @returns the gradient's norm before clipping.
   * @throws {TrainingError} if the gradient is no number; the weights are as before then.
   */
  applyStep(learningRate: number): number;
  /** Forget the examples added since the last step. */
  dropStep(): void;
  snapshot(): TrainerState;
  restore(state: TrainerState): void;
  /** The weights, or those of a snapshot, as a float16 safetensors file. @throws {WeightError} */
  encodeWeights(file: string, state?: TrainerState): ArrayBuffer;
  dispose(): void;
}

/** Makes LensNets of one shape, a model's LensNet of one variant, from weight files. */
export interface LensWorkshop {
  /** The model folder's own weights, a safetensors file. @throws what reading them does. */
  readonly shippedWeights: () => Promise<ArrayBuffer>;
  /** @throws {WeightError} if the file does not fit the model. The caller disposes the net. */
  createNet(weights: ArrayBuffer, file: string): Promise<LensNet>;
  /** @throws {WeightError} */
  createTrainer(weights: ArrayBuffer, file: string): Promise<LensTrainer>;
}

/**
 * `[d]` mean embedding of the tail and one row of statistics a head → `[heads]` utilities, on the scale of `wanted`.
 *
 * @throws {RangeError} for another number of heads.
 */
export type HeadRouter = (query: Float32Array, statistics: readonly HeadStatistics[]) => readonly number[];

/** A head's final hidden state `[d]`, the entropy of what it predicts alone, its utility → its gate, before a softmax. */
export type HeadMerger = (hidden: Float32Array, entropyNats: number, utility: number) => number;

/** What Multi-Head Focus learned for one number of heads; null where a part is not trained. */
export interface FocusHeads {
  /** LensNet as a head has it; borrowed. */
  readonly lensOf: ((head: number) => LensNet) | null;
  readonly router: HeadRouter | null;
  readonly merger: HeadMerger | null;
}

/** Everything of one model folder, loaded and verified. */
export interface LoadedModel {
  readonly id: string;
  readonly title: string;
  /** SHA-256 over the manifest's file hashes: names this exact set of weights. */
  readonly hash: string;
  readonly manifest: ModelManifest;
  readonly tokenizer: Tokenizer;
  /** What a session's chat is written with. */
  readonly chat: ChatTemplate;
  readonly base: LanguageModel;
  readonly gistNet: GistNet;
  /** Null where none is trained for the base. */
  readonly lensNet: LensNet | null;
  /** LensNets of other architectures than `lensNet`, by theirs. */
  readonly otherLensNets: ReadonlyMap<LensNetVariant, LensNet>;
  /** LensNet-G, which scores staging contexts; absent where none is trained. */
  readonly stagingLensNet?: LensNet;
  /** By the number of heads; absent where nothing is trained for several. */
  readonly focusHeads?: ReadonlyMap<number, FocusHeads>;
  /** Of every variant that the model has; empty where its weights cannot be exchanged. */
  readonly lensWorkshops: ReadonlyMap<LensNetVariant, LensWorkshop>;
  /** Of heads that came from elsewhere than the base, what they are called. */
  readonly headsTitle?: string;
  dispose(): void;
}
