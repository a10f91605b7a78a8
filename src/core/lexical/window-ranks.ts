/**
 * Windows of a history gain scores for one query, and give them to the blocks that they touch. The scores are all zeros
 * between two queries: grown with the history, never cleared as a whole.
 */
import { K } from '../tree/ids.ts';
import { type BlockValues, IndexSet } from './block-values.ts';
import { STRIDE_TOKENS, type StrideWords } from './stride-words.ts';

/** Windows that begin in a block. */
const STRIDES = K / STRIDE_TOKENS;
const K1 = 1.2;
const B = 0.75;
/** Of equally good blocks the one in the middle of the good windows comes first. */
const MIDDLE_WEIGHT = 1e-3;
/** The constants of BM25, and of how windows become blocks. */
export const WINDOW_RANKS = { k1: K1, b: B, middleWeight: MIDDLE_WEIGHT } as const;

/** The windows that one query is ranked by. */
export interface RankedWindows {
  /** Tokens of a window, a multiple of the stride. */
  readonly windowTokens: number;
  /** The history's first tokens are ranked. */
  readonly tokens: number;
  readonly strides: StrideWords;
  /** Words that have begun in all. */
  readonly begunInAll: number;
}

export class WindowRanks {
  private scores = new Float64Array(0);
  private found = new Uint32Array(0);
  private values = new Float64Array(0);
  /** Blocks in which windows begin that have a score. */
  private readonly begun = new IndexSet();

  /**
   * BM25 of the first blocks, where anything of the terms occurs.
   *
   * @param terms - of each, the tokens in which its words begin, ascending.
   */
  rank(terms: readonly (readonly number[])[], windows: RankedWindows): BlockValues {
    const { tokens, windowTokens, strides, begunInAll } = windows;
    const count = Math.ceil(tokens / STRIDE_TOKENS);
    this.reserve(count, tokens / K);
    const inAll = strides.wordsInAll(count, tokens, windowTokens, begunInAll);
    const meanLength = Math.max(1, inAll / Math.max(1, count));
    for (const places of terms) this.addTerm(places, windows, count, meanLength);
    return this.toBlocks(windowTokens, tokens / K);
  }

  /** One term's share of every window in which a word of it begins. */
  private addTerm(
    places: readonly number[],
    { windowTokens, tokens, strides, begunInAll }: RankedWindows,
    windows: number,
    meanLength: number,
  ): void {
    const { scores, begun } = this;
    const { counts, length } = strides;
    const reach = windowTokens / STRIDE_TOKENS;
    const within = placesBefore(places, tokens);
    const rarity = rarityOf(windowsHolding(places, within, windowTokens), windows);
    // Of a window, `low..high-1` are the places in it: both ends only go forward.
    let low = 0;
    let high = 0;
    let next = 0;
    for (let at = 0; at < within; at++) {
      const last = Math.floor(places[at]! / STRIDE_TOKENS);
      const first = Math.max(next, firstWindowOf(places[at]!, windowTokens));
      for (let window = first; window <= last; window++) {
        const start = window * STRIDE_TOKENS;
        while (places[low]! < start) low++;
        if (high < low) high = low;
        while (high < within && places[high]! < start + windowTokens) high++;
        const held = high - low;
        const end = Math.min(window + reach, windows);
        const words =
          (end < length ? counts[end]! : begunInAll) - (window < length ? counts[window]! : begunInAll);
        const damping = K1 * (1 - B + (B * words) / meanLength);
        scores[window]! += (rarity * held * (K1 + 1)) / (held + damping);
      }
      for (let block = Math.floor(first / STRIDES); block <= last / STRIDES; block++) begun.add(block);
      next = last + 1;
    }
  }

  /** A block is worth its best window; among equals, what all windows say of it, by how much of it they cover. */
  private toBlocks(windowTokens: number, blocks: number): BlockValues {
    const { scores, found, values } = this;
    const begun = this.begun.takeAll();
    const reach = windowTokens / STRIDE_TOKENS;
    const blocksReached = Math.ceil((windowTokens - STRIDE_TOKENS) / K);
    let count = 0;
    let next = 0;
    for (const first of begun) {
      const last = Math.min(first + blocksReached, blocks - 1);
      for (let block = Math.max(first, next); block <= last; block++) {
        const start = block * STRIDES;
        let best = 0;
        let sum = 0;
        for (let window = Math.max(0, start - reach + 1); window < start + STRIDES; window++) {
          const score = scores[window]!;
          if (score > best) best = score;
          const from = window > start ? window : start;
          const to = window + reach < start + STRIDES ? window + reach : start + STRIDES;
          sum += (score * (to - from) * STRIDE_TOKENS) / K;
        }
        if (best === 0) continue;
        found[count] = block;
        values[count++] = best + MIDDLE_WEIGHT * sum;
      }
      next = last + 1;
    }
    for (const block of begun) scores.fill(0, block * STRIDES, (block + 1) * STRIDES);
    return { blocks: found.slice(0, count), values: values.slice(0, count) };
  }

  /** What is grown anew is all zeros as well. */
  private reserve(windows: number, blocks: number): void {
    this.begun.reserve(blocks);
    if (this.scores.length < windows) this.scores = new Float64Array(2 * windows);
    if (this.found.length >= blocks) return;
    this.found = new Uint32Array(2 * blocks);
    this.values = new Float64Array(2 * blocks);
  }
}

/** BM25's inverse document frequency, never negative. */
export function rarityOf(holding: number, all: number): number {
  return Math.log(1 + (all - holding + 0.5) / (holding + 0.5));
}

/** The first window that reaches a token; the last is the one of the token's own stride. */
function firstWindowOf(token: number, windowTokens: number): number {
  return Math.max(0, Math.ceil((token - windowTokens + 1) / STRIDE_TOKENS));
}

function windowsHolding(places: readonly number[], within: number, windowTokens: number): number {
  let holding = 0;
  let next = 0;
  for (let at = 0; at < within; at++) {
    const last = Math.floor(places[at]! / STRIDE_TOKENS);
    const first = Math.max(next, firstWindowOf(places[at]!, windowTokens));
    if (last >= first) holding += last - first + 1;
    next = last + 1;
  }
  return holding;
}

/** How many of ascending places are before a token. */
function placesBefore(places: readonly number[], token: number): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (places[middle]! < token) low = middle + 1;
    else high = middle;
  }
  return low;
}
