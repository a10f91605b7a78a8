import { expect, it } from 'vitest';
import { Rng } from '../../base/rng.ts';
import { GistTree } from '../../core/tree/gist-tree.ts';
import { HiddenSpans } from '../../core/tree/hidden-spans.ts';
import type { Role } from '../../core/tree/provenance.ts';
import { chooseClozePlaces, findSentences } from './cloze-places.ts';

/** A history whose tokens are its characters. */
function historyOf(texts: readonly (readonly [role: Role, text: string])[]): GistTree {
  const tree = new GistTree({ hiddenSize: 1 });
  texts.forEach(([role, text], i) => {
    const ids = Uint32Array.from(text, (character) => character.codePointAt(0)!);
    tree.appendTokens(ids, { role, documentId: String(i), title: '', wallClockMs: 0 });
  });
  return tree;
}

const byCharacter = { push: (id: number) => String.fromCodePoint(id) };
const WHOLE = 'The tide came in at six that day.';

it('finds whole sentences of words enough, each where it stands, and none that the system said', () => {
  const text = `${WHOLE} Short one. It was late: so he went in!\nA heading without an end\n${WHOLE}\n`;
  const tree = historyOf([
    ['system', `${WHOLE}\n`],
    ['document', text],
  ]);
  const offset = WHOLE.length + 1;
  const found = findSentences(tree, byCharacter);
  expect(found.map((sentence) => sentence.text)).toEqual([WHOLE, 'It was late: so he went in!', WHOLE]);
  for (const { text: said, start, end } of found) {
    expect(text.slice(start - offset, end - offset).trim()).toBe(said);
  }
});

it('asks about nothing that is hidden', () => {
  const tree = historyOf([
    ['document', `${WHOLE} ${WHOLE.replace('six', 'ten')} And then it all went quiet again.\n`],
  ]);
  tree.hidden = new HiddenSpans([{ start: 0, end: WHOLE.length }]);
  expect(findSentences(tree, byCharacter).map(({ text }) => text.includes('six'))).toEqual([false, false]);
});

it('asks from places far enough behind the sentence, in their order, and the same for the same seed', () => {
  const tree = historyOf([['document', Array.from({ length: 20 }, () => WHOLE).join(' ') + '\n']]);
  const sentences = findSentences(tree, byCharacter);
  const rules = { tokenCount: tree.tokenCount, distanceTokens: 100, count: 12 };
  const places = chooseClozePlaces(sentences, rules, new Rng(3));
  expect(places).toHaveLength(12);
  expect(places.map(({ cursor }) => cursor)).toEqual(
    places.map(({ cursor }) => cursor).sort((a, b) => a - b),
  );
  for (const { cursor, sentence } of places) {
    expect(cursor).toBeGreaterThanOrEqual(sentence.end + 100);
    expect(cursor).toBeLessThanOrEqual(tree.tokenCount);
  }
  expect(chooseClozePlaces(sentences, rules, new Rng(3))).toEqual(places);
  expect(chooseClozePlaces(sentences, { ...rules, distanceTokens: 10_000 }, new Rng(3))).toEqual([]);
});
