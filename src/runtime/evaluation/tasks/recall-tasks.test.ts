import { describe, expect, it } from 'vitest';
import { K } from '../../../core/tree/ids.ts';
import { Rng } from '../../../base/rng.ts';
import { createFakeModel } from '../../testing/fake-model.ts';
import type { SharedHistory } from '../cases/evaluation-case.ts';
import { questionsPerHistory, RECALL_TASK_IDS, writeRecallHistory } from './recall-tasks.ts';
import type { RecallTaskId } from './recall-tasks.ts';
import { clauseOf, isHeldOut, WORLD, type Statement } from '../world/world.ts';

const model = createFakeModel();
const RECENT = 256;
// The fake model's tokens are characters: a history of the length that 4,096 words' tokens would have.
const LENGTH = 16_384;

function write(task: RecallTaskId, seed = 1, questions = 4): SharedHistory {
  const place = { historyTokens: LENGTH, recentTokens: RECENT, questions };
  return writeRecallHistory(task, place, model, new Rng(seed));
}

const textOf = (ids: ArrayLike<number>): string => model.tokenizer.decode(ids);
const wordsOf = (text: string): Set<string> => new Set(text.toLowerCase().match(/[a-z]+/g));

/** Every fact that a text states, found by its words alone. */
function statedIn(text: string): Statement[] {
  return WORLD.relations.flatMap((relation) => {
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

  it('ask less of short histories, and nothing of too short ones', () => {
    expect(questionsPerHistory('multi-key', 1024, RECENT)).toBe(10);
    expect(questionsPerHistory('multi-value', 1024, RECENT)).toBeLessThan(5);
    expect(questionsPerHistory('variable-tracking', 300, RECENT)).toBe(0);
  });
});
