/**
 * What the rest of the project sees of the neural networks: typed arrays in, typed arrays out. No tensor
 * leaves this room, so nobody else can leak one.
 */
import type { Scorer } from '../core/ports.ts';
import type { ModelManifest } from './manifest.ts';

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
}

export interface Tokenizer {
  readonly vocabularySize: number;
  encode(text: string): Uint32Array;
  decode(ids: ArrayLike<number>): string;
  /** The bytes of one token as text; incomplete UTF-8 gives U+FFFD. */
  tokenText(id: number): string;
  /** Decodes a stream: returns the text that became complete, holding back incomplete UTF-8. */
  createStreamDecoder(): { push(id: number): string; flush(): string };
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
   * @returns logits of the last slot `[vocabulary]`, or of all n slots `[n, vocabulary]`; owned by the caller.
   * @throws {CapacityError} if the cache would overflow; nothing is changed.
   */
  append(
    embeddings: Float32Array,
    positions: Float64Array,
    want: 'last' | 'all',
    deviations?: Float64Array,
  ): Promise<Float32Array>;
  /** Forget everything from slot n on. */
  truncate(length: number): void;
  dispose(): void;
}

export interface LanguageModel {
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly layers: number;
  /** How many weights it has; a tied head counts once. */
  readonly parameters: number;
  /** `[n, d]` token embeddings, looked up on the CPU; owned by the caller. Unknown ids throw a RangeError. */
  embed(ids: ArrayLike<number>): Float32Array;
  createDecodeSession(capacitySlots: number): DecodeSession;
  dispose(): void;
}

export interface GistNet {
  readonly version: number;
  /** How many children before the block may be given as context. */
  readonly contextChildren: number;
  /**
   * Compress complete blocks of K children.
   *
   * @param level - the level of the gists made: 1 (children are token embeddings) or more.
   * @param children - `[B, C + K, d]`, right aligned, C = contextChildren; borrowed.
   * @param contextCounts - `[B]` how many of the C context rows are real.
   * @returns `[B, d]`; owned by the caller.
   */
  compress(level: number, children: Float32Array, contextCounts: ArrayLike<number>): Promise<Float32Array>;
  dispose(): void;
}

export interface LensNet extends Scorer {
  readonly version: number;
  /** How many tail embeddings it reads at most. */
  readonly tailTokens: number;
  dispose(): void;
}

/** Everything of one model folder, loaded and verified. */
export interface LoadedModel {
  readonly id: string;
  readonly title: string;
  /** SHA-256 over the manifest's file hashes: names this exact set of weights. */
  readonly hash: string;
  readonly manifest: ModelManifest;
  readonly tokenizer: Tokenizer;
  readonly base: LanguageModel;
  readonly gistNet: GistNet;
  readonly lensNet: LensNet;
  dispose(): void;
}
