/**
 * Words of a stretch of history as bytes that are read where they lie: a sorted list of stems, each with the places
 * where it begins, and how many words begin in each stride. Opening one decodes nothing; a word's places are decoded
 * when it is asked for. docs/formats.md has the layout.
 */
import { concatBytes } from '../../base/bytes.ts';

/** What was taken in of a stretch of tokens. */
export interface IndexedStretch {
  /** Tokens `firstToken..firstToken+tokenCount-1` were taken in. */
  readonly firstToken: number;
  readonly tokenCount: number;
  /** Places of the words that ended in the stretch, ascending, by stem. They may begin before it. */
  readonly places: ReadonlyMap<string, ArrayLike<number>>;
  /** Words that begin before each stride whose first token lies in the stretch, less those before the stride before. */
  readonly strideWords: Uint16Array;
  /** The word that the next token may go on, as it stands so far; empty for none. */
  readonly open: string;
  readonly openedAt: number;
}

const MAGIC = 0x3149574d;
const HEADER_WORDS = 10;

/** @returns bytes of their own. */
export function encodeSegment(stretch: IndexedStretch): Uint8Array {
  const { firstToken, tokenCount, places, strideWords, open, openedAt } = stretch;
  const encoder = new TextEncoder();
  const words = [...places.keys()].map((word) => ({ bytes: encoder.encode(word), word }));
  words.sort((a, b) => compareBytes(a.bytes, b.bytes));
  const lists = words.map(({ word }) => encodeAscending(places.get(word)!));
  const openBytes = encoder.encode(open);
  const wordBytes = concatBytes(words.map(({ bytes }) => bytes));
  const placeBytes = concatBytes(lists);
  const placeCount = words.reduce((sum, { word }) => sum + places.get(word)!.length, 0);
  const header = Uint32Array.of(
    MAGIC,
    firstToken,
    tokenCount,
    words.length,
    placeCount,
    strideWords.length,
    openedAt,
    openBytes.length,
    wordBytes.length,
    placeBytes.length,
  );
  return concatBytes([
    new Uint8Array(header.buffer),
    new Uint8Array(endsOf(words.map(({ bytes }) => bytes.length)).buffer),
    new Uint8Array(endsOf(lists.map(({ length }) => length)).buffer),
    new Uint8Array(strideWords.buffer, strideWords.byteOffset, strideWords.byteLength),
    openBytes,
    wordBytes,
    placeBytes,
  ]);
}

/** A stretch as it was encoded. Borrows the bytes. */
export class PostingSegment {
  readonly firstToken: number;
  readonly tokenCount: number;
  /** Words that ended in the stretch. */
  readonly placeCount: number;
  readonly strideWords: Uint16Array;
  readonly open: string;
  readonly openedAt: number;
  private readonly wordEnds: Uint32Array;
  private readonly placeEnds: Uint32Array;
  private readonly words: Uint8Array;
  private readonly placeBytes: Uint8Array;

  /** @throws {RangeError} if the bytes are no segment, or not as long as they say. */
  constructor(readonly bytes: Uint8Array) {
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    if (aligned.length < 4 * HEADER_WORDS) throw new RangeError('The index segment has no header.');
    const header = new Uint32Array(aligned.buffer, aligned.byteOffset, HEADER_WORDS);
    const [magic, firstToken, tokenCount, wordCount, placeCount, strides, openedAt, open, words, places] =
      header as unknown as number[];
    const size = 4 * HEADER_WORDS + 8 * wordCount! + 2 * strides! + open! + words! + places!;
    if (magic !== MAGIC || size !== aligned.length)
      throw new RangeError(`The index segment says ${size} bytes and has ${aligned.length}.`);
    let at = aligned.byteOffset + 4 * HEADER_WORDS;
    const { buffer } = aligned;
    this.wordEnds = new Uint32Array(buffer, at, wordCount);
    this.placeEnds = new Uint32Array(buffer, (at += 4 * wordCount!), wordCount);
    this.strideWords = new Uint16Array(buffer, (at += 4 * wordCount!), strides);
    const openBytes = new Uint8Array(buffer, (at += 2 * strides!), open);
    this.words = new Uint8Array(buffer, (at += open!), words);
    this.placeBytes = new Uint8Array(buffer, at + words!, places);
    this.firstToken = firstToken!;
    this.tokenCount = tokenCount!;
    this.placeCount = placeCount!;
    this.openedAt = openedAt!;
    this.open = new TextDecoder().decode(openBytes);
    if ((this.wordEnds.at(-1) ?? 0) !== words || (this.placeEnds.at(-1) ?? 0) !== places)
      throw new RangeError('The index segment’s lists do not end where it ends.');
  }

  get endToken(): number {
    return this.firstToken + this.tokenCount;
  }

  /** Places where a stem begins, ascending; added to `out`. */
  addPlaces(word: string, out: number[]): void {
    const at = this.find(new TextEncoder().encode(word));
    if (at >= 0) this.decodePlaces(at, out);
  }

  /** Places of all stems that begin so; added to `out`, ascending stem by stem. */
  addPlacesOfBeginning(letters: string, out: number[]): void {
    const wanted = new TextEncoder().encode(letters);
    for (let at = this.firstFrom(wanted); at < this.wordEnds.length; at++) {
      const word = this.wordAt(at);
      if (wanted.some((byte, i) => word[i] !== byte)) return;
      this.decodePlaces(at, out);
    }
  }

  /** The first stem that is not before `word`. */
  private firstFrom(word: Uint8Array): number {
    let low = 0;
    let high = this.wordEnds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.wordAt(middle), word) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Every stem with its places. */
  *entries(): Generator<readonly [word: string, places: number[]]> {
    const decoder = new TextDecoder();
    for (let at = 0; at < this.wordEnds.length; at++) {
      const places: number[] = [];
      this.decodePlaces(at, places);
      yield [decoder.decode(this.wordAt(at)), places];
    }
  }

  private wordAt(at: number): Uint8Array {
    return this.words.subarray(at === 0 ? 0 : this.wordEnds[at - 1], this.wordEnds[at]);
  }

  private find(word: Uint8Array): number {
    const at = this.firstFrom(word);
    return at < this.wordEnds.length && compareBytes(this.wordAt(at), word) === 0 ? at : -1;
  }

  private decodePlaces(at: number, out: number[]): void {
    const { placeBytes } = this;
    const end = this.placeEnds[at]!;
    let place = 0;
    for (let from = at === 0 ? 0 : this.placeEnds[at - 1]!; from < end;) {
      let step = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = placeBytes[from++]!;
        step += (byte & 127) * scale;
        if (byte < 128 || from >= end) break;
      }
      out.push((place += step));
    }
  }
}

/** Neighbours, in order, as one. */
export function mergeSegments(segments: readonly PostingSegment[]): Uint8Array {
  const places = new Map<string, number[]>();
  for (const segment of segments) {
    for (const [word, more] of segment.entries()) {
      const known = places.get(word);
      if (known === undefined) places.set(word, more);
      else for (const place of more) known.push(place);
    }
  }
  const first = segments[0]!;
  const { open, openedAt, endToken } = segments.at(-1)!;
  const strideWords = new Uint16Array(segments.reduce((sum, each) => sum + each.strideWords.length, 0));
  let at = 0;
  for (const each of segments) {
    strideWords.set(each.strideWords, at);
    at += each.strideWords.length;
  }
  const { firstToken } = first;
  return encodeSegment({
    firstToken,
    tokenCount: endToken - firstToken,
    places,
    strideWords,
    open,
    openedAt,
  });
}

/** Ascending whole numbers as differences, seven bits a byte, the lowest first. */
function encodeAscending(values: ArrayLike<number>): Uint8Array {
  const bytes: number[] = [];
  let before = 0;
  for (let i = 0; i < values.length; i++) {
    let step = values[i]! - before;
    before = values[i]!;
    for (; step >= 128; step = Math.floor(step / 128)) bytes.push((step % 128) + 128);
    bytes.push(step);
  }
  return Uint8Array.from(bytes);
}

function endsOf(lengths: readonly number[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(lengths, (length) => (end += length));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
