import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addToBins, type CellCounts, cellOf, mergeReports } from './cell.ts';
import {
  type BinCounts,
  type ClusterCounts,
  type EvaluationReport,
  parseReport,
  ReportError,
} from '../../../core/evaluation-report/report.ts';

const KEY = {
  task: 'single',
  policy: 'lensnet',
  templates: 'seen',
  historyTokens: 4096,
  budgetTokens: 256,
  heads: 1,
} as const;

function cluster(id: number, right: number, n = 10): ClusterCounts {
  return {
    cluster: `history-${id}`,
    n,
    figures: {
      answered: [n, right],
      accuracy: [n, right],
      routingRecall: [n, n],
      readingGivenRouted: [n, right],
      nll: [n, n - right],
    },
    distances: [
      [9, n / 2, Math.min(right, n / 2)],
      [11, n / 2, Math.max(right - n / 2, 0)],
    ],
  };
}

function reportOf(cells: readonly CellCounts[]): EvaluationReport {
  return mergeReports([
    {
      version: 2,
      model: 'tiny',
      seed: 1,
      backend: 'wasm',
      commit: null,
      suites: [{ suite: 'recall', cells: cells.map((cell) => cellOf('recall', cell)) }],
    },
  ]);
}

describe('cellOf', () => {
  it('gives means, intervals and curves from counts', () => {
    const cell = cellOf('recall', { ...KEY, clusters: [cluster(1, 10), cluster(0, 6)] });
    expect(cell).toMatchObject({ n: 20, accuracy: 0.8, routingRecall: 1, readingGivenRouted: 0.8, nll: 0.2 });
    expect(cell.ci95).toEqual(cell.intervals.accuracy);
    expect(cell.ci95![0]).toBeLessThan(0.8);
    expect(cell.intervals.nll).toEqual([0, 0.4]);
    expect(cell.distances).toMatchObject([
      { log2: 9, n: 10, value: 1 },
      { log2: 11, n: 10, value: 0.6 },
    ]);
    expect(cell.clusters.map(({ cluster: id }) => id)).toEqual(['history-0', 'history-1']);
  });

  it('says why a figure is undefined', () => {
    const unread = {
      cluster: 'a',
      n: 4,
      figures: { readingGivenRouted: [0, 0], gapRecovered: [0.04, 0.02] },
    } as const;
    const cell = cellOf('recall', { ...KEY, clusters: [unread], why: { regret: 'The oracle was not run.' } });
    expect(cell).toMatchObject({
      readingGivenRouted: null,
      gapRecovered: null,
      regret: null,
      nll: null,
      ci95: null,
    });
    expect(cell.why).toMatchObject({
      readingGivenRouted: 'No question had its blocks raw.',
      gapRecovered: 'The denominator is 0.0100 nats, below 0.02.',
      regret: 'The oracle was not run.',
      nll: 'Not measured by the recall suite with this policy.',
    });
    expect(cell).not.toHaveProperty('flipRate');
  });

  it('takes the interval of the NLL where there is no accuracy', () => {
    const clusters = [1, 2, 3].map((id) => ({
      cluster: `${id}`,
      n: 1,
      figures: { nll: [64, 64 * id] as const },
    }));
    const cell = cellOf('stream', { ...KEY, clusters });
    expect(cell.nll).toBe(2);
    expect(cell.ci95).toEqual(cell.intervals.nll);
  });
});

it('counts cases into log2 bins', () => {
  const bins = [1, 2, 3, 1024].reduce<BinCounts[]>((all, tokens) => addToBins(all, tokens, 1), []);
  expect(bins).toEqual([
    [0, 1, 1],
    [1, 2, 2],
    [10, 1, 1],
  ]);
});

describe('mergeReports', () => {
  it('gives the whole run from any split of its clusters, in any order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 2 })), { minLength: 1 }),
        fc.boolean(),
        (histories, reversed) => {
          const clusters = histories.map(([right], i) => cluster(i, right));
          const parts = [0, 1, 2].map((shard) =>
            reportOf([
              { ...KEY, clusters: clusters.filter((_, i) => histories[i]![1] === shard) },
              { ...KEY, task: 'multi-key', clusters: [] },
            ]),
          );
          const whole = reportOf([
            { ...KEY, task: 'multi-key', clusters: [] },
            { ...KEY, clusters },
          ]);
          expect(mergeReports(reversed ? parts.reverse() : parts)).toEqual(whole);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('counts a cluster once and refuses one that was counted differently', () => {
    const part = reportOf([{ ...KEY, clusters: [cluster(0, 6)] }]);
    expect(mergeReports([part, part])).toEqual(part);
    const other = reportOf([{ ...KEY, clusters: [cluster(0, 7)] }]);
    expect(() => mergeReports([part, other])).toThrow(/history-0 of single · lensnet · 4096 tokens/);
  });

  it('refuses parts of different runs', () => {
    const part = reportOf([{ ...KEY, clusters: [cluster(0, 6)] }]);
    expect(() => mergeReports([part, { ...part, seed: 2 }])).toThrow(/differ in seed: 1 and 2/);
    expect(() => mergeReports([])).toThrow(ReportError);
    const later = { ...part, commit: 'def' };
    expect(() => mergeReports([part, later])).toThrow(/differ in commit/);
    expect(mergeReports([part, later, part], true)).toEqual({ ...part, commit: 'unknown, def' });
  });
});

describe('parseReport', () => {
  const report = reportOf([{ ...KEY, clusters: [cluster(0, 6), cluster(1, 10)] }]);

  it('reads what was written, and drops figures that it does not know', () => {
    expect(parseReport(JSON.stringify(report), 'a.json')).toEqual(report);
    const newer = JSON.stringify(report).replaceAll('"accuracy":', '"unheardOf":1,"accuracy":');
    expect(parseReport(newer, 'a.json')).toEqual(report);
  });

  it.each([
    ['{', 'not-json', /a\.json is not JSON/],
    ['null', 'not-a-report', /a\.json is no evaluation report/],
    ['{"version": 9}', 'other-version', /version 9/],
    [JSON.stringify(report).replace('"n":20', '"n":-1'), 'not-a-report', /suites\.0\.cells\.0\.n/],
    [JSON.stringify(report).replace('"nll":0.2', '"nll":"low"'), 'not-a-report', /suites\.0\.cells\.0\.nll/],
    [
      JSON.stringify(report).replace('"accuracy":[10,6]', '"accuracy":[10,16]'),
      'not-a-report',
      /more successes/,
    ],
  ])('refuses %s', (text, code, message) => {
    expect(() => parseReport(text, 'a.json')).toThrow(message);
    expect(() => parseReport(text, 'a.json')).toThrow(expect.objectContaining({ code }) as Error);
  });
});
