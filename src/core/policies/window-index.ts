/**
 * BM25 (Robertson and Zaragoza 2009) over overlapping windows of a growing history, mapped to its blocks. Blocks
 * alone would cut facts at their edges: every window that touches a block, its neighbours' share included, speaks
 * for it. k1 = 1.2, b = 0.75, windows of 48 tokens at stride 8.
 */
import { K } from '../tree/ids.ts';
import { fold, searchWords, stem } from './words.ts';

const K1 = 1.2;
const B = 0.75;
const WINDOW_TOKENS = 48;
const STRIDE_TOKENS = 8;
/** Of equally good blocks the one in the middle of the good windows comes first. */
const MIDDLE_WEIGHT = 1e-3;

/** Gives a token's text, in order; characters that are not whole yet come with a later token. */
export interface PieceReader {
  push(id: number): string;
}

export class WindowIndex {
  /** First tokens of the words with a stem, ascending. */
  private readonly places = new Map<string, number[]>();
  /** `[tokens]` words that begin before each token. */
  private readonly wordsBefore: number[] = [];
  private wordCount = 0;
  /** The word that the next token may go on. */
  private open = '';
  private openedAt = 0;

  constructor(private readonly pieces: PieceReader) {}

  /** Tokens taken in. */
  get tokenCount(): number {
    return this.wordsBefore.length;
  }

  /** Take in the tokens that follow those before. */
  add(ids: Uint32Array): void {
    for (const id of ids) {
      const token = this.wordsBefore.length;
      this.wordsBefore.push(this.wordCount + (this.open === '' ? 0 : 1));
      for (const character of fold(this.pieces.push(id))) {
        if (/[\p{L}\p{N}]/u.test(character)) {
          if (this.open === '') this.openedAt = token;
          this.open += character;
        } else this.close();
      }
    }
  }

  /**
   * `[blocks]` how well each of the first blocks goes with a query; 0 where nothing of it occurs.
   *
   * @param query - any text.
   */
  rank(query: string, blocks: number): Float64Array {
    const tokens = blocks * K;
    const windows = Math.ceil(tokens / STRIDE_TOKENS);
    const scores = new Float64Array(windows);
    const lengths = Float64Array.from({ length: windows }, (_, window) => this.wordsIn(window, tokens));
    const meanLength = Math.max(1, lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, windows));
    const counts = new Uint16Array(windows);
    for (const word of new Set(searchWords(query))) {
      const holding: number[] = [];
      for (const token of this.places.get(word) ?? []) {
        if (token >= tokens) break;
        const last = Math.floor(token / STRIDE_TOKENS);
        const first = Math.max(0, Math.ceil((token - WINDOW_TOKENS + 1) / STRIDE_TOKENS));
        for (let window = first; window <= last; window++) {
          if (counts[window]!++ === 0) holding.push(window);
        }
      }
      const rarity = Math.log(1 + (windows - holding.length + 0.5) / (holding.length + 0.5));
      for (const window of holding) {
        const count = counts[window]!;
        counts[window] = 0;
        const damping = K1 * (1 - B + (B * lengths[window]!) / meanLength);
        scores[window]! += (rarity * count * (K1 + 1)) / (count + damping);
      }
    }
    return toBlocks(scores, blocks);
  }

  /** Words that begin in a window. */
  private wordsIn(window: number, tokens: number): number {
    const from = window * STRIDE_TOKENS;
    const to = Math.min(from + WINDOW_TOKENS, tokens);
    return (this.wordsBefore[to] ?? this.wordCount) - this.wordsBefore[from]!;
  }

  private close(): void {
    if (this.open === '') return;
    const word = stem(this.open);
    const known = this.places.get(word);
    if (known === undefined) this.places.set(word, [this.openedAt]);
    else known.push(this.openedAt);
    this.wordCount++;
    this.open = '';
  }
}

/** A block is worth its best window; among equals, what all windows say of it, by how much of it they cover. */
function toBlocks(scores: Float64Array, blocks: number): Float64Array {
  const best = new Float64Array(blocks);
  const sums = new Float64Array(blocks);
  for (const [window, score] of scores.entries()) {
    const from = window * STRIDE_TOKENS;
    const to = from + WINDOW_TOKENS;
    for (let block = Math.floor(from / K); block < Math.min(blocks, Math.ceil(to / K)); block++) {
      best[block] = Math.max(best[block]!, score);
      sums[block]! += (score * (Math.min(to, (block + 1) * K) - Math.max(from, block * K))) / K;
    }
  }
  return best.map((score, block) => score + MIDDLE_WEIGHT * sums[block]!);
}
