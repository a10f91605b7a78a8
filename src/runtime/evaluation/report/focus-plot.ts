/**
 * Focus against full context as an SVG, for the command line: how much of what the base answers with the whole history
 * in sight it answers through a working context, by the history's length, and what a question costs either way. Pure.
 */
import type { Cell, EvaluationReport } from '../../../core/evaluation-report/report.ts';
import { COLOURS, escaped, svgOf, ticksOf } from './svg-parts.ts';

const SIZE = { width: 760, left: 62, right: 190, top: 30, panel: 250, gap: 64 } as const;
const PLOT_WIDTH = SIZE.width - SIZE.left - SIZE.right;

/** A task's share at one length. */
export interface FocusPoint {
  readonly historyTokens: number;
  readonly answered: number;
  readonly answeredFull: number;
  /** Where full context was not read so far, what is answered with the longest that was counts. */
  readonly isFullRead: boolean;
  readonly baseTokens: number | null;
  readonly baseTokensFull: number | null;
  readonly n: number;
}

export interface FocusCurve {
  readonly task: string;
  readonly points: readonly FocusPoint[];
}

/** Every task that has been asked of both; tasks that full context never answers have no share. */
export function focusCurves(report: EvaluationReport, policy: string): readonly FocusCurve[] {
  const cells = report.suites.flatMap((suite) => suite.cells).filter((cell) => cell.answered !== null);
  const tasks = [...new Set(cells.map(({ task }) => task))];
  return tasks.flatMap((task) => {
    const of = (name: string): Cell[] =>
      cells
        .filter((cell) => cell.task === task && cell.policy === name)
        .sort((a, b) => a.historyTokens - b.historyTokens);
    const full = of('full');
    const longest = full.at(-1);
    const points = of(policy).flatMap((cell): FocusPoint[] => {
      const same = full.find(({ historyTokens }) => historyTokens === cell.historyTokens);
      const against = same ?? longest;
      if (against === undefined || against.answered === 0) return [];
      return [
        {
          historyTokens: cell.historyTokens,
          answered: cell.answered!,
          answeredFull: against.answered!,
          isFullRead: same !== undefined,
          baseTokens: cell.baseTokensPerQuestion ?? null,
          baseTokensFull: same?.baseTokensPerQuestion ?? null,
          n: cell.n,
        },
      ];
    });
    return points.length === 0 ? [] : [{ task, points }];
  });
}

/** @returns null where no task was asked of both full context and the policy. */
export function focusPlotOf(report: EvaluationReport, policy: string): string | null {
  const curves = focusCurves(report, policy);
  const points = curves.flatMap((curve) => curve.points);
  if (points.length === 0) return null;
  const x = logScale(points.map(({ historyTokens }) => historyTokens));
  const top = Math.max(1.25, ...points.map(({ answered, answeredFull }) => answered / answeredFull));
  const height = SIZE.top + 2 * SIZE.panel + SIZE.gap + 46;
  return svgOf(SIZE.width, height, `Answered through ${policy} against full context, and what it costs`, [
    shares(curves, policy, x, top),
    `<g transform="translate(0,${SIZE.panel + SIZE.gap})">${costs(curves, policy, x)}</g>`,
  ]);
}

interface Scale {
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** Over the plot's width, or its height from the bottom up. */
function logScale(values: readonly number[], isVertical = false): Scale {
  const low = Math.log2(Math.min(...values)) - 0.3;
  const high = Math.log2(Math.max(...values)) + 0.3;
  const share = (value: number): number => (Math.log2(value) - low) / (high - low);
  const at = isVertical
    ? (value: number): number => SIZE.top + SIZE.panel * (1 - share(value))
    : (value: number): number => SIZE.left + PLOT_WIDTH * share(value);
  return { ticks: ticksOf(low, high), at };
}

function shares(curves: readonly FocusCurve[], policy: string, x: Scale, most: number): string {
  const y = (share: number): number => SIZE.top + SIZE.panel * (1 - share / most);
  const steps = Array.from({ length: Math.floor(most / 0.25) + 1 }, (_, i) => i * 0.25);
  const n = curves[0]!.points[0]!.n;
  const body = curves.map(({ task, points }, index) => {
    const marks = points.map(({ historyTokens, answered, answeredFull, isFullRead }) => ({
      x: x.at(historyTokens),
      y: y(answered / answeredFull),
      isSolid: isFullRead,
    }));
    const label = `<text x="${SIZE.width - SIZE.right + 30}" y="${SIZE.top + 16 * index + 4}">${escaped(task)}</text>`;
    const sample = { x: SIZE.width - SIZE.right + 18, y: SIZE.top + 16 * index, isSolid: true };
    return lineOf(marks, index) + lineOf([sample], index) + label;
  });
  const note = SIZE.top + 16 * curves.length + 12;
  return [
    heading(`${policy}: answered, divided by answered with the whole history in context (n = ${n} a mark)`),
    grid(
      steps.map((share) => [y(share), String(share)]),
      x,
    ),
    `<path d="M${SIZE.left},${y(1).toFixed(1)}H${SIZE.width - SIZE.right}" stroke="#555"/>`,
    ...body,
    ...['hollow: full context was not', 'read so far; against the', 'longest that was'].map(
      (line, i) =>
        `<text x="${SIZE.width - SIZE.right + 12}" y="${note + 13 * i}" fill="#555">${line}</text>`,
    ),
  ].join('\n');
}

function costs(curves: readonly FocusCurve[], policy: string, x: Scale): string {
  const lines = ([policy, 'full'] as const).map((name) => {
    const byLength = new Map<number, number[]>();
    for (const point of curves.flatMap((curve) => curve.points)) {
      const cost = name === 'full' ? point.baseTokensFull : point.baseTokens;
      if (cost !== null)
        byLength.set(point.historyTokens, [...(byLength.get(point.historyTokens) ?? []), cost]);
    }
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    const means = [...byLength].map(([tokens, values]) => ({ tokens, cost: mean(values) }));
    return { name, means: means.sort((a, b) => a.tokens - b.tokens) };
  });
  const values = lines.flatMap(({ means }) => means.map(({ cost }) => cost));
  if (values.length === 0) return '';
  const y = logScale(values, true);
  const body = lines.map(({ name, means }, index) => {
    const marks = means.map(({ tokens, cost }) => ({ x: x.at(tokens), y: y.at(cost), isSolid: true }));
    const sample = { x: SIZE.width - SIZE.right + 18, y: SIZE.top + 16 * index, isSolid: true };
    const label = `<text x="${SIZE.width - SIZE.right + 30}" y="${SIZE.top + 16 * index + 4}">${escaped(name)}</text>`;
    return lineOf(marks, index + curves.length) + lineOf([sample], index + curves.length) + label;
  });
  return [
    heading('Tokens that the base reads for a question, mean over the tasks'),
    grid(
      y.ticks.map((tokens) => [y.at(tokens), tokens.toLocaleString('en-US')]),
      x,
    ),
    ...body,
    `<text x="${SIZE.left + PLOT_WIDTH / 2}" y="${SIZE.top + SIZE.panel + 36}" text-anchor="middle">tokens of history</text>`,
  ].join('\n');
}

function heading(text: string): string {
  return `<text x="${SIZE.left}" y="16" font-weight="600">${escaped(text)}</text>`;
}

function grid(rows: readonly (readonly [y: number, label: string])[], x: Scale): string {
  const lines = rows.map(
    ([y, label]) =>
      `<path d="M${SIZE.left},${y.toFixed(1)}H${SIZE.width - SIZE.right}" stroke="#ddd"/>` +
      `<text x="${SIZE.left - 6}" y="${(y + 4).toFixed(1)}" text-anchor="end">${label}</text>`,
  );
  const ticks = x.ticks.map(
    (tokens) =>
      `<text x="${x.at(tokens).toFixed(1)}" y="${SIZE.top + SIZE.panel + 16}" text-anchor="middle">${tokens.toLocaleString('en-US')}</text>`,
  );
  return [...lines, ...ticks].join('\n');
}

interface Mark {
  readonly x: number;
  readonly y: number;
  readonly isSolid: boolean;
}

function lineOf(marks: readonly Mark[], index: number): string {
  const colour = COLOURS[index % COLOURS.length]!;
  const path = marks.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join('L');
  const discs = marks.map(
    ({ x, y, isSolid }) =>
      `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="4" fill="${isSolid ? colour : '#fff'}" stroke="${colour}"/>`,
  );
  return `<path d="M${path}" fill="none" stroke="${colour}"/>${discs.join('')}`;
}
