import { describe, expect, it } from 'vitest';
import { Rng } from '../../base/rng.ts';
import { K } from '../tree/ids.ts';
import { denseValues } from './block-values.ts';
import { BM25, WindowIndex } from './window-index.ts';
import { searchWords } from './words.ts';

/** Every character is a token. */
function indexOf(text: string, mostHoldingBlocks?: number): WindowIndex {
  const pieces = { push: (id: number) => String.fromCodePoint(id) };
  const index = new WindowIndex(pieces, undefined, mostHoldingBlocks);
  index.add(Uint32Array.from(text, (character) => character.codePointAt(0)!));
  return index;
}

const ranked = (text: string, query: string, blocks: number): Float64Array =>
  denseValues(indexOf(text).rank(query, blocks), blocks);

const order = (ranks: Float64Array): number[] =>
  [...ranks.keys()].filter((block) => ranks[block]! > 0).sort((a, b) => ranks[b]! - ranks[a]!);

describe('searchWords', () => {
  it('folds case, accents and compatibility forms, and takes plurals off alone', () => {
    expect(searchWords('Élodie’s ﬁnest LANTERNS, boxes; ladies, glass, Ｋ9')).toEqual([
      'elodie', 's', 'finest', 'lantern', 'boxe', 'lady', 'glass', 'k9',
    ]); // prettier-ignore
  });
});

describe('WindowIndex', () => {
  it('ranks the block that holds all the query’s rare words first, whatever their form', () => {
    const filler = 'the tide came in and the tide went out. ';
    const text = filler.repeat(8) + 'Mara keeps lanterns of Amber. ' + filler.repeat(8);
    const at = text.indexOf('Mara');
    const ranks = ranked(text, 'the LANTERN of mára', Math.floor(text.length / 32));
    expect(Math.abs(order(ranks)[0]! - Math.floor(at / 32))).toBeLessThanOrEqual(1);
    expect(ranks[0]).toBeLessThan(ranks[Math.floor(at / 32)]! / 2);
  });

  it('does not lose what lies across a block’s edge', () => {
    const text = 'at '.repeat(18).slice(0, 52) + 'pepper of Corin is red' + ' at'.repeat(40);
    expect(text.indexOf('pepper')).toBeLessThan(64);
    expect(text.indexOf('Corin')).toBeLessThan(64);
    expect(text.indexOf('red')).toBeGreaterThan(64);
    expect(
      order(ranked(text, 'pepper Corin', 5))
        .slice(0, 2)
        .sort(),
    ).toEqual([1, 2]);
  });

  it('knows the hand-made right order: both words, one rare word, one frequent word, none', () => {
    const blocks = ['salt and rope', 'rope', 'salt', 'tar', 'salt', 'tar'].map(
      (words) => `${words.padEnd(32 * 4 - 1, ' of')} `,
    );
    const ranks = ranked(blocks.join(''), 'rope salt', 24);
    expect(ranks[0]).toBeGreaterThan(ranks[4]!);
    expect(ranks[4]).toBeGreaterThan(ranks[8]!);
    expect(ranks[8]).toBeGreaterThan(0);
    expect(ranks[13]).toBe(0);
    expect(ranks[22]).toBe(0);
  });

  it('is the same whether it grows at once or token by token, words cut anywhere', () => {
    const text = 'Dockside crates smelled of cinnamon and brine near the old mill. '.repeat(4);
    const ids = Uint32Array.from(text, (character) => character.codePointAt(0)!);
    const grown = new WindowIndex({ push: (id) => String.fromCodePoint(id) });
    for (const id of ids) grown.add(Uint32Array.of(id));
    expect(grown.rank('cinnamon mill', 8)).toEqual(indexOf(text).rank('cinnamon mill', 8));
    expect(grown.tokenCount).toBe(text.length);
  });

  it('says the same as windows and blocks that are counted one by one, one question after the other', () => {
    const rng = new Rng(3);
    const words = ['tide', 'rope', 'salt', 'amber', 'the', 'of'];
    let text = '';
    while (text.length < 40 * K) {
      const isRare = rng.nextFloat() < 0.05;
      text += `${words[rng.nextInt(isRare ? 4 : 6)]!}${rng.nextFloat() < 0.3 ? 's. ' : ' '}`;
    }
    const index = indexOf(text);
    for (const query of ['amber ropes', 'the salt of tides', 'kestrel', 'amber', 'of']) {
      for (const blocks of [0, 1, 7, 40]) {
        const counted = countedByHand(text, query, blocks);
        const { own, near } = index.shares(query, blocks);
        const found = [index.rank(query, blocks), own, near].map((values) => denseValues(values, blocks));
        found.forEach((column, i) => {
          column.forEach((value, block) => {
            expect(value, `${query}, ${blocks}, ${i}, ${block}`).toBeCloseTo(counted[i]![block]!, 10);
          });
        });
      }
    }
  });
});

describe('a query of too many frequent words', () => {
  const text = Array.from(
    { length: 60 },
    (_, i) => `the tide ${i % 3 === 0 ? 'salt ' : ''}${i === 40 ? 'amber' : 'of'} rope`,
  )
    .map((words) => words.padEnd(K))
    .join('');
  const capped = (most: number): WindowIndex => indexOf(text, most);

  it('is the one of its rarest words, in as many blocks as may be looked at', () => {
    const asked = 'the salt of amber tide';
    // Amber in 1 block, salt in 20, of in 59.
    for (const [most, words] of [
      [20, 'amber'],
      [21, 'salt amber'],
      [79, 'salt amber'],
      [80, 'salt of amber'],
    ] as const) {
      expect(capped(most).shares(asked, 60)).toEqual(indexOf(text).shares(words, 60));
      expect(capped(most).rank(asked, 60)).toEqual(indexOf(text).rank(words, 60));
    }
  });

  it('is its rarest word’s at least', () => {
    expect(capped(1).shares('the salt', 60)).toEqual(indexOf(text).shares('salt', 60));
  });

  it('counts blocks before the cursor alone, so that what comes later changes nothing', () => {
    // Of the first 30 blocks 10 hold salt, and 30 the.
    expect(capped(10).shares('the salt', 30)).toEqual(
      indexOf(text.slice(0, 30 * K), 10).shares('the salt', 30),
    );
  });
});

/** Ranks, own and near shares as the definitions say them, over characters as tokens. */
function countedByHand(text: string, query: string, blocks: number): readonly number[][] {
  const tokens = blocks * K;
  const { k1, b, windowTokens, strideTokens, middleWeight } = BM25;
  const begun = [...text.matchAll(/[a-z]+/g)].map(({ 0: word, index }) => {
    return { word: searchWords(word)[0]!, at: index };
  });
  const asked = [...new Set(searchWords(query))];
  const rarity = (holding: number, all: number): number =>
    Math.log(1 + (all - holding + 0.5) / (holding + 0.5));
  const spans = (count: number, step: number, length: number) =>
    Array.from({ length: count }, (_, i) => {
      const from = i * step;
      const to = Math.min(from + length, tokens);
      return { from, to, words: begun.filter(({ at }) => at >= from && at < to).map(({ word }) => word) };
    });
  const windows = spans(tokens / strideTokens, strideTokens, windowTokens);
  const mean = Math.max(1, windows.reduce((sum, { words }) => sum + words.length, 0) / windows.length);
  const scores = windows.map(({ words }) =>
    asked.reduce((sum, word) => {
      const count = words.filter((each) => each === word).length;
      const holding = windows.filter((window) => window.words.includes(word)).length;
      const damping = k1 * (1 - b + (b * words.length) / mean);
      return sum + (rarity(holding, windows.length) * count * (k1 + 1)) / (count + damping);
    }, 0),
  );
  const whole = spans(blocks, K, K);
  const ranks = whole.map((block) => {
    let best = 0;
    let sum = 0;
    windows.forEach(({ from }, i) => {
      const shared = Math.min(from + windowTokens, block.to) - Math.max(from, block.from);
      if (shared <= 0) return;
      best = Math.max(best, scores[i]!);
      sum += (scores[i]! * shared) / K;
    });
    return best + middleWeight * sum;
  });
  const occurring = asked.filter((word) => whole.some(({ words }) => words.includes(word)));
  const weight = (word: string): number =>
    rarity(whole.filter(({ words }) => words.includes(word)).length, blocks);
  const total = occurring.reduce((sum, word) => sum + weight(word), 0);
  const share = (held: (word: string) => boolean): number =>
    total === 0 ? 0 : occurring.filter(held).reduce((sum, word) => sum + weight(word), 0) / total;
  return [
    ranks,
    whole.map(({ words }) => share((word) => words.includes(word))),
    whole.map((_, i) =>
      share((word) => whole.slice(Math.max(0, i - 1), i + 2).some(({ words }) => words.includes(word))),
    ),
  ];
}
