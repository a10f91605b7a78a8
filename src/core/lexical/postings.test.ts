import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../base/rng.ts';
import { PostingSegment } from './posting-segment.ts';
import { RecentOccurrences } from './postings.ts';
import { PIECES_REACH_TOKENS, type SealedIndex, WindowIndex } from './window-index.ts';

/** Every byte is a token, so that characters and words are cut anywhere. */
function pieces() {
  const decoder = new TextDecoder();
  return { push: (id: number) => decoder.decode(Uint8Array.of(id), { stream: true }) };
}

const WORDS = ['salt', 'ropes', 'Élodie', 'tide', '灯台', 'x', 'cinnamon', 'the'];

function textOf(seed: number, words: number): Uint32Array {
  const rng = new Rng(seed);
  const text = Array.from({ length: words }, () => WORDS[rng.nextInt(WORDS.length)]).join(
    rng.nextInt(2) === 0 ? ' ' : '... ',
  );
  return Uint32Array.from(new TextEncoder().encode(text));
}

function answers(index: WindowIndex): unknown {
  const blocks = Math.floor(index.tokenCount / 32);
  return WORDS.map((word) => [index.rank(`${word} salt`, blocks), index.shares(word, blocks)]);
}

/** What a store keeps: new segments in place of all from their first token on. */
class Kept {
  segments: { firstToken: number; bytes: Uint8Array }[] = [];

  take(index: WindowIndex): void {
    const sealed = index.seal();
    if (sealed === null) return;
    this.segments = [
      ...this.segments.filter(({ firstToken }) => firstToken < sealed.firstToken),
      ...sealed.segments,
    ];
  }

  open(ids: Uint32Array): SealedIndex {
    const segments = this.segments.map(({ bytes }) => new PostingSegment(bytes.slice()));
    const end = segments.at(-1)!.endToken;
    return { segments, lastTokens: ids.subarray(Math.max(0, end - PIECES_REACH_TOKENS), end) };
  }
}

describe('a stored index', () => {
  it('is the one that is built from the tokens, wherever it was cut, sealed and opened again', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.boolean(), fc.boolean()), {
          minLength: 1,
          maxLength: 14,
        }),
        (seed, steps) => {
          const ids = textOf(seed, 260);
          const kept = new Kept();
          let index = new WindowIndex(pieces());
          for (const [count, seals, reopens] of steps) {
            index.add(ids.subarray(index.tokenCount, index.tokenCount + count));
            if (seals) kept.take(index);
            if (reopens && kept.segments.length > 0) index = new WindowIndex(pieces(), kept.open(ids));
          }
          const rebuilt = new WindowIndex(pieces());
          rebuilt.add(ids.subarray(0, index.tokenCount));
          expect(answers(index)).toEqual(answers(rebuilt));
        },
      ),
      { numRuns: 120, seed: 7 },
    );
  });

  it('has few segments however often it is sealed', () => {
    const ids = textOf(3, 2000);
    const kept = new Kept();
    const index = new WindowIndex(pieces());
    for (let at = 0; at < ids.length; at += 32) {
      index.add(ids.subarray(at, at + 32));
      kept.take(index);
    }
    expect(kept.segments.length).toBeLessThan(12);
  });

  it('refuses bytes that are cut, longer, or of something else', () => {
    const index = new WindowIndex(pieces());
    index.add(textOf(1, 50));
    const { bytes } = index.seal()!.segments[0]!;
    for (const wrong of [
      bytes.slice(0, 20),
      bytes.slice(0, -1),
      Uint8Array.of(...bytes, 0),
      bytes.map(() => 7),
    ])
      expect(() => new PostingSegment(wrong)).toThrow(RangeError);
  });
});

describe('words that are asked for again', () => {
  it('are kept with what came since, and found anew once others took their place', () => {
    const kept = new RecentOccurrences(8);
    const found: string[] = [];
    const ask = (term: string, places: readonly number[]): readonly number[] =>
      kept.of(term, () => {
        found.push(term);
        return places;
      }).places;
    ask('salt', [1, 2, 40]);
    kept.peek('salt')!.add(70);
    expect(ask('salt', [])).toEqual([1, 2, 40, 70]);
    expect(kept.peek('salt')!.blocks).toEqual([0, 1, 2]);
    expect(kept.peek('salt')!.heldBefore(2)).toBe(2);
    ask('rope', [3, 4, 5]);
    expect(kept.peek('salt')).toBeUndefined();
    // More than is kept at all: it stays until the next one.
    ask('tide', [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(kept.peek('tide')!.places).toHaveLength(9);
    expect(found).toEqual(['salt', 'rope', 'tide']);
  });
});
