import { describe, expect, it } from 'vitest';
import type { Cell, EvaluationReport, Interval } from '../../../runtime/engine/protocol/evaluation.ts';
import { summaryOf, tableOf } from './describe-plot.ts';
import { layOut } from './geometry.ts';
import { csvOf, resultTable } from './results-rows.ts';
import { PLOT_IDS, policiesOf, policySlot, type PlotScope, seriesOf } from './series.ts';

/** `right` of 10 facts far back were found and read; all of what was found was read. */
function cell(policy: string, historyTokens: number, right: number): Cell {
  const around = (value: number): Interval => [Math.max(0, value - 0.1), Math.min(1, value + 0.05)];
  const share = right / 10;
  const regret = policy === 'lensnet' ? 0.25 : null;
  const bin = (log2: number, value: number) => ({ log2, n: 10, value, ci95: around(value) });
  return {
    task: 'single',
    policy,
    historyTokens,
    budgetTokens: 256,
    n: 20,
    accuracy: share,
    routingRecall: share,
    readingAccuracy: 1,
    nll: 1 - share,
    deltaNll: null,
    gapRecovered: null,
    regret,
    spearman: null,
    swapRate: null,
    ci95: around(share),
    intervals: {
      accuracy: around(share),
      routingRecall: around(share),
      readingAccuracy: [0.8, 1],
      ...(regret === null ? {} : { regret: [0.2, 0.3] as const }),
    },
    why: regret === null ? { regret: 'Not asked for.' } : {},
    distances: [bin(8, Math.min(1, share * 2)), bin(10, Math.max(0, share * 2 - 1))],
    positions: [],
    clusters: [],
  };
}

function report(right: number): EvaluationReport {
  const cells = ['gold', 'newest-blocks', 'lensnet', '=own'].flatMap((policy, i) =>
    [1024, 4096].map((tokens) => cell(policy, tokens, Math.max(0, right - 2 * i))),
  );
  return {
    version: 1,
    model: 'tiny',
    seed: 1,
    backend: 'wasm',
    commit: null,
    suites: [{ suite: 'recall', cells }],
  };
}

const A = { name: 'A', report: report(9), isSecond: false };
const B = { name: 'B', report: report(8), isSecond: true };
const SCOPE: PlotScope = { suite: 'recall', task: 'single', historyTokens: 4096, hidden: new Set() };

describe('seriesOf', () => {
  it('reads curves, points and bars of the chosen cells', () => {
    const distance = seriesOf('distance', [A], SCOPE);
    expect(distance.map(({ policy }) => policy)).toEqual(['lensnet', 'newest-blocks', 'gold', '=own']);
    expect(distance[2]!.points.map(({ x, y, n }) => [Math.log2(x), y, n])).toEqual([
      [8.5, 1, 10],
      [10.5, 0.8, 10],
    ]);
    expect(seriesOf('length', [A], SCOPE)[0]!.points.map(({ x }) => x)).toEqual([1024, 4096]);
    expect(seriesOf('routing', [A], SCOPE)[0]!.points[0]).toMatchObject({ x: 0.5, y: 1, xCi95: [0.4, 0.55] });
    expect(seriesOf('regret', [A], SCOPE)).toMatchObject([{ policy: 'lensnet', points: [{ y: 0.25 }] }]);
    expect(seriesOf('position', [A], SCOPE)).toEqual([]);
  });

  it('leaves out what is hidden and marks the compared report', () => {
    const hidden = new Set(['gold', 'newest-blocks', '=own']);
    const series = seriesOf('length', [A, B], { ...SCOPE, hidden });
    expect(series.map(({ label, isSecond }) => [label, isSecond])).toEqual([
      ['lensnet', false],
      ['lensnet · B', true],
    ]);
  });

  it('gives every policy a slot of its own', () => {
    const policies = policiesOf([A.report], 'recall');
    expect(new Set(policies.map((policy) => policySlot(policy, policies))).size).toBe(policies.length);
  });
});

describe('layOut', () => {
  it.each([320, 900])('keeps every mark, whisker, bar and label inside %i pixels', (width) => {
    for (const plot of PLOT_IDS) {
      const geometry = layOut(plot, seriesOf(plot, [A, B], SCOPE), width);
      const { frame, drawn, legend } = geometry;
      const marks = drawn.flatMap((one) => one.marks);
      if (plot !== 'position') expect(marks.length).toBeGreaterThan(0);
      for (const { x, y, whiskers } of marks) {
        for (const [px, py] of [
          [x, y],
          ...whiskers.flatMap((w) => [
            [w.x1, w.y1],
            [w.x2, w.y2],
          ]),
        ] as const) {
          expect(px).toBeGreaterThanOrEqual(frame.left - 1);
          expect(px).toBeLessThanOrEqual(frame.right + 1);
          expect(py).toBeGreaterThanOrEqual(frame.top - 1);
          expect(py).toBeLessThanOrEqual(frame.bottom + 1);
        }
      }
      for (const { at } of geometry.xTicks) expect(at).toBeLessThanOrEqual(width);
      for (const { x, y } of legend) {
        expect(x).toBeLessThan(width);
        expect(y).toBeLessThan(geometry.height);
      }
    }
  });

  it('puts higher accuracy higher, longer histories farther right, and regret in proportion', () => {
    const [lensnet, , gold] = layOut('length', seriesOf('length', [A], SCOPE), 600).drawn;
    expect(gold!.marks[0]!.y).toBeLessThan(lensnet!.marks[0]!.y);
    expect(lensnet!.marks[1]!.x - lensnet!.marks[0]!.x).toBeGreaterThan(100);
    expect(lensnet!.path).toMatch(/^M.*L/);
    const regret = layOut('regret', seriesOf('regret', [A, B], SCOPE), 600);
    const one = regret.xTicks.find(({ label }) => label === '1')!.at;
    const zero = regret.xTicks.find(({ label }) => label === '0')!.at;
    expect(regret.drawn[0]!.bars[0]!.width).toBeCloseTo((one - zero) / 4, 6);
  });

  it('draws a single point and an empty plot without a scale of width 0', () => {
    const single = {
      ...A,
      report: { ...A.report, suites: [{ suite: 'recall', cells: [cell('gold', 4096, 9)] }] },
    };
    for (const plot of PLOT_IDS) {
      const { drawn } = layOut(plot, seriesOf(plot, [single], SCOPE), 400);
      for (const { x, y } of drawn.flatMap((one) => one.marks)) expect(Number.isFinite(x + y)).toBe(true);
    }
  });
});

it('says every plot in words and as rows', () => {
  const distance = seriesOf('distance', [A], SCOPE);
  expect(summaryOf('distance', distance)).toContain('gold: 100% at 362 to 80% at 1.45k tokens');
  expect(tableOf('distance', distance).rows[4]).toEqual(['gold', '256–512', '100%', '90% to 100%', '10']);
  expect(tableOf('regret', seriesOf('regret', [A], SCOPE)).rows[0]!.slice(0, 2)).toEqual([
    'lensnet',
    '0.250',
  ]);
  expect(summaryOf('position', [])).toMatch(/stream suite/);
});

describe('results', () => {
  it('shows figures that some cell has, with intervals, reasons and differences', () => {
    const { columns, rows } = resultTable([A, B], 'recall');
    expect(columns.map(({ id }) => id)).toEqual([
      'accuracy',
      'routingRecall',
      'readingAccuracy',
      'nll',
      'regret',
    ]);
    expect(rows.map(({ policy }) => policy).slice(0, 4)).toEqual([
      'lensnet',
      'newest-blocks',
      'gold',
      '=own',
    ]);
    expect(rows[2]!.figures[0]).toMatchObject({ text: '0.900', difference: '+0.100' });
    expect(rows[2]!.figures[0]!.interval).toBe('0.800 to 0.950');
    expect(rows[2]!.figures[4]).toEqual({ text: '—', interval: '', why: 'Not asked for.', difference: '' });
  });

  it('writes CSV that a spreadsheet reads as text and figures', () => {
    const [header, first, , third] = csvOf(A.report).split('\r\n');
    expect(header!.split(',').slice(0, 9).join()).toBe(
      'suite,task,policy,historyTokens,budgetTokens,n,accuracy,accuracyLow95,accuracyHigh95',
    );
    expect(first).toMatch(/^recall,single,gold,1024,256,20,0\.9,0\./);
    expect(third).toMatch(/^recall,single,newest-blocks,/);
    expect(csvOf(A.report)).toContain("recall,single,'=own,");
  });
});
