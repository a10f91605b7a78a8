/**
 * An inverted index of a growing history's words. BM25 (Robertson and Zaragoza 2009) over overlapping windows, mapped
 * to blocks: blocks alone would cut facts at their edges, so that every window that touches a block, its neighbours'
 * share included, speaks for it. Besides, what share of a query's words a block holds.
 */
import { ChunkedRows } from '../../base/chunked-array.ts';
import { K } from '../tree/ids.ts';
import { type BlockValues, IndexSet } from './block-values.ts';
import type { PostingSegment } from './posting-segment.ts';
import { type Occurrences, Postings, type SealedSegments } from './postings.ts';
import { BEGINNING_LETTERS, fold, searchTerms, stem, type WordMatch } from './words.ts';

const K1 = 1.2;
const B = 0.75;
const WINDOW_TOKENS = 48;
const STRIDE_TOKENS = 8;
/** Of equally good blocks the one in the middle of the good windows comes first. */
const MIDDLE_WEIGHT = 1e-3;
/**
 * Of a query's words the rarest count, as many as begin in so many blocks together: what a refocus costs then has a
 * bound however long the history is, and what is left out is in so many blocks that it tells few of them apart.
 */
const MOST_HOLDING_BLOCKS = 1 << 16;
/** Wider windows of so many tokens, and what their ranks count beside the narrow one's under `wide`. */
const WIDER_WINDOWS = [
  [96, 0.5],
  [160, 0.5],
] as const;
/** The constants of keyword search. */
export const BM25 = {
  k1: K1,
  b: B,
  windowTokens: WINDOW_TOKENS,
  strideTokens: STRIDE_TOKENS,
  middleWeight: MIDDLE_WEIGHT,
  mostHoldingBlocks: MOST_HOLDING_BLOCKS,
  widerWindows: WIDER_WINDOWS,
} as const;

/** A word that is searched for, and how many of the first blocks hold it. */
interface HeldTerm {
  readonly occurrences: Occurrences;
  readonly held: number;
}

/** How much of a query's words blocks hold: a word counts as much as it is rare among the blocks. */
export interface BlockShares {
  /** Of the block itself. */
  readonly own: BlockValues;
  /** Of the block and its two neighbours. */
  readonly near: BlockValues;
}

/** Gives a token's text, in order; characters that are not whole yet come with a later token. */
export interface PieceReader {
  push(id: number): string;
}

/** Characters reach back over fewer tokens than this: so many bring a reader of pieces to where it stood. */
export const PIECES_REACH_TOKENS = 16;

/** An index as it was sealed. */
export interface SealedIndex {
  /** Neighbours from token 0 on; at least one. */
  readonly segments: readonly PostingSegment[];
  /** The last tokens that they took in, `PIECES_REACH_TOKENS` of them or all. */
  readonly lastTokens: Uint32Array;
}

export class WindowIndex {
  private readonly postings: Postings;
  /** `[strides]` words that begin before each stride's first token. */
  private readonly strideWords = new ChunkedRows((n) => new Uint32Array(n));
  /** `[strides + 1]` sums of them, before each stride. */
  private readonly strideSums = new ChunkedRows((n) => new Float64Array(n));
  private taken = 0;
  private wordCount = 0;
  /** The word that the next token may go on. */
  private open = '';
  private openedAt = 0;
  /** Tokens and strides that are sealed. */
  private sealedTokens = 0;
  private sealedStrides = 0;
  /** Work space of one call, all zeros between two: grown with the history, never cleared as a whole. */
  private windowScores = new Float64Array(0);
  private windowCounts = new Uint16Array(0);
  private blockSums = new Float64Array(0);
  private nearSums = new Float64Array(0);
  private readonly touched = new IndexSet();

  /**
   * @param sealed - go on where this ended.
   * @param mostHoldingBlocks - that are looked at for one query, but for those of its rarest word.
   */
  constructor(
    private readonly pieces: PieceReader,
    sealed?: SealedIndex,
    private readonly mostHoldingBlocks = MOST_HOLDING_BLOCKS,
  ) {
    this.postings = new Postings(sealed?.segments);
    this.strideSums.append([0]);
    if (sealed === undefined) return;
    let begun = 0;
    for (const { strideWords, placeCount } of sealed.segments) {
      for (const more of strideWords) this.addStride((begun += more));
      this.wordCount += placeCount;
    }
    const { endToken, open, openedAt } = sealed.segments.at(-1)!;
    this.open = open;
    this.openedAt = openedAt;
    this.taken = this.sealedTokens = endToken;
    this.sealedStrides = this.strideWords.length;
    for (const id of sealed.lastTokens) this.pieces.push(id);
  }

  /** Tokens taken in. */
  get tokenCount(): number {
    return this.taken;
  }

  /** Whether nothing that follows can change what is said of the first tokens: no word of theirs is still open. */
  isSettled(tokens: number): boolean {
    return this.taken >= tokens && (this.open === '' || this.openedAt >= tokens);
  }

  /** Take in the tokens that follow those before. */
  add(ids: Uint32Array): void {
    for (const id of ids) {
      const token = this.taken++;
      if (token % STRIDE_TOKENS === 0) this.addStride(this.begunInAll);
      for (const character of fold(this.pieces.push(id))) {
        if (/[\p{L}\p{N}]/u.test(character)) {
          if (this.open === '') this.openedAt = token;
          this.open += character;
        } else this.close();
      }
    }
  }

  /** Seal what was taken in since the last time, to be stored. @returns null if nothing was. */
  seal(): SealedSegments | null {
    const { taken, open, openedAt, sealedTokens: firstToken } = this;
    if (taken === firstToken) return null;
    const strideWords = new Uint16Array(this.strideWords.length - this.sealedStrides);
    for (let i = 0; i < strideWords.length; i++) {
      const stride = this.sealedStrides + i;
      strideWords[i] = this.begunBefore(stride) - (stride === 0 ? 0 : this.begunBefore(stride - 1));
    }
    this.sealedTokens = taken;
    this.sealedStrides = this.strideWords.length;
    return this.postings.seal({ firstToken, tokenCount: taken - firstToken, strideWords, open, openedAt });
  }

  /**
   * How well each of the first blocks goes with a query, where anything of it occurs.
   *
   * @param query - any text.
   */
  rank(query: string, blocks: number, match: WordMatch = 'stems'): BlockValues {
    return match === 'wide' ? this.rankWide(query, blocks) : this.rankIn(WINDOW_TOKENS, query, blocks, match);
  }

  /**
   * Ranks over windows of several widths, each over its best, added: a passage's subject often stands a few sentences
   * before what is asked of it.
   */
  private rankWide(query: string, blocks: number): BlockValues {
    const ranks = [[WINDOW_TOKENS, 1] as const, ...WIDER_WINDOWS].map(([windowTokens, weight]) => {
      const { blocks: found, values } = this.rankIn(windowTokens, query, blocks, 'stems');
      const best = values.reduce((most, value) => Math.max(most, value), 0);
      return { found, values: values.map((value) => (weight * value) / best) };
    });
    // Wherever a narrow window reaches, a wide one does.
    const { found: all, values: sums } = ranks.at(-1)!;
    for (const { found, values } of ranks.slice(0, -1)) {
      let at = 0;
      for (const [i, block] of found.entries()) {
        while (all[at]! < block) at++;
        sums[at]! += values[i]!;
      }
    }
    return { blocks: all, values: sums };
  }

  private rankIn(windowTokens: number, query: string, blocks: number, match: WordMatch): BlockValues {
    const tokens = blocks * K;
    const windows = Math.ceil(tokens / STRIDE_TOKENS);
    this.reserve(windows, blocks);
    const { windowScores: scores, windowCounts: counts } = this;
    const meanLength = Math.max(1, this.wordsInAll(windows, tokens, windowTokens) / Math.max(1, windows));
    for (const { occurrences } of this.heldTerms(query, blocks, match)) {
      const holding: number[] = [];
      for (const token of occurrences.places) {
        if (token >= tokens) break;
        const last = Math.floor(token / STRIDE_TOKENS);
        const first = Math.max(0, Math.ceil((token - windowTokens + 1) / STRIDE_TOKENS));
        for (let window = first; window <= last; window++) {
          if (counts[window]!++ === 0) holding.push(window);
        }
      }
      const rarity = rarityOf(holding.length, windows);
      for (const window of holding) {
        const count = counts[window]!;
        counts[window] = 0;
        this.touched.add(window);
        const damping = K1 * (1 - B + (B * this.wordsIn(window, tokens, windowTokens)) / meanLength);
        scores[window]! += (rarity * count * (K1 + 1)) / (count + damping);
      }
    }
    return this.toBlocks(this.touched.takeAll(), blocks, windowTokens);
  }

  /**
   * Shares of the query's words, of those that occur in the first blocks at all; nothing where none does.
   *
   * @param query - any text.
   */
  shares(query: string, blocks: number, match: WordMatch = 'stems'): BlockShares {
    this.reserve(0, blocks);
    const { blockSums: own, nearSums: near } = this;
    let total = 0;
    for (const { occurrences, held } of this.heldTerms(query, blocks, match)) {
      const rarity = rarityOf(held, blocks);
      total += rarity;
      let reached = -1;
      for (let i = 0; i < held; i++) {
        const block = occurrences.blocks[i]!;
        own[block]! += rarity;
        const last = Math.min(block + 1, blocks - 1);
        for (let beside = Math.max(block - 1, reached + 1); beside <= last; beside++) {
          this.touched.add(beside);
          near[beside]! += rarity;
        }
        reached = last;
      }
    }
    const found = this.touched.takeAll();
    const take = (sums: Float64Array): BlockValues => {
      const values = new Float64Array(found.length);
      for (let i = 0; i < found.length; i++) {
        values[i] = sums[found[i]!]! / total;
        sums[found[i]!] = 0;
      }
      return { blocks: found, values };
    };
    return { own: take(own), near: take(near) };
  }

  /** A query's words that the first blocks hold, in the query's order, without the most frequent of too many. */
  private heldTerms(query: string, blocks: number, match: WordMatch): readonly HeldTerm[] {
    const { postings, mostHoldingBlocks } = this;
    const terms: HeldTerm[] = [];
    for (const term of searchTerms(query, match)) {
      // A shorter word is whole.
      const isWhole = match === 'stems' || term.length < BEGINNING_LETTERS;
      const occurrences = isWhole ? postings.of(term) : postings.beginningWith(term);
      const held = occurrences.heldBefore(blocks);
      if (held > 0) terms.push({ occurrences, held });
    }
    const rarest = [...terms].sort((a, b) => a.held - b.held);
    let holding = rarest[0]?.held ?? 0;
    let kept = 1;
    while (kept < rarest.length && (holding += rarest[kept]!.held) <= mostHoldingBlocks) kept++;
    const counting = new Set(rarest.slice(0, kept));
    return terms.filter((term) => counting.has(term));
  }

  /**
   * A block is worth its best window; among equals, what all windows say of it, by how much of it they cover.
   *
   * @param reached - the windows that score anything, ascending.
   */
  private toBlocks(reached: Uint32Array, blocks: number, windowTokens: number): BlockValues {
    const { windowScores: scores, blockSums: sums, nearSums: best } = this;
    const touched: number[] = [];
    for (const window of reached) {
      const score = scores[window]!;
      scores[window] = 0;
      const from = window * STRIDE_TOKENS;
      const to = from + windowTokens;
      for (let block = Math.floor(from / K); block < Math.min(blocks, Math.ceil(to / K)); block++) {
        if (block > (touched.at(-1) ?? -1)) touched.push(block);
        best[block] = Math.max(best[block]!, score);
        sums[block]! += (score * (Math.min(to, (block + 1) * K) - Math.max(from, block * K))) / K;
      }
    }
    const values = Float64Array.from(touched, (block) => {
      const value = best[block]! + MIDDLE_WEIGHT * sums[block]!;
      best[block] = sums[block] = 0;
      return value;
    });
    return { blocks: Uint32Array.from(touched), values };
  }

  /** Grow the work space; what is grown anew is all zeros as well. */
  private reserve(windows: number, blocks: number): void {
    this.touched.reserve(Math.max(windows, blocks));
    if (this.windowScores.length < windows) {
      this.windowScores = new Float64Array(2 * windows);
      this.windowCounts = new Uint16Array(2 * windows);
    }
    if (this.blockSums.length < blocks) {
      this.blockSums = new Float64Array(2 * blocks);
      this.nearSums = new Float64Array(2 * blocks);
    }
  }

  /** Words that begin in a window. */
  private wordsIn(window: number, tokens: number, windowTokens: number): number {
    const end = Math.min(window + windowTokens / STRIDE_TOKENS, tokens / STRIDE_TOKENS);
    return this.begunBefore(end) - this.begunBefore(window);
  }

  /** The same, summed over the first windows: whole numbers, so that the order of summing does not matter. */
  private wordsInAll(windows: number, tokens: number, windowTokens: number): number {
    const { strideSums } = this;
    const whole = Math.max(0, Math.min(windows, Math.floor((tokens - windowTokens) / STRIDE_TOKENS) + 1));
    const reach = windowTokens / STRIDE_TOKENS;
    // A window that ends with the last token taken in has no stride behind it.
    const known = Math.min(whole, Math.max(0, strideSums.length - 1 - reach));
    let sum = known === 0 ? 0 : strideSums.get(known + reach) - strideSums.get(reach) - strideSums.get(known);
    for (let window = known; window < windows; window++) sum += this.wordsIn(window, tokens, windowTokens);
    return sum;
  }

  /** Words that begin before a stride; the one behind the last token has them all. */
  private begunBefore(stride: number): number {
    return stride < this.strideWords.length ? this.strideWords.get(stride) : this.begunInAll;
  }

  private get begunInAll(): number {
    return this.wordCount + (this.open === '' ? 0 : 1);
  }

  private addStride(begun: number): void {
    this.strideSums.append([this.strideSums.get(this.strideSums.length - 1) + begun]);
    this.strideWords.append([begun]);
  }

  private close(): void {
    if (this.open === '') return;
    this.postings.add(stem(this.open), this.openedAt);
    this.wordCount++;
    this.open = '';
  }
}

/** BM25's inverse document frequency, never negative. */
function rarityOf(holding: number, all: number): number {
  return Math.log(1 + (all - holding + 0.5) / (holding + 0.5));
}
