import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import { historyText } from '../../../core/question-records/history-text.ts';
import { linesOf, type QuestionRecord, type UnitRecords } from '../../../core/question-records/record.ts';
import {
  readHeader,
  readHistory,
  readLine,
  readQuestion,
} from '../../../core/question-records/records-file.ts';
import { traceOf } from '../../../core/question-records/record-trace.ts';
import { telemetryEventSchema } from '../../../core/trace/telemetry.ts';
import { streamTrace } from '../../../storage/trace/trace-codec.ts';
import { defaultsOf } from '../../engine/engine.ts';
import { createFakeModel } from '../../testing/fake-model.ts';
import { recordsHeader } from '../report/records-header.ts';
import { planEvaluation, runUnit } from '../run/run-suite.ts';
import type { EvaluationOptions } from '../plan/suite.ts';

const model = createFakeModel();
const config = { ...defaultsOf(model), budgetTokens: 512, recentTokens: 64 };
const options: EvaluationOptions = {
  suites: ['recall'],
  tasks: ['single'],
  policies: ['bm25-blocks', 'gold', 'gists', 'bm25'],
  samples: 2,
  seed: 3,
  lengths: [1000],
  config,
};
let records: UnitRecords;
let header: string;

beforeAll(async () => {
  const [unit] = planEvaluation(options, model);
  const ports = { model, clock: systemClock, step: () => Promise.resolve() };
  expect((await runUnit(unit!, options, ports)).records).toEqual([]);
  [records] = (await runUnit(unit!, { ...options, keepsRecords: true }, ports)).records as [UnitRecords];
  const { id: modelId, hash: modelHash } = model;
  const createdAt = '2026-01-02T03:04:05Z';
  header = recordsHeader({ modelId, modelHash, backend: 'cpu', seed: 3, commit: null, createdAt, config });
});

const of = (policy: string): QuestionRecord => records.questions.find((each) => each.policy === policy)!;

describe('question records', () => {
  it('come back from their lines as they were written', () => {
    const [history, ...questions] = linesOf(records).trimEnd().split('\n');
    expect(readHeader(header, 'a.jsonl').modelId).toBe(model.id);
    expect(readHistory(history!, 2, 'a.jsonl')).toEqual(records.history);
    expect(readLine(history!, 2, 'a.jsonl')).toEqual({ kind: 'history', history: 'recall/single/1000/0' });
    expect(questions).toHaveLength(8);
    expect(questions.map((line, i) => readQuestion(line, 3 + i, 'a.jsonl'))).toEqual(records.questions);
    expect(readLine(questions[0]!, 3, 'a.jsonl')).not.toHaveProperty('trace');
  });

  it('name the file, the line and the field of what is wrong', () => {
    expect(() => readLine('{', 7, 'a.jsonl')).toThrow('a.jsonl, line 7: this is no JSON.');
    const [, question] = linesOf(records).split('\n');
    const bad = question!.replace('"question":0', '"question":"first"');
    expect(() => readLine(bad, 3, 'a.jsonl')).toThrow(/a\.jsonl, line 3: question: /);
    expect(() => readHeader('{"format":"other"}', 'a.jsonl')).toThrow('no file of question records');
    const later = header.replace('"version":1', '"version":99');
    expect(() => readHeader(later, 'a.jsonl')).toThrow('has version 99');
  });

  it('hold the text of the history, of the gold and of the prompt by tokens', () => {
    const { gold, goldTexts, prompt, asked } = of('gold');
    const textOf = historyText(records.history, of('gold'));
    const [[start, end]] = gold as [[number, number]];
    expect(textOf(start, end)).toContain(goldTexts[0]);
    expect(records.history.blocks.join('')).toHaveLength(1000);
    expect(textOf(992, 1024)).toBe(records.history.blocks[31]! + prompt[0]!);
    expect(textOf(960, 992)).toBe(records.history.blocks[30]);
    expect(prompt.join('')).toContain(asked);
  });

  it('score every entry: by the last refocus of the loop, or by the best rank of the blocks in it', () => {
    for (const { layout, scores } of records.questions) expect(scores).toHaveLength(layout.length);
    expect(of('gists').scores.every((score) => score === null)).toBe(true);
    expect(of('bm25').scores.some((score) => score !== null && Math.abs(score) <= 1)).toBe(true);
    const { gold, layout, scores } = of('gold');
    const [[start]] = gold as [[number, number]];
    const at = layout.findIndex(([, from, end]) => from <= start && start < end);
    expect(scores[at]).toBe(Math.max(...scores.map((score) => score ?? -Infinity)));
  });

  it('play as traces of their own, from the window before the question on', async () => {
    for (const question of records.questions) {
      for (const event of question.trace) telemetryEventSchema.parse(event);
      const text = traceOf(readQuestion(JSON.stringify(question), 1, 'a'), readHeader(header, 'a'));
      const parts = streamTrace(new Blob([text]).stream());
      const first = await parts.next();
      expect(first.done).toBe(false);
      const frames = question.trace.filter((event) => event.type === 'refocus');
      expect(frames[0]!.layout.kind).toBe('keyframe');
      if (question.policy !== 'bm25') {
        expect(frames).toHaveLength(1);
        expect(frames[0]!.layout).toEqual({ kind: 'keyframe', entries: question.layout });
      } else {
        expect(frames.length).toBeGreaterThan(1);
        expect(frames[0]!.cursor).toBe(1000);
        expect(question.trace.some((event) => event.type === 'decode')).toBe(true);
      }
    }
  });
});
