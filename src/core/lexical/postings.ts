/**
 * Where each word of a growing history begins: segments that are sealed and may be stored, and what came since. Sealed
 * words are decoded when they are first asked for.
 */
import { K } from '../tree/ids.ts';
import { encodeSegment, type IndexedStretch, mergeSegments, PostingSegment } from './posting-segment.ts';
import { BEGINNING_LETTERS } from './words.ts';

/** Segments are joined up to so many tokens: what is rewritten then grows no further. */
const MOST_TOKENS = 1 << 18;
/** What is kept of the words that were asked for: about 50 MB. */
const MOST_KEPT_PLACES = 1 << 22;

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
  /** Of the words that were asked for, and of the first letters that were. */
  private readonly whole = new RecentOccurrences(MOST_KEPT_PLACES);
  private readonly beginnings = new RecentOccurrences(MOST_KEPT_PLACES);

  /** @param sealed - neighbours from token 0 on. */
  constructor(sealed: readonly PostingSegment[] = []) {
    this.sealed = [...sealed];
  }

  /** A word that ended: its stem, and the token in which it begins, after all before. */
  add(word: string, place: number): void {
    const known = this.recent.get(word);
    if (known === undefined) this.recent.set(word, [place]);
    else known.push(place);
    this.whole.peek(word)?.add(place);
    this.beginnings.peek(word.slice(0, BEGINNING_LETTERS))?.add(place);
  }

  /** Of the words with a stem; borrowed. */
  of(word: string): Occurrences {
    return this.whole.of(word, () => {
      const places: number[] = [];
      for (const segment of this.sealed) segment.addPlaces(word, places);
      for (const place of this.recent.get(word) ?? []) places.push(place);
      return places;
    });
  }

  /** Of all words whose stems begin so; borrowed. @param letters - `BEGINNING_LETTERS` of them. */
  beginningWith(letters: string): Occurrences {
    return this.beginnings.of(letters, () => {
      const places: number[] = [];
      for (const segment of this.sealed) segment.addPlacesOfBeginning(letters, places);
      for (const [word, recent] of this.recent) {
        if (word.startsWith(letters)) for (const place of recent) places.push(place);
      }
      return places.sort((a, b) => a - b);
    });
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

/** Of one search term, ascending. It grows with the history. */
export class Occurrences {
  /** First tokens of its words. */
  readonly places: number[] = [];
  /** Blocks in which any of them begins. */
  readonly blocks: number[] = [];

  /** A word that begins where the last one does, or behind it. */
  add(place: number): void {
    this.places.push(place);
    const block = Math.floor(place / K);
    if (this.blocks.at(-1) !== block) this.blocks.push(block);
  }

  /** How many of the history's first blocks hold it; they lead `blocks`. */
  heldBefore(block: number): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.blocks[middle]! < block) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Keeps what was asked for last, up to so many places together. */
export class RecentOccurrences {
  /** The one that was asked for longest ago comes first. */
  private readonly byTerm = new Map<string, Occurrences>();

  constructor(private readonly mostPlaces: number) {}

  /** What is kept of a term, to be added to; it was not asked for. */
  peek(term: string): Occurrences | undefined {
    return this.byTerm.get(term);
  }

  /** @param find - all places of a term that is not kept, ascending. */
  of(term: string, find: () => readonly number[]): Occurrences {
    let found = this.byTerm.get(term);
    if (found === undefined) {
      found = new Occurrences();
      for (const place of find()) found.add(place);
    }
    this.byTerm.delete(term);
    this.byTerm.set(term, found);
    this.forget();
    return found;
  }

  /** The newest one stays in any case. */
  private forget(): void {
    let places = 0;
    for (const each of this.byTerm.values()) places += each.places.length + 1;
    for (const [term, each] of this.byTerm) {
      if (places <= this.mostPlaces || this.byTerm.size === 1) return;
      this.byTerm.delete(term);
      places -= each.places.length + 1;
    }
  }
}
