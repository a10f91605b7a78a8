import { describe, expect, it } from 'vitest';
import { Rng } from '../../../../base/rng.ts';
import { createFakeModel } from '../../../testing/fake-model.ts';
import { type PublicData, parseHotpot, parseSquad } from '../../cases/public-data.ts';
import type { EvaluationCase, SharedHistory } from '../../cases/evaluation-case.ts';
import { BABILONG_TASKS, STORY_SENTENCES, tellStory } from './babilong.ts';
import { NOLIMA_PAIRS, NOLIMA_TASKS } from './nolima.ts';
import { PROSE_QA_TASKS } from './prose-qa.ts';
import type { PublicTask } from './public-task.ts';
import { NEEDLE_TASKS, RULER_TASKS } from './ruler.ts';

const model = createFakeModel();
const prose = Array.from({ length: 400 }, (_, i) => `Sentence ${i} speaks of the weather at sea.`).join(' ');
const paragraphs = Array.from({ length: 60 }, (_, i) => {
  const context = `Town ${i} lies by a river. Its mayor is Mayor${i}. ${'It rains there often. '.repeat(6)}`;
  const answers = [{ text: `Mayor${i}`, answer_start: context.indexOf('Mayor') }];
  const unknown = { question: `Who founded town ${i}?`, answers: [] };
  return { context, qas: [unknown, { question: `Who is the mayor of town ${i}?`, answers }] };
});
const squad = parseSquad(JSON.stringify({ data: [{ paragraphs }] }), 'squad.json');
const hotpot = parseHotpot(
  JSON.stringify(
    Array.from({ length: 30 }, (_, i) => ({
      question: `Where was the father of P${i} born?`,
      answer: `City${i}`,
      supporting_facts: [
        [`P${i}`, 1],
        [`F${i}`, 0],
      ],
      context: [
        [`D${i}`, [`Decoy ${i} is a hill. `, 'It is low. ']],
        [`P${i}`, [`P${i} is a painter. `, `The father of P${i} is F${i}. `]],
        [`F${i}`, [`F${i} was born in City${i}. `, 'He wrote. ']],
      ],
    })),
  ),
  'hotpotqa.json',
);
const data: PublicData = { prose, squad, hotpot };
const TOKENS = 6000;

const textOf = (ids: Uint32Array): string => model.tokenizer.decode(ids);
const write = (task: PublicTask, seed = 1, questions = 1, tokens = TOKENS): SharedHistory =>
  task.write({ historyTokens: tokens, questions }, model, data, new Rng(seed));
const goldOf = ({ ids }: SharedHistory, { gold }: EvaluationCase): string[] =>
  gold!.map(({ start, end }) => textOf(ids.slice(start, end)).trim());
const valuesOf = ({ expected }: EvaluationCase): readonly string[] =>
  expected !== null && expected.kind !== 'refusal' ? expected.values : [];
const every = [...RULER_TASKS, ...BABILONG_TASKS, ...NOLIMA_TASKS, ...PROSE_QA_TASKS];

describe('every public task', () => {
  it.each(every.map((task) => [task.id, task] as const))(
    '%s: exact length, reproducible, gold where it is',
    (_, task) => {
      const history = write(task);
      expect(history.ids).toHaveLength(TOKENS);
      expect(write(task)).toEqual(history);
      expect(write(task, 2)).not.toEqual(history);
      for (const item of history.cases) {
        expect(item.asked.question).not.toBe('');
        for (const value of valuesOf(item)) expect(value).not.toBe('');
        for (const { start, end } of item.gold ?? []) {
          expect(start).toBeLessThan(end);
          expect(end).toBeLessThanOrEqual(TOKENS);
        }
      }
    },
  );
});

describe('ruler', () => {
  it('has all thirteen tasks', () => {
    expect(RULER_TASKS).toHaveLength(13);
    expect(new Set(RULER_TASKS.map(({ id }) => id)).size).toBe(13);
  });

  it.each(NEEDLE_TASKS.map((task) => [task.id, task] as const))(
    '%s: needles, keys, values and hay',
    (id, task) => {
      const history = write(RULER_TASKS.find((known) => known.id === id)!);
      const text = textOf(history.ids);
      const [item] = history.cases;
      const needles = text.match(/One of the special magic \w+ for \S+ is: \S+\./g) ?? [];
      if (task.hay === 'needles') expect(needles.length).toBeGreaterThan(40);
      else expect(needles).toHaveLength(task.keys * task.valuesPerKey);
      const keys = needles.map((needle) => /for (\S+) is/.exec(needle)![1]!);
      const values = needles.map((needle) => /is: (\S+)\./.exec(needle)![1]!);
      expect(new Set(values).size).toBe(values.length);
      if (task.hay !== 'needles') expect(new Set(keys).size).toBe(task.keys);
      const shape = {
        number: /^\d{7}$/,
        uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
        pair: /^[a-z-]+$/,
      };
      expect(keys.every((key) => shape[task.keyKind].test(key))).toBe(true);
      expect(values.every((value) => shape[task.valueKind].test(value))).toBe(true);
      expect(valuesOf(item!)).toHaveLength(task.queries * task.valuesPerKey);
      const gold = goldOf(history, item!);
      for (const [i, value] of valuesOf(item!).entries()) expect(gold[i]).toContain(`is: ${value}.`);
      const asked = new Set(gold.map((needle) => /for (\S+) is/.exec(needle)![1]!));
      for (const key of asked) expect(item!.asked.question).toContain(key);
      expect(text.includes('The grass is green.')).toBe(task.hay === 'noise');
      expect(text.includes('weather at sea')).toBe(task.hay === 'prose');
    },
  );

  it('puts needles at every depth', () => {
    const depths = Array.from(
      { length: 60 },
      (_, seed) => write(RULER_TASKS[0]!, seed, 1, 2000).cases[0]!.gold![0]!.start,
    );
    expect(Math.min(...depths)).toBeLessThan(300);
    expect(Math.max(...depths)).toBeGreaterThan(1600);
  });

  it('vt: five variables in a chain of four hops, in order', () => {
    const history = write(RULER_TASKS.find(({ id }) => id === 'vt')!);
    const said = goldOf(history, history.cases[0]!);
    const names = valuesOf(history.cases[0]!);
    expect(said).toHaveLength(5);
    expect(said[0]).toMatch(/^VAR [A-Z]{5} = \d{5}$/);
    for (let hop = 1; hop < 5; hop++) expect(said[hop]).toBe(`VAR ${names[hop]!} = VAR ${names[hop - 1]!}`);
    expect(textOf(history.ids).match(/VAR /g)).toHaveLength(9);
    const starts = history.cases[0]!.gold!.map(({ start }) => start);
    expect([...starts].sort((a, b) => a - b)).toEqual(starts);
  });

  it('cwe: ten words thirty times each, the others three times each', () => {
    const history = write(
      RULER_TASKS.find(({ id }) => id === 'cwe')!,
      1,
      1,
      12_000,
    );
    const counts = new Map<string, number>();
    for (const [, word] of textOf(history.ids).matchAll(/\d+\. ([a-z-]+)/g)) {
      counts.set(word!, (counts.get(word!) ?? 0) + 1);
    }
    const common = valuesOf(history.cases[0]!);
    expect(common).toHaveLength(10);
    for (const [word, count] of counts) expect([word, count]).toEqual([word, common.includes(word) ? 30 : 3]);
    expect(counts.size).toBeGreaterThan(50);
  });

  it('fwe: asks for the three most frequent words beside the dots', () => {
    const history = write(
      RULER_TASKS.find(({ id }) => id === 'fwe')!,
      1,
      1,
      20_000,
    );
    const counts = new Map<string, number>();
    for (const word of textOf(history.ids).split(' ').slice(0, -1))
      counts.set(word, (counts.get(word) ?? 0) + 1);
    const order = [...counts].sort((a, b) => b[1] - a[1]).map(([word]) => word);
    expect(order[0]).toBe('....');
    expect(valuesOf(history.cases[0]!)).toEqual(order.slice(1, 4));
    // Zeta with α = 2: the first word is four times as frequent as the second.
    expect(counts.get('....')! / counts.get(order[1]!)!).toBeCloseTo(4, 0);
  });

  it('qa: the paragraphs that answer are whole and among others', () => {
    const one = write(RULER_TASKS.find(({ id }) => id === 'qa-1')!);
    expect(goldOf(one, one.cases[0]!)[0]).toBe(valuesOf(one.cases[0]!)[0]);
    const [{ passage, gold }] = one.cases as [EvaluationCase];
    const [whole, examples] = passage!;
    expect(whole!.start).toBeLessThan(gold![0]!.start);
    expect(whole!.end).toBeGreaterThanOrEqual(gold![0]!.end);
    expect(examples!.end).toBe(one.ids.length);
    expect(textOf(one.ids.slice(examples!.start, examples!.end))).toMatch(/capital of France.*Paris.*1945/s);
    expect(textOf(one.ids.slice(whole!.start, whole!.end))).toMatch(/^\s*Document \d+:\n/);
    expect(textOf(one.ids).match(/Document \d+:/g)!.length).toBeGreaterThan(10);
    const two = write(RULER_TASKS.find(({ id }) => id === 'qa-2')!);
    const [item] = two.cases;
    expect(goldOf(two, item!).sort()).toEqual([
      expect.stringMatching(/^F\d+ was born in City\d+\.$/),
      expect.stringMatching(/^The father of P\d+ is F\d+\.$/),
    ]);
    expect(textOf(two.ids)).toContain(valuesOf(item!)[0]);
  });
});

describe('babilong', () => {
  it.each(Object.keys(STORY_SENTENCES) as (keyof typeof STORY_SENTENCES)[])(
    '%s: its length and its support',
    (id) => {
      const [least, most] = STORY_SENTENCES[id];
      const supports = { qa1: [1], qa2: [1, 2], qa3: [1, 2, 3], qa4: [1], qa5: [1] }[id];
      for (let seed = 0; seed < 40; seed++) {
        const { sentences, answer, support } = tellStory(id, new Rng(seed));
        expect(sentences.length).toBeGreaterThanOrEqual(least);
        expect(sentences.length).toBeLessThanOrEqual(most);
        expect(supports).toContain(support.length);
        expect(support.some((index) => sentences[index]!.includes(answer))).toBe(true);
      }
    },
  );

  it('qa1: the person’s last move tells', () => {
    for (let seed = 0; seed < 40; seed++) {
      const { sentences, question, answer } = tellStory('qa1', new Rng(seed));
      const person = /Where is (\w+)\?/.exec(question)![1]!;
      expect(sentences.filter((sentence) => sentence.startsWith(person)).at(-1)).toContain(`the ${answer}.`);
    }
  });

  it('qa2 and qa3: a thing is where its last holder went, and was where it was before', () => {
    for (const id of ['qa2', 'qa3'] as const) {
      for (let seed = 0; seed < 60; seed++) {
        const { sentences, question, answer } = tellStory(id, new Rng(seed));
        const [, thing, before] = /the (\w+)(?: before the (\w+))?\?/.exec(question)!;
        const at = new Map<string, string>();
        const stays: string[] = [];
        let holder: string | null = null;
        for (const sentence of sentences) {
          const [who] = sentence.split(' ') as [string];
          const place = /(?:went|moved|journeyed|travelled) to the (\w+)\./.exec(sentence)?.[1];
          if (place !== undefined) at.set(who, place);
          if (place !== undefined && holder === who) stays.push(place);
          if (!sentence.endsWith(` the ${thing!}.`)) continue;
          holder = /(?:took|grabbed|picked up)/.test(sentence) ? who : null;
          if (holder !== null && stays.length === 0) stays.push(at.get(who)!);
        }
        if (id === 'qa2') expect(answer).toBe(stays.at(-1));
        else expect([before, answer]).toEqual([stays.at(-1), stays.at(-2)]);
      }
    }
  });
});

describe('nolima', () => {
  it('asks in words that the needle does not have', () => {
    const common = new Set(['to', 'the', 'is', 'a', 'has', 'been', 'character', 'which', 'an', 'with', 'in']);
    const wordsOf = (text: string): string[] =>
      (text.toLowerCase().match(/\p{L}+/gu) ?? []).filter((word) => !common.has(word));
    for (const [needle, question] of NOLIMA_PAIRS) {
      const words = new Set(wordsOf(needle));
      expect(wordsOf(question).filter((word) => words.has(word))).toEqual([]);
      expect(needle).toContain('{name}');
    }
  });
});

describe('prose-qa', () => {
  it('asks answerable questions alone, several on one history', () => {
    const { cases, ids } = write(PROSE_QA_TASKS[0]!, 1, 10);
    expect(cases).toHaveLength(10);
    for (const item of cases) {
      expect(item.asked.question).toContain('mayor');
      const [{ start, end }] = item.gold as [{ start: number; end: number }];
      expect(textOf(ids.slice(start, end))).toBe(valuesOf(item)[0]);
    }
  });

  it('says how far the paragraphs reach, and which field of a file is wrong', () => {
    expect(() => write(PROSE_QA_TASKS[0]!, 1, 1, 200_000)).toThrow(/have \d+ tokens.*200000/);
    expect(() => parseSquad('{"data":[{"paragraphs":[{"context":1}]}]}', 'mine.json')).toThrow(
      /mine\.json: data\.0\.paragraphs\.0\.context/,
    );
    expect(() => parseHotpot('[', 'mine.json')).toThrow(/mine\.json is no JSON/);
  });
});
