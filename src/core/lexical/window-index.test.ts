import { describe, expect, it } from 'vitest';
import { WindowIndex } from './window-index.ts';
import { searchWords } from './words.ts';

/** Every character is a token. */
function indexOf(text: string): WindowIndex {
  const index = new WindowIndex({ push: (id) => String.fromCodePoint(id) });
  index.add(Uint32Array.from(text, (character) => character.codePointAt(0)!));
  return index;
}

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
    const ranks = indexOf(text).rank('the LANTERN of mára', Math.floor(text.length / 32));
    expect(Math.abs(order(ranks)[0]! - Math.floor(at / 32))).toBeLessThanOrEqual(1);
    expect(ranks[0]).toBeLessThan(ranks[Math.floor(at / 32)]! / 2);
  });

  it('does not lose what lies across a block’s edge', () => {
    const text = 'at '.repeat(18).slice(0, 52) + 'pepper of Corin is red' + ' at'.repeat(40);
    expect(text.indexOf('pepper')).toBeLessThan(64);
    expect(text.indexOf('Corin')).toBeLessThan(64);
    expect(text.indexOf('red')).toBeGreaterThan(64);
    expect(order(indexOf(text).rank('pepper Corin', 5)).slice(0, 2).sort()).toEqual([1, 2]);
  });

  it('knows the hand-made right order: both words, one rare word, one frequent word, none', () => {
    const blocks = ['salt and rope', 'rope', 'salt', 'tar', 'salt', 'tar'].map(
      (words) => `${words.padEnd(32 * 4 - 1, ' of')} `,
    );
    const ranks = indexOf(blocks.join('')).rank('rope salt', 24);
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
});
