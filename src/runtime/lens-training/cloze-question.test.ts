import { expect, it } from 'vitest';
import { Rng } from '../../base/rng.ts';
import { clozeQuestion } from './cloze-question.ts';

const SENTENCE = 'In 1914 the keeper Amos Barrow carried a lantern to the northern pier.';
const own = new Set(SENTENCE.toLowerCase().match(/[\p{L}\p{N}]+/gu));
const asked = Array.from({ length: 200 }, (_, seed) => clozeQuestion(SENTENCE, new Rng(seed)));

it('asks in the words of the sentence, the same for the same seed, and differently for others', () => {
  expect(asked[7]).toBe(clozeQuestion(SENTENCE, new Rng(7)));
  expect(new Set(asked).size).toBeGreaterThan(100);
  for (const question of asked) {
    const words = question.toLowerCase().match(/[\p{L}\p{N}]+/gu)!;
    expect(words.filter((word) => own.has(word)).length, question).toBeGreaterThan(0);
  }
});

it('mostly leaves out what it asks for: a name or number where there is one', () => {
  const gaps = asked.filter((question) =>
    /^(What|Who|When|Where|How many|Which|Why) (?!is |does )/.test(question),
  );
  const names = ['1914', 'Amos', 'Barrow'];
  const without = gaps.filter((question) => names.some((name) => !question.includes(name)));
  expect(gaps.length).toBeGreaterThan(60);
  expect(without.length).toBeGreaterThan(0.8 * gaps.length);
});

it('asks of a single word, too', () => {
  for (let seed = 0; seed < 50; seed++) expect(clozeQuestion('Tide.', new Rng(seed))).toMatch(/Tide/);
});
