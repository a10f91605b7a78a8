/**
 * Quality against cost as an SVG of its own, for the command line: one panel a task and length, every policy on it.
 * Pure.
 */
import { costPoint, type CostPoint } from '../../../core/evaluation-report/cost.ts';
import type { Cell, EvaluationReport } from '../../../core/evaluation-report/report.ts';
import { COLOURS, escaped, svgOf, ticksOf } from './svg-parts.ts';

const PANEL = { width: 620, height: 300, left: 56, right: 170, top: 34, bottom: 44 } as const;
const RADIUS = 4;
const LEGEND_ROW = 15;

/** @returns null where no cell has both answers and a cost. */
export function costPlotOf(report: EvaluationReport): string | null {
  const panels = report.suites.flatMap(({ suite, cells }) =>
    [...groupsOf(cells)].flatMap(([title, group]) => {
      const points = group.map(costPoint).filter((point) => point !== null);
      return points.length === 0 ? [] : [{ title: `${suite}, ${title}`, points }];
    }),
  );
  if (panels.length === 0) return null;
  const heights = panels.map(({ points }) =>
    Math.max(PANEL.height, PANEL.top + points.length * LEGEND_ROW + 20),
  );
  const tops = heights.map((_, i) => heights.slice(0, i).reduce((sum, height) => sum + height, 0));
  const height = heights.reduce((sum, each) => sum + each, 0);
  const body = panels.map(
    ({ title, points }, i) => `<g transform="translate(0,${tops[i]!})">${panelOf(title, points)}</g>`,
  );
  return svgOf(PANEL.width, height, 'Answered against the tokens that the base reads for a question', body);
}

/** By task, forms and length, in the report's order. */
function groupsOf(cells: readonly Cell[]): Map<string, Cell[]> {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const forms = cell.templates === null || cell.templates === 'seen' ? '' : ` (${cell.templates})`;
    const key = `${cell.task}${forms}, ${cell.historyTokens.toLocaleString('en-US')} tokens`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return groups;
}

function panelOf(title: string, points: readonly CostPoint[]): string {
  const { width, height, left, right, top, bottom } = PANEL;
  const costs = points.map(({ baseTokens }) => Math.max(1, baseTokens));
  const low = Math.log2(Math.min(...costs)) - 0.3;
  const high = Math.log2(Math.max(...costs)) + 0.3;
  const x = (tokens: number): number =>
    left + ((Math.log2(Math.max(1, tokens)) - low) / (high - low)) * (width - left - right);
  const y = (share: number): number => height - bottom - share * (height - top - bottom);
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<path d="M${left},${y(share).toFixed(1)}H${width - right}" stroke="#ddd"/>` +
      `<text x="${left - 6}" y="${(y(share) + 4).toFixed(1)}" text-anchor="end">${share * 100}%</text>`,
  );
  const ticks = ticksOf(low, high).map(
    (tokens) =>
      `<text x="${x(tokens).toFixed(1)}" y="${height - bottom + 16}" text-anchor="middle">${tokens.toLocaleString('en-US')}</text>`,
  );
  const marks = points.map((point, i) => {
    const colour = COLOURS[i % COLOURS.length]!;
    const [px, py] = [x(point.baseTokens), y(point.answered)];
    const ends = point.answeredCi95?.map((end) => y(end).toFixed(1));
    const whisker = ends
      ? `<path d="M${px.toFixed(1)},${ends[0]!}V${ends[1]!}" stroke="${colour}" stroke-opacity="0.5"/>`
      : '';
    const legendY = top + i * LEGEND_ROW;
    return (
      `${whisker}${markOf(i, px, py, colour)}` +
      `${markOf(i, width - right + 18, legendY, colour)}<text x="${width - right + 28}" y="${legendY + 4}">${escaped(point.policy)}</text>`
    );
  });
  return [
    `<text x="${left}" y="16" font-weight="600">${escaped(title)}: answered (n = ${points[0]!.n})</text>`,
    ...grid,
    ...ticks,
    `<text x="${(left + width - right) / 2}" y="${height - bottom + 34}" text-anchor="middle">Base tokens a question</text>`,
    ...marks,
  ].join('\n');
}

/** Discs of the first eight, then squares, then diamonds. */
function markOf(index: number, x: number, y: number, colour: string): string {
  const at = `${x.toFixed(1)},${y.toFixed(1)}`;
  const shape = Math.floor(index / COLOURS.length) % 3;
  if (shape === 0)
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${RADIUS}" fill="${colour}"/>`;
  const side = 2 * RADIUS - 1;
  const turn = shape === 2 ? ' rotate(45)' : '';
  return `<rect transform="translate(${at})${turn}" x="${-side / 2}" y="${-side / 2}" width="${side}" height="${side}" fill="${colour}"/>`;
}
