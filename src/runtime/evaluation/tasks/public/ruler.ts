/**
 * RULER (Hsieh et al. 2024, arXiv 2404.06654): all thirteen tasks, written from the paper's definitions. A needle
 * names a key and a value among hay that is a repeated noise text, prose, or needles of other keys; variable
 * tracking chains assignments; two tasks count words; two ask about paragraphs among others.
 */
import type { Rng } from '../../../../base/rng.ts';
import type { LoadedModel } from '../../../../nn/ports.ts';
import type { SharedHistory } from '../../cases/evaluation-case.ts';
import { buildHaystack, endless, repeated, sentencesOf } from './haystack.ts';
import type { PublicData } from '../../cases/public-data.ts';
import { oneQuestion, type PublicTask } from './public-task.ts';
import { writeHotpot, writeSquad } from './paragraphs.ts';
import { FreshWords } from './words.ts';

/** The paper's noise. */
const NOISE = [
  'The grass is green.',
  'The sky is blue.',
  'The sun is yellow.',
  'Here we go.',
  'There and back again.',
];

type Hay = 'noise' | 'prose' | 'needles';
type Kind = 'number' | 'uuid' | 'pair';

interface NeedleTask {
  readonly id: string;
  readonly sentence: string;
  readonly hay: Hay;
  readonly keyKind: Kind;
  readonly valueKind: Kind;
  readonly keys: number;
  readonly valuesPerKey: number;
  readonly queries: number;
}

const words = { keyKind: 'pair', valueKind: 'number', keys: 1, valuesPerKey: 1, queries: 1 } as const;

export const NEEDLE_TASKS: readonly NeedleTask[] = [
  { ...words, id: 'niah-single-1', sentence: 'One needle in a repeated noise text.', hay: 'noise' },
  { ...words, id: 'niah-single-2', sentence: 'One needle in prose.', hay: 'prose' },
  {
    ...words,
    id: 'niah-single-3',
    sentence: 'One needle in prose; its value is a UUID.',
    hay: 'prose',
    valueKind: 'uuid',
  },
  {
    ...words,
    id: 'niah-multikey-1',
    sentence: 'Four needles in prose, one asked for.',
    hay: 'prose',
    keys: 4,
  },
  { ...words, id: 'niah-multikey-2', sentence: 'A needle among nothing but needles.', hay: 'needles' },
  {
    ...words,
    id: 'niah-multikey-3',
    sentence: 'A needle among nothing but needles; keys and values are UUIDs.',
    hay: 'needles',
    keyKind: 'uuid',
    valueKind: 'uuid',
  },
  {
    ...words,
    id: 'niah-multivalue',
    sentence: 'One key with four values in prose.',
    hay: 'prose',
    valuesPerKey: 4,
  },
  {
    ...words,
    id: 'niah-multiquery',
    sentence: 'Four needles in prose, all asked for.',
    hay: 'prose',
    keys: 4,
    queries: 4,
  },
];

const PLURALS: Readonly<Record<Kind, string>> = { number: 'numbers', uuid: 'uuids', pair: 'words' };

export const RULER_TASKS: readonly PublicTask[] = [
  ...NEEDLE_TASKS.map((task): PublicTask => ({
    id: task.id,
    sentence: task.sentence,
    needs: task.hay === 'prose' ? ['prose'] : [],
    questionsPerHistory: 1,
    write: ({ historyTokens }, model, data, rng) => writeNeedles(task, historyTokens, model, data, rng),
  })),
  {
    id: 'vt',
    sentence: 'A chain of four assignments; all five variables that hold its value are asked for.',
    needs: [],
    questionsPerHistory: 1,
    write: ({ historyTokens }, model, _, rng) => writeChain(historyTokens, model, rng),
  },
  {
    id: 'cwe',
    sentence: 'The ten words that a list holds 30 times each, among words that it holds 3 times each.',
    needs: [],
    questionsPerHistory: 1,
    write: ({ historyTokens }, model, _, rng) => writeCommonWords(historyTokens, model, rng),
  },
  {
    id: 'fwe',
    sentence: 'The three most frequent coded words of a text whose words follow a Zeta law with α = 2.',
    needs: [],
    questionsPerHistory: 1,
    write: ({ historyTokens }, model, _, rng) => writeFrequentWords(historyTokens, model, rng),
  },
  {
    id: 'qa-1',
    sentence: 'A question of SQuAD; its paragraph stands among others.',
    needs: ['squad'],
    questionsPerHistory: 1,
    write: (options, model, { squad }, rng) =>
      writeSquad({ ...options, isNumbered: true }, model, squad, rng),
  },
  {
    id: 'qa-2',
    sentence: 'A question of HotpotQA; its two documents stand among others.',
    needs: ['hotpot'],
    questionsPerHistory: 1,
    write: (options, model, { hotpot }, rng) => writeHotpot(options, model, hotpot, rng),
  },
];

function writeNeedles(
  { hay, keyKind, valueKind, keys, valuesPerKey, queries }: NeedleTask,
  historyTokens: number,
  model: LoadedModel,
  data: PublicData,
  rng: Rng,
): SharedHistory {
  const fresh = new FreshWords(rng);
  const plural = PLURALS[valueKind];
  const needleOf = (key: string, value: string): string =>
    `One of the special magic ${plural} for ${key} is: ${value}.`;
  const facts = Array.from({ length: keys }, () => {
    const key = fresh[keyKind]();
    return Array.from({ length: valuesPerKey }, () => ({ key, value: fresh[valueKind]() }));
  });
  const needles = facts.flat();
  const source =
    hay === 'noise'
      ? repeated(NOISE)
      : hay === 'prose'
        ? sentencesOf(data.prose, rng)
        : endless(() => needleOf(fresh[keyKind](), fresh[valueKind]()));
  const { ids, spans } = buildHaystack(
    {
      tokens: historyTokens,
      hay: source,
      needles: needles.map(({ key, value }) => needleOf(key, value)),
      isOrdered: false,
    },
    model,
    rng,
  );
  const asked = facts.slice(0, queries).flat();
  const names = [...new Set(asked.map(({ key }) => key))];
  const list = names.length === 1 ? names[0]! : `${names.slice(0, -1).join(', ')}, and ${names.at(-1)!}`;
  const isOne = asked.length === 1;
  const question = isOne
    ? `What is the special magic ${plural.slice(0, -1)} for ${list} mentioned in the provided text?`
    : `What are all the special magic ${plural} for ${list} mentioned in the provided text?`;
  const gold = asked.map((fact) => spans[needles.indexOf(fact)]!);
  return oneQuestion(model, ids, question, { kind: 'set', values: asked.map(({ value }) => value) }, gold);
}

const HOPS = 4;

function writeChain(historyTokens: number, model: LoadedModel, rng: Rng): SharedHistory {
  const fresh = new FreshWords(rng);
  const value = String(10_000 + rng.nextInt(90_000));
  const names = Array.from({ length: HOPS + 1 }, () => fresh.letters(5).toUpperCase());
  const needles = names.map((name, hop) =>
    hop === 0 ? `VAR ${name} = ${value}` : `VAR ${name} = VAR ${names[hop - 1]!}`,
  );
  const { ids, spans } = buildHaystack(
    { tokens: historyTokens, hay: repeated(NOISE), needles, isOrdered: true },
    model,
    rng,
  );
  const question = `Find all variables that are assigned the value ${value} in the text above.`;
  return oneQuestion(model, ids, question, { kind: 'set', values: names }, spans);
}

const COMMON = { words: 10, times: 30, othersTimes: 3 };

function writeCommonWords(historyTokens: number, model: LoadedModel, rng: Rng): SharedHistory {
  const fresh = new FreshWords(rng);
  const common = Array.from({ length: COMMON.words }, () => fresh.pair());
  const list = common.flatMap((word) => Array.from({ length: COMMON.times }, () => word));
  const size = (items: readonly string[]): number => model.tokenizer.encode(numbered(items)).length;
  const perItem = size(list) / list.length;
  while (list.length * perItem < historyTokens) {
    const word = fresh.pair();
    for (let i = 0; i < COMMON.othersTimes; i++) list.push(word);
  }
  // Uncommon words give way until it fits; the rest is padding.
  while (list.length > COMMON.words * COMMON.times && size(list) > historyTokens) {
    list.length -= COMMON.othersTimes * Math.max(1, Math.floor((list.length - 300) / 200));
    list.length = Math.max(list.length, COMMON.words * COMMON.times);
  }
  for (let i = list.length - 1; i > 0; i--) {
    const j = rng.nextInt(i + 1);
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  const { ids } = buildHaystack(
    { tokens: historyTokens, hay: repeated(NOISE), needles: [numbered(list)], isOrdered: true },
    model,
    rng,
  );
  const question = `What are the ${COMMON.words} most common words in the above list?`;
  return oneQuestion(model, ids, question, { kind: 'set', values: common }, null);
}

function numbered(items: readonly string[]): string {
  return items.map((word, i) => `${i + 1}. ${word}`).join(' ');
}

const ALPHA = 2;
const CODED_LETTERS = 6;
const CODED_WORDS = 200;
const ASKED_WORDS = 3;

function writeFrequentWords(historyTokens: number, model: LoadedModel, rng: Rng): SharedHistory {
  const fresh = new FreshWords(rng);
  // The most frequent rank is noise, as in the paper.
  const coded = ['....', ...Array.from({ length: CODED_WORDS }, () => fresh.letters(CODED_LETTERS))];
  const weights = coded.map((_, rank) => (rank + 1) ** -ALPHA);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const cumulative = weights.map((_, i) => weights.slice(0, i + 1).reduce((sum, w) => sum + w, 0) / total);
  const counts = new Map<string, number>();
  const draw = (): string => {
    const at = rng.nextFloat();
    const word = coded[cumulative.findIndex((share) => at < share)] ?? coded[0]!;
    counts.set(word, (counts.get(word) ?? 0) + 1);
    return word;
  };
  const plan = { tokens: historyTokens, hay: endless(draw), needles: [], isOrdered: true };
  const { ids } = buildHaystack(plan, model, rng);
  const frequent = coded.slice(1).sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  const question =
    'Please ignore the dots. What are the three most frequently appeared words in the above coded text?';
  return oneQuestion(model, ids, question, { kind: 'set', values: frequent.slice(0, ASKED_WORDS) }, null);
}
