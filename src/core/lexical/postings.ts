/**
 * Where each word of a growing history begins: segments that are sealed and may be stored, and what came since. Sealed
 * words are decoded when they are first asked for.
 */
import { encodeSegment, type IndexedStretch, mergeSegments, PostingSegment } from './posting-segment.ts';

/** Segments are joined up to so many tokens: what is rewritten then grows no further. */
const MOST_TOKENS = 1 << 18;
const NONE: readonly number[] = [];

/** Segments that take the place of all stored ones from a token on. */
export interface SealedSegments {
  readonly firstToken: number;
  readonly segments: readonly {
    readonly firstToken: number;
    readonly tokenCount: number;
    readonly bytes: Uint8Array;
  }[];
}

export class Postings {
  private readonly sealed: PostingSegment[];
  /** Of the words that ended since the last seal. */
  private recent = new Map<string, number[]>();
  /** All places of the words that were asked for. */
  private readonly whole = new Map<string, number[]>();

  /** @param sealed - neighbours from token 0 on. */
  constructor(sealed: readonly PostingSegment[] = []) {
    this.sealed = [...sealed];
  }

  /** A word that ended: its stem, and the token in which it begins, after all before. */
  add(word: string, place: number): void {
    const known = this.recent.get(word);
    if (known === undefined) this.recent.set(word, [place]);
    else known.push(place);
    this.whole.get(word)?.push(place);
  }

  /** First tokens of the words with a stem, ascending; borrowed. */
  of(word: string): readonly number[] {
    const known = this.whole.get(word);
    if (known !== undefined) return known;
    const places: number[] = [];
    for (const segment of this.sealed) segment.addPlaces(word, places);
    const recent = this.recent.get(word) ?? NONE;
    if (places.length === 0 && recent.length === 0) return NONE;
    for (const place of recent) places.push(place);
    this.whole.set(word, places);
    return places;
  }

  /** First tokens of all words whose stems begin so, ascending. */
  beginningWith(letters: string): readonly number[] {
    const places: number[] = [];
    for (const segment of this.sealed) segment.addPlacesOfBeginning(letters, places);
    for (const [word, recent] of this.recent) {
      if (word.startsWith(letters)) for (const place of recent) places.push(place);
    }
    return places.sort((a, b) => a - b);
  }

  /**
   * Seal what came since the last time. Segments of like length become one, so that there are few of them and each
   * word is rewritten a logarithmic number of times.
   *
   * @returns those that are new.
   */
  seal(stretch: Omit<IndexedStretch, 'places'>): SealedSegments {
    const { sealed } = this;
    let newest = new PostingSegment(encodeSegment({ ...stretch, places: this.recent }));
    this.recent = new Map();
    for (let last = sealed.at(-1); last !== undefined; last = sealed.at(-1)) {
      const joined = last.tokenCount + newest.tokenCount;
      if (last.tokenCount > 2 * newest.tokenCount || joined > MOST_TOKENS) break;
      sealed.pop();
      newest = new PostingSegment(mergeSegments([last, newest]));
    }
    sealed.push(newest);
    const { firstToken, tokenCount, bytes } = newest;
    return { firstToken, segments: [{ firstToken, tokenCount, bytes }] };
  }
}
