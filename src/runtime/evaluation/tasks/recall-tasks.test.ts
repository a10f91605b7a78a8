import { describe, expect, it } from 'vitest';
import { K } from '../../../core/tree/ids.ts';
import { Rng } from '../../../base/rng.ts';
import { createFakeModel } from '../../testing/fake-model.ts';
import type { SharedHistory } from '../cases/evaluation-case.ts';
import { judgeAnswer } from '../cases/expected-answer.ts';
import { questionsPerHistory, RECALL_TASK_IDS, writeRecallHistory } from './recall-tasks.ts';
import type { RecallTaskId } from './recall-tasks.ts';
import forms from '../world/world-forms.json' with { type: 'json' };
import { type Language, RELATIONS_IN } from '../world/languages.ts';
import { clauseOf, fill, isHeldOut, type Relation, type Statement, WORLD } from '../world/world.ts';

const model = createFakeModel();
const RECENT = 256;
// The fake model's tokens are characters: a history of the length that 4,096 words' tokens would have.
const LENGTH = 16_384;

function write(task: RecallTaskId, seed = 1, questions = 4, language?: Language, index = 0): SharedHistory {
  const place = { historyTokens: LENGTH, recentTokens: RECENT, questions, index };
  return writeRecallHistory(task, place, model, new Rng(seed), language, PROSE);
}

/** States no fact of the world. */
const PROSE = 'It was a long voyage. The whale went under again, and nobody spoke of it.';
/** Kinds of questions that belong to no relation, by task. */
const SPECIAL: Partial<Record<RecallTaskId, keyof typeof forms.questions>> = {
  count: 'count',
  'variable-tracking': 'chain',
  list: 'list',
  trail: 'trail',
};

const textOf = (ids: ArrayLike<number>): string => model.tokenizer.decode(ids);
const wordsOf = (text: string): Set<string> => new Set(text.toLowerCase().match(/[a-z]+/g));

/** Every fact that a text states, found by its words alone. */
function statedIn(text: string): Statement[] {
  const { singles, lastSeen, holds } = RELATIONS_IN.core;
  return [...singles, lastSeen, holds].flatMap((relation) => {
    const [a, b, value] = [...relation.kinds, relation.valueKind].map((kind) =>
      WORLD.lexicon[kind]!.join('|'),
    );
    const pattern = relation.clause.replace('{a}', `(${a!})`).replace('{b}', `(${b!})`);
    const sentence = new RegExp(`${pattern} (${value!})(?![a-z])`, 'gi');
    return [...text.matchAll(sentence)].map((found) => {
      // The first key stands first in every clause.
      const [, first, second, last] = found;
      return { relation, a: first!, b: second!, value: last! };
    });
  });
}

describe.each(RECALL_TASK_IDS)('the task %s', (task) => {
  const history = write(task);
  const text = textOf(history.ids);

  it('is fixed by its seed', () => {
    expect(write(task)).toEqual(history);
    expect(write(task, 2).ids).not.toEqual(history.ids);
    expect(history.ids).toHaveLength(LENGTH);
    expect(history.cases).toHaveLength(4);
  });

  it('states only combinations that training never states', () => {
    const stated = statedIn(text);
    expect(stated.length).toBeGreaterThanOrEqual(4);
    expect(stated.filter((statement) => !isHeldOut(statement))).toEqual([]);
  });

  it('marks as gold what holds the answer, before the recent window', () => {
    for (const { gold, referenceIds, values } of history.cases) {
      if (task === 'unanswerable') {
        expect(gold).toBeNull();
        continue;
      }
      const answered = values.map(({ start, end }) => textOf(referenceIds.slice(start, end)).trim());
      const held = gold!.map(({ start, end }) => textOf(history.ids.slice(start, end)));
      if (task === 'count') expect(answered).toEqual([WORLD.count.numbers[held.length - 1]]);
      else expect(held.filter((clause, i) => !clause.endsWith(` ${answered[i]!}`))).toEqual([]);
      expect(Math.max(...gold!.map(({ end }) => end))).toBeLessThanOrEqual(LENGTH - RECENT);
      expect(values.length).toBeGreaterThan(0);
    }
  });
});

describe('the recall tasks', () => {
  it('ask in words that the fact does not use', () => {
    for (const seed of [1, 2, 3]) {
      const history = write('paraphrase', seed);
      for (const { gold, asked } of history.cases) {
        const [{ start, end }] = gold as [{ start: number; end: number }];
        const fact = wordsOf(textOf(history.ids.slice(start, end)));
        const shared = [...wordsOf(asked.question)].filter((word) => fact.has(word));
        expect(shared).toEqual([]);
      }
    }
  });

  it('put straddling facts across the edge of a block', () => {
    for (const { gold } of write('straddle').cases) {
      const [{ start, end }] = gold as [{ start: number; end: number }];
      expect(Math.floor(start / K)).toBeLessThan(Math.floor((end - 1) / K));
    }
  });

  it('ask of the last statement where one is repeated', () => {
    const history = write('last-mentioned');
    for (const { gold } of history.cases) {
      const clause = textOf(history.ids.slice(gold![0]!.start, gold![0]!.end)).trim().toLowerCase();
      const key = clause.slice(0, clause.lastIndexOf(' '));
      const text = textOf(history.ids).toLowerCase();
      expect(text.lastIndexOf(key) + clause.length).toBe(gold![0]!.end + text.length - history.ids.length);
      expect(text.indexOf(key)).toBeLessThan(text.lastIndexOf(key));
    }
  });

  it('name nobody of an unrelated fact anywhere else', () => {
    const history = write('unrelated');
    const clauses = history.cases.map(({ gold }) =>
      textOf(history.ids.slice(gold![0]!.start, gold![0]!.end)),
    );
    const told = clauses.reduce((text, clause) => text.replace(clause, ''), textOf(history.ids));
    for (const statement of clauses.flatMap(statedIn)) {
      const people = [statement.a, statement.b].filter((word) => WORLD.lexicon['name']!.includes(word));
      for (const name of people) expect(told).not.toContain(name);
      expect(clauses.some((clause) => clause.toLowerCase().includes(clauseOf(statement).toLowerCase()))).toBe(
        true,
      );
    }
  });

  it('spread facts over the whole part before the recent window', () => {
    const starts = [1, 2, 3, 4, 5].flatMap((seed) =>
      write('multi-key', seed, 10).cases.map(({ gold }) => gold![0]!.start / (LENGTH - RECENT)),
    );
    for (let fifth = 0; fifth < 5; fifth++) {
      const inside = starts.filter((at) => Math.floor(at * 5) === fifth).length;
      expect(inside).toBeGreaterThanOrEqual(6);
      expect(inside).toBeLessThanOrEqual(14);
    }
  });

  it.each(['multi-key', 'multi-query', 'straddle', 'unrelated', 'unanswerable', 'in-prose'] as const)(
    'ask of all eleven relations within four histories (%s)',
    (task) => {
      const asked = [0, 1, 2, 3].flatMap((index) =>
        write(task, 5 + index, 3, 'core', index).cases.map(({ asked: { question } }) => question),
      );
      const relations = RELATIONS_IN.core.singles.filter(({ questions }) =>
        questions.some((form) =>
          asked.some((question) => question.split(/(?<=[.?]) /).some((part) => isFilled(form, part))),
        ),
      );
      expect(RELATIONS_IN.core.singles).toHaveLength(11);
      expect(relations.map(({ name }) => name)).toEqual(RELATIONS_IN.core.singles.map(({ name }) => name));
    },
  );

  it.each(['list', 'trail'] as const)('ask for an answer of a sentence a fact (%s)', (task) => {
    for (const { referenceIds, values, gold, expected, asked } of write(task).cases) {
      const reference = textOf(referenceIds);
      expect(reference.match(/\.(?: |$)/g)).toHaveLength(4);
      expect(values).toHaveLength(4);
      expect(gold).toHaveLength(4);
      expect(judgeAnswer(expected!, reference).isAnswered).toBe(true);
      const sentences = reference.trim().replace(/\.$/, '').split('. ');
      expect(judgeAnswer(expected!, `${sentences[0]!}.`).isAnswered).toBe(false);
      expect(judgeAnswer(expected!, sentences.toReversed().join('. ')).isAnswered).toBe(task === 'list');
      expect(forms.questions[task].trained.some((form) => isFilled(form, asked.question))).toBe(true);
    }
  });

  it('tell facts in prose and nothing else of the world’s own', () => {
    const { ids, cases } = write('in-prose');
    const text = textOf(ids);
    expect(text.split('The whale went under again').length).toBeGreaterThan(50);
    for (const template of Object.values(WORLD.topics).flat()) {
      const plain = template.split(/[[{]/)[0]!.trim();
      if (plain.length > 12) expect(text).not.toContain(plain);
    }
    expect(cases).toHaveLength(4);
  });

  it('ask less of short histories, and nothing of too short ones', () => {
    expect(questionsPerHistory('multi-key', 1024, RECENT)).toBe(10);
    expect(questionsPerHistory('multi-value', 1024, RECENT)).toBeLessThan(5);
    expect(questionsPerHistory('variable-tracking', 300, RECENT)).toBe(0);
  });
});

/** Every place of a text where one of the forms is said of any keys and value, and what is said there. */
function saidIn(text: string, relation: Relation, templates: readonly string[]): string[] {
  const [a, b] = relation.kinds.map((kind) => `(?:${WORLD.lexicon[kind]!.join('|')})`);
  const value = `(?:${WORLD.lexicon[relation.valueKind]!.join('|')})`;
  return templates.flatMap((template) => {
    const pattern = fill(template.replace(/[.?]/g, '\\$&'), a!, b!).replace('{value}', value);
    return text.match(new RegExp(`(?<![a-z])${pattern}(?![a-z])`, 'gi')) ?? [];
  });
}

const ALL_CORE = [...RELATIONS_IN.core.singles, RELATIONS_IN.core.lastSeen, RELATIONS_IN.core.holds];
type Share = 'trained' | 'heldOut';
const FORMS: Readonly<Record<string, (typeof forms.relations)['kin']>> = forms.relations;

describe.each(RECALL_TASK_IDS)('the languages of %s', (task) => {
  it.each(['trained', 'held-out'] as const)('say and ask in %s forms alone', (language) => {
    const { ids, cases } = write(task, 1, 4, language);
    const shares = ['trained', 'heldOut'] as const;
    const [own, other] = language === 'trained' ? shares : shares.toReversed();
    const text = textOf(ids);
    const said = (share: Share): number =>
      ALL_CORE.flatMap((relation) => saidIn(text, relation, FORMS[relation.name]!.statements[share])).length;
    expect(said(own)).toBeGreaterThanOrEqual(4);
    expect(said(other)).toBe(0);
    const special = SPECIAL[task];
    const asks = (share: Share): readonly string[] =>
      special === undefined
        ? Object.values(FORMS).flatMap(
            (of) => of[task === 'paraphrase' ? 'paraphrases' : 'questions'][share] as readonly string[],
          )
        : forms.questions[special][share];
    for (const { asked } of cases) {
      // `multi-query` asks several questions in one line.
      const questions = task === 'multi-query' ? asked.question.split(/(?<=[.?]) /) : [asked.question];
      for (const question of questions) {
        expect(asks(own).some((form) => isFilled(form, question))).toBe(true);
        expect(asks(other).some((form) => isFilled(form, question))).toBe(false);
      }
    }
  });
});

describe('in every language', () => {
  it.each(['trained', 'held-out'] as const)('gold holds keys and value (%s)', (language) => {
    for (const seed of [1, 2, 3]) {
      for (const { gold, referenceIds } of write('multi-key', seed, 10, language).cases) {
        const [{ start, end }] = gold as [{ start: number; end: number }];
        const said = textOf(write('multi-key', seed, 10, language).ids.slice(start, end));
        const [fact] = statedIn(textOf(referenceIds));
        for (const word of [fact!.a, fact!.b, fact!.value])
          expect(said.toLowerCase()).toContain(word.toLowerCase());
      }
    }
  });

  it('nothing answers an unanswerable question, and saying so is right', () => {
    const { ids, cases } = write('unanswerable', 1, 10);
    const stated = new Set(statedIn(textOf(ids)).map(({ relation, a, b }) => askedKey(relation.name, a, b)));
    expect(stated.size).toBeGreaterThan(20);
    const keys = ALL_CORE.flatMap((relation) => {
      const [as, bs] = relation.kinds.map((kind) => WORLD.lexicon[kind]!);
      return as!.flatMap((a) =>
        bs!.flatMap((b) =>
          relation.questions.map((form) => [fill(form, a, b), askedKey(relation.name, a, b)] as const),
        ),
      );
    });
    const keyOfQuestion = new Map(keys);
    for (const { asked, expected, gold, referenceIds } of cases) {
      const key = keyOfQuestion.get(asked.question);
      expect(key).toBeDefined();
      expect(stated.has(key!)).toBe(false);
      expect(gold).toBeNull();
      expect(judgeAnswer(expected!, textOf(referenceIds)).isAnswered).toBe(true);
    }
  });
});

function askedKey(relation: string, a: string, b: string): string {
  return `${relation}|${a}|${b}`.toLowerCase();
}

function isFilled(template: string, text: string): boolean {
  const escaped = template.replace(/[.?]/g, '\\$&').replace(/\{[ab]\}/g, '.+');
  return new RegExp(`^${escaped}$`).test(text);
}
