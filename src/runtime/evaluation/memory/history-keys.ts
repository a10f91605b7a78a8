/**
 * The base's keys over a whole history, of any length, for baselines that read its attention. Read once a history
 * and kept by a cache that the caller brings.
 *
 * The base reads the history in order at its own places, each token seeing the first tokens and a window of the
 * newest as in StreamingLLM (Xiao et al. 2023), so that the cost grows with the length alone. Up to the window's
 * length that is a plain prefill.
 */
import { crc32 } from '../../../base/crc32.ts';
import type { Clock } from '../../../base/clock.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { K } from '../../../core/tree/ids.ts';
import { baseSha256 } from '../../../nn/model-folder/manifest.ts';
import {
  type AttentionHeads,
  type DecodeSession,
  type LoadedModel,
  PREFILL_SLOTS,
  type SlotHeads,
} from '../../../nn/ports.ts';

/** One attention head of the base. */
export type HeadId = readonly [layer: number, head: number];

/** Keeps what was read between runs: it depends on the base, the tokens and the heads alone. */
export interface KeyCache {
  load(key: string): Promise<Float32Array | null>;
  save(key: string, values: Float32Array): Promise<void>;
}

/** First tokens that stay in the window. */
const SINK_TOKENS = 4;
/** A question's last tokens that are asked by, at most. */
const MAX_ASKED_TOKENS = PREFILL_SLOTS;

/** Everything below is of the closed blocks; the rows of a block are neighbours. */
export interface HistoryKeys {
  readonly shape: AttentionHeads;
  /** Per layer `[blocks, kvHeads · headDim]` the least of every key's numbers in a block. */
  readonly least: readonly Float32Array[];
  /** Per layer `[blocks, kvHeads · headDim]` the most. */
  readonly most: readonly Float32Array[];
  /** Per head that was named `[blocks · K, headDim]`, in their order. */
  readonly keys: readonly Float32Array[];
  /** Tokens that the base read for the history, whether or not they came from a cache. */
  readonly baseTokens: number;
  /** Wall time of that. */
  readonly ms: number;
  /**
   * What a question that stands behind the history asks by; `baseTokens` of it are its own tokens.
   *
   * @returns per layer `[asked tokens, heads · headDim]`.
   */
  ask(ids: Uint32Array): Promise<readonly Float32Array[]>;
  dispose(): void;
}

/**
 * @param heads - whose keys are kept token by token.
 * @param pause - awaited between two chunks; may throw to give up, and nothing stays allocated then.
 * @returns the caller disposes it.
 */
export async function readHistoryKeys(
  model: LoadedModel,
  tree: GistTree,
  heads: readonly HeadId[],
  cache: KeyCache | undefined,
  clock: Clock,
  pause: () => Promise<void>,
): Promise<HistoryKeys> {
  const { base } = model;
  const { attention: shape, layers } = base;
  const blocks = tree.closedBlockCount;
  const ids = tree.tokens(0, tree.tokenCount);
  const key = cacheKey(model, ids, heads);
  const sizes = [
    1,
    ...new Array<number>(2 * layers).fill(blocks * shape.kvHeads * shape.headDim),
    ...heads.map(() => blocks * K * shape.headDim),
  ];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const reader = new WindowedReader(model, pause);
  try {
    let values = (await cache?.load(key)) ?? null;
    if (values?.length !== total) {
      values = new Float32Array(total);
      const from = clock.now();
      const [, ...parts] = split(values, sizes);
      const least = parts.slice(0, layers);
      const most = parts.slice(layers, 2 * layers);
      least.forEach((part) => part.fill(Infinity));
      most.forEach((part) => part.fill(-Infinity));
      const keys = parts.slice(2 * layers);
      await reader.read(ids, 0, (read, start) => {
        for (let layer = 0; layer < layers; layer++)
          addBounds(read.keys[layer]!, start, least[layer]!, most[layer]!, blocks, shape);
        for (const [i, [layer, head]] of heads.entries())
          takeKeys(read.keys[layer]!, start, keyHeadOf(head, shape), keys[i]!, shape);
      });
      values[0] = clock.now() - from;
      await cache?.save(key, values);
    }
    const [ms, ...parts] = split(values, sizes);
    // The window that a question sees is read anew, so that it is the same with a cache and without.
    const baseTokens = ids.length + (await reader.readEnd(ids));
    return {
      shape,
      least: parts.slice(0, layers),
      most: parts.slice(layers, 2 * layers),
      keys: parts.slice(2 * layers),
      baseTokens,
      ms: ms![0]!,
      ask: (asked) => reader.ask(asked, ids.length),
      dispose: () => {
        reader.dispose();
      },
    };
  } catch (error) {
    reader.dispose();
    throw error;
  }
}

/** The key head that a query head reads. */
export function keyHeadOf(head: number, { heads, kvHeads }: AttentionHeads): number {
  return Math.floor((head * kvHeads) / heads);
}

/** Runs a text through a window of bounded length. Owns the session. */
class WindowedReader {
  private readonly windowTokens: number;
  private readonly session: DecodeSession;

  constructor(
    private readonly model: LoadedModel,
    private readonly pause: () => Promise<void>,
  ) {
    this.windowTokens = model.manifest.trainedContextTokens;
    const slots = SINK_TOKENS + this.windowTokens + PREFILL_SLOTS;
    this.session = model.base.createDecodeSession(Math.max(slots, this.windowTokens + MAX_ASKED_TOKENS));
  }

  /** Run tokens at their places, behind what is in the window. */
  async read(
    ids: Uint32Array,
    from: number,
    take: (read: SlotHeads, start: number) => void = () => undefined,
  ): Promise<void> {
    for (let start = from; start < ids.length; start += PREFILL_SLOTS) {
      await this.pause();
      this.slide();
      const chunk = ids.subarray(start, start + PREFILL_SLOTS);
      take(
        await this.session.appendForHeads(this.model.base.embed(chunk), placesFrom(start, chunk.length)),
        start,
      );
    }
  }

  /** Leave first and newest tokens alone in the window. @returns tokens that were read for it. */
  async readEnd(ids: Uint32Array): Promise<number> {
    this.session.truncate(0);
    const newest = Math.max(0, ids.length - this.windowTokens);
    const sinks = ids.subarray(0, Math.min(SINK_TOKENS, newest));
    if (sinks.length > 0) await this.read(sinks, 0);
    await this.read(ids, newest);
    this.slide();
    return sinks.length + ids.length - newest;
  }

  async ask(ids: Uint32Array, start: number): Promise<readonly Float32Array[]> {
    const { length } = this.session;
    const asked = ids.subarray(-MAX_ASKED_TOKENS);
    const places = placesFrom(start + ids.length - asked.length, asked.length);
    const { queries } = await this.session.appendForHeads(this.model.base.embed(asked), places);
    this.session.truncate(length);
    return queries;
  }

  dispose(): void {
    this.session.dispose();
  }

  private slide(): void {
    const { length } = this.session;
    const over = length - SINK_TOKENS - this.windowTokens;
    if (over <= 0) return;
    const kept = (_: unknown, slot: number): number => (slot < SINK_TOKENS ? slot : slot + over);
    this.session.rearrange(Int32Array.from({ length: length - over }, kept));
  }
}

function placesFrom(start: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => start + i);
}

/** @param keys - `[n, kvHeads · headDim]` of the tokens from `start` on. */
function addBounds(
  keys: Float32Array,
  start: number,
  least: Float32Array,
  most: Float32Array,
  blocks: number,
  { kvHeads, headDim }: AttentionHeads,
): void {
  const width = kvHeads * headDim;
  const rows = Math.min(keys.length / width, blocks * K - start);
  for (let row = 0; row < rows; row++) {
    const at = Math.floor((start + row) / K) * width;
    for (let j = 0; j < width; j++) {
      const value = keys[row * width + j]!;
      if (value < least[at + j]!) least[at + j] = value;
      if (value > most[at + j]!) most[at + j] = value;
    }
  }
}

function takeKeys(
  keys: Float32Array,
  start: number,
  keyHead: number,
  target: Float32Array,
  { kvHeads, headDim }: AttentionHeads,
): void {
  const rows = Math.min(keys.length / (kvHeads * headDim), target.length / headDim - start);
  for (let row = 0; row < rows; row++) {
    const at = (row * kvHeads + keyHead) * headDim;
    target.set(keys.subarray(at, at + headDim), (start + row) * headDim);
  }
}

function split(values: Float32Array, sizes: readonly number[]): Float32Array[] {
  let at = 0;
  return sizes.map((size) => values.subarray(at, (at += size)));
}

/** Another window or another form of what is kept is another version. */
const VERSION = 1;

function cacheKey(model: LoadedModel, ids: Uint32Array, heads: readonly HeadId[]): string {
  const bytes = new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
  const config = [VERSION, model.manifest.trainedContextTokens, ...heads.flat()].join(' ');
  const mark = crc32(new TextEncoder().encode(config)).toString(16);
  return [baseSha256(model).slice(0, 12), ids.length, crc32(bytes).toString(16), mark].join('-');
}
