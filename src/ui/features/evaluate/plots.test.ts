import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Cell, EvaluationReport } from '../../../core/evaluation-report/report.ts';
import type { Interval } from '../../../base/statistics.ts';
import { type DrawnMark, readChart, windowForCharts } from '../../widgets/testing/read-chart.ts';
import { summaryOf, tableOf } from './describe-plot.ts';
import { drawPlot } from './draw-plot.ts';
import { csvOf } from '../../../base/table.ts';
import { reportTable } from '../../../core/evaluation-report/report-table.ts';
import { resultTable } from './results-rows.ts';
import {
  PLOT_IDS,
  type PlotId,
  type PlotScope,
  type ShownReport,
  policiesOf,
  policySlot,
  seriesOf,
} from './series.ts';

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
    templates: 'seen',
    heads: 1,
    answered: share,
    answeredCi95: around(share),
    againstFull: null,
    f1: null,
    accuracy: share,
    routingRecall: share,
    readingGivenRouted: 1,
    nll: 1 - share,
    baseTokensPerQuestion: historyTokens / 4,
    bytesPerMillionTokens: 4e6,
    deltaNll: null,
    gapRecovered: null,
    regret,
    spearman: null,
    swapRate: null,
    ci95: around(share),
    intervals: {
      answered: around(share),
      accuracy: around(share),
      routingRecall: around(share),
      readingGivenRouted: [0.8, 1],
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
    version: 2,
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

beforeAll(() => {
  vi.stubGlobal('window', windowForCharts());
});

afterAll(() => {
  vi.unstubAllGlobals();
});

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
    expect(seriesOf('cost', [A], SCOPE).map(({ points }) => points[0]!.x)).toEqual([1024, 1024, 1024, 1024]);
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

describe('drawPlot', () => {
  const look = (width: number) => ({
    width,
    slotOf: (policy: string) => policySlot(policy, policiesOf([A.report], 'recall')),
  });
  const draw = (plot: PlotId, shown: readonly ShownReport[], width: number) =>
    readChart(drawPlot(plot, seriesOf(plot, shown, SCOPE), look(width)));
  const named = (marks: readonly DrawnMark[], mark: string) => marks.filter((one) => one.mark === mark);

  it.each([320, 900])('keeps every mark, whisker, bar and label inside %i pixels', (width) => {
    for (const plot of PLOT_IDS) {
      const svg = drawPlot(plot, seriesOf(plot, [A, B], SCOPE), look(width));
      const marks = readChart(svg);
      const data = marks.filter(
        ({ mark, text }) => ['line', 'rule', 'bar'].includes(mark) || (mark === 'dot' && text !== ''),
      );
      if (plot !== 'position') expect(data.length).toBeGreaterThan(0);
      const frame = named(marks, 'frame')[0]!.at;
      const [left, right] = frame.map(([x]) => x).sort((a, b) => a - b) as [number, number];
      for (const [x, y] of data.flatMap(({ at }) => at)) {
        expect(x).toBeGreaterThanOrEqual(left - 1);
        expect(x).toBeLessThanOrEqual(right + 1);
        expect(y).toBeGreaterThanOrEqual(11);
        expect(y).toBeLessThanOrEqual(frame[0]![1] + 1);
      }
      for (const [x, y] of marks.flatMap(({ at }) => at)) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThanOrEqual(width);
        expect(y).toBeGreaterThanOrEqual(0);
        expect(y).toBeLessThanOrEqual(Number(svg.getAttribute('height')));
      }
    }
  });

  it('draws each point with its symbol, its interval and its figures, in the policy’s colour', () => {
    const marks = draw('length', [A], 600);
    const series = seriesOf('length', [A], SCOPE);
    const count = series.flatMap(({ points }) => points).length;
    expect(named(marks, 'line')).toHaveLength(series.length);
    expect(named(marks, 'rule')).toHaveLength(count);
    // A symbol and a place to point at for each, and a symbol for each name of the legend.
    expect(named(marks, 'dot')).toHaveLength(2 * count + series.length);
    expect(named(marks, 'dot').map(({ text }) => text)).toContain('gold: 0.900, n = 20');
    expect(named(marks, 'line').map(({ colour }) => colour)).toEqual(
      series.map(({ policy }) => `var(--series-${look(600).slotOf(policy) % 8})`),
    );
    expect(named(marks, 'text').map(({ text }) => text)).toEqual(series.map(({ label }) => label));
    expect(named(marks, 'x-axis tick label').map(({ text }) => text)).toEqual(['1,024', '2,048', '4,096']);
  });

  it('puts higher accuracy higher, longer histories farther right, and regret in proportion', () => {
    const [lensnet, , gold] = named(draw('length', [A], 600), 'line');
    expect(gold!.at[0]![1]).toBeLessThan(lensnet!.at[0]![1]);
    expect(lensnet!.at[1]![0] - lensnet!.at[0]![0]).toBeGreaterThan(100);
    const regret = draw('regret', [A, B], 600);
    const tick = (label: string) => regret.find(({ text }) => text === label)!.at[0]![0];
    const [[left], [right]] = named(regret, 'bar')[0]!.at as [[number, number], [number, number]];
    expect(right - left).toBeCloseTo((tick('1') - tick('0')) / 4, 6);
    const [[low], [high]] = named(regret, 'rule')[0]!.at.toSorted(([a], [b]) => a - b) as [
      [number, number],
      [number, number],
    ];
    expect([low, high].map((x) => (x - tick('0')) / (tick('1') - tick('0')))).toEqual([
      expect.closeTo(0.2, 6),
      expect.closeTo(0.3, 6),
    ]);
  });

  it('joins points of equal accuracy by curves of routing × reading', () => {
    const curves = named(draw('routing', [A], 600), 'line').slice(0, 4);
    expect(curves.map(({ at }) => at.length)).toEqual([33, 33, 33, 33]);
  });

  it('draws a single point and an empty plot without a scale of width 0', () => {
    const single = {
      ...A,
      report: { ...A.report, suites: [{ suite: 'recall', cells: [cell('gold', 4096, 9)] }] },
    };
    for (const plot of PLOT_IDS) {
      for (const [x, y] of draw(plot, [single], 400).flatMap(({ at }) => at)) {
        expect(Number.isFinite(x + y)).toBe(true);
      }
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
      'answered',
      'accuracy',
      'routingRecall',
      'readingGivenRouted',
      'nll',
      'regret',
      'baseTokensPerQuestion',
      'bytesPerMillionTokens',
    ]);
    expect(rows.map(({ policy }) => policy).slice(0, 4)).toEqual([
      'lensnet',
      'newest-blocks',
      'gold',
      '=own',
    ]);
    expect(rows[2]!.figures[0]).toMatchObject({ text: '0.900', difference: '+0.100' });
    expect(rows[2]!.figures[0]!.interval).toBe('0.800 to 0.950');
    expect(rows[2]!.figures[5]).toEqual({ text: '—', interval: '', why: 'Not asked for.', difference: '' });
  });

  it('writes CSV that a spreadsheet reads as text and figures', () => {
    const [header, first, , third] = csvOf(reportTable(A.report)).split('\r\n');
    expect(header!.split(',').slice(0, 11).join()).toBe(
      'suite,task,policy,templates,historyTokens,budgetTokens,heads,n,answered,answeredLow95,answeredHigh95',
    );
    expect(first).toMatch(/^recall,single,gold,seen,1024,256,1,20,0\.9,0\./);
    expect(third).toMatch(/^recall,single,newest-blocks,/);
    expect(csvOf(reportTable(A.report))).toContain("recall,single,'=own,");
  });
});
