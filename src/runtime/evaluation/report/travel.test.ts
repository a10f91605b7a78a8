import { describe, expect, it } from 'vitest';
import { cellOf } from './cell.ts';
import { inspectLogs } from './inspect-log.ts';
import { costPlotOf } from './cost-plot.ts';
import { focusCurves, focusPlotOf } from './focus-plot.ts';
import { markdownOf } from './markdown-table.ts';
import type { QuestionRecord } from '../../../core/question-records/record.ts';
import { REPORT_VERSION } from '../../../core/evaluation-report/report.ts';

const KEY = {
  task: 'single',
  policy: 'lensnet',
  templates: 'seen',
  historyTokens: 4096,
  budgetTokens: 1024,
  heads: 1,
} as const;

const record = (question: number, isAnswered: boolean, policy = 'lensnet'): QuestionRecord => ({
  kind: 'question',
  ...KEY,
  policy,
  suite: 'recall',
  history: 'recall/single/4096/0',
  question,
  asked: 'What colour is the lantern?',
  expected: ['amber'],
  decoded: isAnswered ? 'It is amber.' : 'It is red.',
  isAnswered,
  isReferenceRead: true,
  isRouted: true,
  gold: [[96, 110]],
  layout: [
    [1, 0, 96],
    [0, 96, 128],
  ],
  goldTexts: ['The lantern is amber.'],
  scores: [null, 0.5],
  prompt: [],
  trace: [],
  baseTokens: 700,
  ms: 12,
});

describe('inspectLogs', () => {
  it('makes one log a cell, with a sample a question that tells right from wrong', () => {
    const records = [record(0, true), record(1, false), record(0, true, 'gold')];
    const logs = inspectLogs(records, { model: 'tiny', created: '2026-01-02T03:04:05Z' });
    expect(logs.map(({ fileName }) => fileName)).toEqual([
      '2026-01-02T03-04-05Z_recall-single-lensnet-4096_evaluation-0.json',
      '2026-01-02T03-04-05Z_recall-single-gold-4096_evaluation-1.json',
    ]);
    const [first] = logs.map(({ log }) => log as Record<string, never>);
    expect(first).toMatchObject({
      version: 2,
      status: 'success',
      results: { scores: [{ metrics: { accuracy: { value: 0.5 } } }] },
      samples: [
        { id: 'recall/single/4096/0/0', target: ['amber'], scores: { answered: { value: 'C' } } },
        { scores: { answered: { value: 'I', answer: 'It is red.' } }, metadata: { raw: [[96, 128]] } },
      ],
    });
  });
});

describe('markdownOf', () => {
  it('puts quality, its interval and its cost in one row, and leaves out what was not run', () => {
    const figures = {
      answered: [20, 19],
      accuracy: [20, 20],
      baseTokensPerQuestion: [20, 14_000],
      bytesPerMillionTokens: [20, 410e6],
    } as const;
    const clusters = [{ cluster: 'a', n: 20, figures }];
    const cells = [
      cellOf('recall', { ...KEY, clusters }),
      cellOf('recall', { ...KEY, policy: 'full', clusters: [] }),
    ];
    const about = { version: REPORT_VERSION, model: 'tiny', seed: 0, backend: 'wasm', commit: null } as const;
    const text = markdownOf({ ...about, suites: [{ suite: 'recall', cells }] });
    expect(text).toContain('**recall, single**');
    expect(text).toContain(
      '| 4,096 | lensnet | 20 | 0.95 (0.76–0.99) | – | – | 1.00 | – | – | 700 | – | 20.5 |',
    );
    expect(text).not.toContain('full');
  });
});

describe('costPlotOf', () => {
  it('puts every policy with answers and a cost on the panel of its task and length', () => {
    const cellWith = (policy: string, answered: number, tokens: number) => {
      const figures = { answered: [20, answered], baseTokensPerQuestion: [20, 20 * tokens] } as const;
      return cellOf('recall', { ...KEY, policy, clusters: [{ cluster: 'a', n: 20, figures }] });
    };
    const cells = [
      cellWith('lensnet', 20, 900),
      cellWith('a<b', 10, 4200),
      cellOf('recall', { ...KEY, policy: 'none', clusters: [] }),
    ];
    const about = { version: REPORT_VERSION, model: 'tiny', seed: 0, backend: 'wasm', commit: null } as const;
    const svg = costPlotOf({ ...about, suites: [{ suite: 'recall', cells }] })!;
    expect(svg.match(/<circle/g)).toHaveLength(4);
    expect(svg).toContain('recall, single, 4,096 tokens: answered (n = 20)');
    expect(svg).toContain('a&lt;b');
    expect(svg).not.toContain('none');
    // The one that answers all stands at the top of the plot, the cheaper one to the left.
    const at = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ]);
    expect(at[0]![0]!).toBeLessThan(at[2]![0]!);
    expect(at[0]![1]!).toBeLessThan(at[2]![1]!);
    expect(costPlotOf({ ...about, suites: [] })).toBeNull();
  });
});

describe('focusPlotOf', () => {
  const cellWith = (
    policy: string,
    historyTokens: number,
    answered: number,
    tokens: number,
    task = 'single',
  ) => {
    const figures = { answered: [20, answered], baseTokensPerQuestion: [20, 20 * tokens] } as const;
    return cellOf('recall', {
      ...KEY,
      task,
      policy,
      historyTokens,
      clusters: [{ cluster: 'a', n: 20, figures }],
    });
  };
  const about = { version: REPORT_VERSION, model: 'tiny', seed: 0, backend: 'wasm', commit: null } as const;
  const report = {
    ...about,
    suites: [
      {
        suite: 'recall',
        cells: [
          cellWith('lensnet', 4096, 18, 300),
          cellWith('full', 4096, 12, 4100),
          cellWith('lensnet', 65_536, 9, 320),
          cellWith('full', 1024, 20, 1100),
          cellWith('lensnet', 4096, 3, 300, 'count'),
          cellWith('full', 4096, 0, 4100, 'count'),
        ],
      },
    ],
  };

  it('divides by full context, by the longest history that it reads where this one is longer', () => {
    const [curve, ...others] = focusCurves(report, 'lensnet');
    // Nothing can be divided by what full context never answers.
    expect(others).toEqual([]);
    expect(curve).toMatchObject({
      task: 'single',
      points: [
        { historyTokens: 4096, answered: 0.9, answeredFull: 0.6, isFullRead: true, baseTokensFull: 4100 },
        { historyTokens: 65_536, answered: 0.45, answeredFull: 0.6, isFullRead: false, baseTokensFull: null },
      ],
    });
  });

  it('draws a line a task, hollow where full context reads no more, and both costs', () => {
    const svg = focusPlotOf(report, 'lensnet')!;
    expect(svg.match(/fill="#fff" stroke="#0072b2"/g)).toHaveLength(1);
    expect(svg).toContain('(n = 20 a mark)');
    expect(svg).toContain('65,536');
    expect(focusPlotOf(report, 'bm25')).toBeNull();
  });
});
