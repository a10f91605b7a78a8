/**
 * An inverted index of a growing history's words. BM25 (Robertson and Zaragoza 2009) over overlapping windows, mapped
 * to blocks: blocks alone would cut facts at their edges, so that every window that touches a block, its neighbours'
 * share included, speaks for it. Besides, what share of a query's words a block holds.
 */
import { K } from '../tree/ids.ts';
import { type BlockValues, IndexSet } from './block-values.ts';
import type { PostingSegment } from './posting-segment.ts';
import { type Occurrences, Postings, type SealedSegments } from './postings.ts';
import { STRIDE_TOKENS, StrideWords } from './stride-words.ts';
import { rarityOf, WINDOW_RANKS, WindowRanks } from './window-ranks.ts';
import { BEGINNING_LETTERS, fold, searchTerms, stem, type WordMatch } from './words.ts';

const WINDOW_TOKENS = 48;
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
  ...WINDOW_RANKS,
  windowTokens: WINDOW_TOKENS,
  strideTokens: STRIDE_TOKENS,
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
  private readonly strides = new StrideWords();
  private readonly ranks = new WindowRanks();
  private taken = 0;
  private wordCount = 0;
  /** The word that the next token may go on. */
  private open = '';
  private openedAt = 0;
  /** Tokens and strides that are sealed. */
  private sealedTokens = 0;
  private sealedStrides = 0;
  /** Work space of one call, all zeros between two: grown with the history, never cleared as a whole. */
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
    if (sealed === undefined) return;
    let begun = 0;
    for (const { strideWords, placeCount } of sealed.segments) {
      for (const more of strideWords) this.strides.add((begun += more));
      this.wordCount += placeCount;
    }
    const { endToken, open, openedAt } = sealed.segments.at(-1)!;
    this.open = open;
    this.openedAt = openedAt;
    this.taken = this.sealedTokens = endToken;
    this.sealedStrides = this.strides.length;
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
      if (token % STRIDE_TOKENS === 0) this.strides.add(this.begunInAll);
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
    const { taken, open, openedAt, strides, begunInAll, sealedTokens: firstToken } = this;
    if (taken === firstToken) return null;
    const strideWords = new Uint16Array(this.strides.length - this.sealedStrides);
    for (let i = 0; i < strideWords.length; i++) {
      const stride = this.sealedStrides + i;
      strideWords[i] =
        strides.begunBefore(stride, begunInAll) -
        (stride === 0 ? 0 : strides.begunBefore(stride - 1, begunInAll));
    }
    this.sealedTokens = taken;
    this.sealedStrides = this.strides.length;
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
    const { strides, begunInAll } = this;
    const terms = this.heldTerms(query, blocks, match).map(({ occurrences }) => occurrences.places);
    return this.ranks.rank(terms, { windowTokens, tokens: blocks * K, strides, begunInAll });
  }

  /**
   * Shares of the query's words, of those that occur in the first blocks at all; nothing where none does.
   *
   * @param query - any text.
   */
  shares(query: string, blocks: number, match: WordMatch = 'stems'): BlockShares {
    this.reserve(blocks);
    const { blockSums: own, nearSums: near, touched } = this;
    let total = 0;
    for (const { occurrences, held } of this.heldTerms(query, blocks, match)) {
      const rarity = rarityOf(held, blocks);
      total += rarity;
      let next = 0;
      for (let i = 0; i < held; i++) {
        const block = occurrences.blocks[i]!;
        own[block]! += rarity;
        const last = block + 1 < blocks ? block + 1 : block;
        for (let beside = block > next ? block - 1 : next; beside <= last; beside++) {
          if (near[beside] === 0) touched.add(beside);
          near[beside]! += rarity;
        }
        next = last + 1;
      }
    }
    const found = touched.takeAll();
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

  /** Grow the work space; what is grown anew is all zeros as well. */
  private reserve(blocks: number): void {
    this.touched.reserve(blocks);
    if (this.blockSums.length >= blocks) return;
    this.blockSums = new Float64Array(2 * blocks);
    this.nearSums = new Float64Array(2 * blocks);
  }

  private get begunInAll(): number {
    return this.wordCount + (this.open === '' ? 0 : 1);
  }

  private close(): void {
    if (this.open === '') return;
    this.postings.add(stem(this.open), this.openedAt);
    this.wordCount++;
    this.open = '';
  }
}
