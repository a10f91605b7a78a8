/** Reads the curves, points and bars of the evaluation plots out of reports. Pure; draw-plot.ts draws them. */
import { costPoint } from '../../../core/evaluation-report/cost.ts';
import type { FigureId } from '../../../core/evaluation-report/figures.ts';
import type { Bin, Cell, EvaluationReport } from '../../../core/evaluation-report/report.ts';
import type { Interval } from '../../../base/statistics.ts';

/** A report on show; `second` is the one compared with. */
export interface ShownReport {
  readonly name: string;
  readonly report: EvaluationReport;
  readonly isSecond: boolean;
}

/** Which cells the plots are about. */
export interface PlotScope {
  readonly suite: string;
  readonly task: string;
  readonly historyTokens: number;
  /** Policies that are not drawn. */
  readonly hidden: ReadonlySet<string>;
}

export interface SeriesPoint {
  readonly x: number;
  readonly y: number;
  readonly xCi95: Interval | null;
  readonly yCi95: Interval | null;
  readonly n: number;
}

export interface Series {
  readonly policy: string;
  readonly isSecond: boolean;
  readonly label: string;
  readonly points: readonly SeriesPoint[];
}

export const PLOT_IDS = ['distance', 'length', 'cost', 'routing', 'position', 'regret'] as const;
export type PlotId = (typeof PLOT_IDS)[number];

export interface PlotDescription {
  readonly title: string;
  readonly sentence: string;
  /** What to do to get it, where a report has nothing of the kind. */
  readonly absence: string;
}

export const PLOTS: Readonly<Record<PlotId, PlotDescription>> = {
  distance: {
    title: 'Recall by distance',
    sentence: 'Answered by the distance from the question back to the fact, in bins of log2.',
    absence: 'These cells count no distances.',
  },
  length: {
    title: 'Answered by length of history',
    sentence: 'Share of questions that each policy answers at the same budget as the history grows.',
    absence: 'These cells have no answers.',
  },
  cost: {
    title: 'Answered against cost',
    sentence:
      'Share answered by the tokens that the base reads for one question; up and to the left is better.',
    absence: 'These cells have no answers, or no cost.',
  },
  routing: {
    title: 'Routing × reading',
    sentence: 'Answered is routing recall × reading given routed; each curve joins points of equal product.',
    absence: 'No policy here has both a routing recall and a reading given routed.',
  },
  position: {
    title: 'NLL by position',
    sentence: 'Mean negative log-likelihood by position in the history, in bins of log2, at a fixed budget.',
    absence: 'These cells count no positions; the stream suite does.',
  },
  regret: {
    title: 'Normalised regret',
    sentence:
      '(policy − answer-oracle) ÷ (random-blocks − answer-oracle) of the NLL: 0 is the oracle, 1 is chance.',
    absence: 'Regret is not measured here; it takes answer-oracle and random-blocks in the run.',
  },
};

/** What a plot draws; no series means that there is nothing of the kind. */
export function seriesOf(plot: PlotId, shown: readonly ShownReport[], scope: PlotScope): Series[] {
  const here = ({ task, historyTokens }: Cell): boolean =>
    task === scope.task && historyTokens === scope.historyTokens;
  switch (plot) {
    case 'distance':
      return perPolicy(shown, scope, here, (cell) => cell.distances.map(fromBin));
    case 'position':
      return perPolicy(shown, scope, here, (cell) => cell.positions.map(fromBin));
    case 'length':
      return perPolicy(
        shown,
        scope,
        ({ task }) => task === scope.task,
        (cell) => figurePoint(cell, cell.historyTokens, 'answered'),
      );
    case 'cost':
      return perPolicy(shown, scope, here, (cell) => {
        const point = costPoint(cell);
        if (point === null) return [];
        const { baseTokens: x, answered: y, baseTokensCi95: xCi95, answeredCi95: yCi95, n } = point;
        return [{ x, y, xCi95, yCi95, n }];
      });
    case 'regret':
      return perPolicy(shown, scope, here, (cell) => figurePoint(cell, 0, 'regret'));
    case 'routing':
      return perPolicy(shown, scope, here, (cell) => {
        const { routingRecall } = cell;
        if (routingRecall === null) return [];
        const xCi95 = cell.intervals.routingRecall ?? null;
        return figurePoint(cell, routingRecall, 'readingGivenRouted').map((point) => ({ ...point, xCi95 }));
      });
  }
}

function perPolicy(
  shown: readonly ShownReport[],
  scope: PlotScope,
  isWanted: (cell: Cell) => boolean,
  pointsOf: (cell: Cell) => readonly SeriesPoint[],
): Series[] {
  return shown.flatMap(({ report, isSecond }) => {
    const cells = cellsOf(report, scope.suite).filter(isWanted);
    return policiesOf([report], scope.suite)
      .filter((policy) => !scope.hidden.has(policy))
      .map((policy) => ({
        policy,
        isSecond,
        label: isSecond ? `${policy} · B` : policy,
        points: cells
          .filter((cell) => cell.policy === policy)
          .flatMap(pointsOf)
          .sort((a, b) => a.x - b.x),
      }))
      .filter(({ points }) => points.length > 0);
  });
}

/** The bin's middle on a log scale. */
function fromBin({ log2, n, value, ci95 }: Bin): SeriesPoint {
  return { x: 2 ** (log2 + 0.5), y: value, xCi95: null, yCi95: ci95, n };
}

function figurePoint(cell: Cell, x: number, figure: FigureId): SeriesPoint[] {
  const y = cell[figure];
  if (y === null || y === undefined) return [];
  return [{ x, y, xCi95: null, yCi95: cell.intervals[figure] ?? null, n: cell.n }];
}

export function cellsOf(report: EvaluationReport, suite: string): readonly Cell[] {
  return report.suites.find((candidate) => candidate.suite === suite)?.cells ?? [];
}

/** The order in which policies are listed and coloured; unknown ones follow in theirs. */
const POLICY_ORDER = [
  'lensnet', 'bm25-blocks', 'cosine', 'newest-blocks', 'gold', 'full', 'gist-attention', 'gists',
  'random-blocks', 'streaming', 'answer-oracle', 'bm25-raw', 'cosine-raw',
]; // prettier-ignore

/** A policy's place in the colours and symbols; the same in every plot and report. */
export function policySlot(policy: string, policies: readonly string[]): number {
  const known = POLICY_ORDER.indexOf(policy);
  if (known >= 0) return known;
  return POLICY_ORDER.length + policies.filter((other) => !POLICY_ORDER.includes(other)).indexOf(policy);
}

/** Every policy of a suite in these reports, in the order of POLICY_ORDER. */
export function policiesOf(reports: readonly EvaluationReport[], suite: string): string[] {
  return distinct(reports, suite, ({ policy }) => policy).sort((a, b) => rank(a) - rank(b));
}

function rank(policy: string): number {
  const at = POLICY_ORDER.indexOf(policy);
  return at < 0 ? POLICY_ORDER.length : at;
}

/** How many policies the plots draw until others are asked for: more lines cannot be told apart. */
export const DRAWN_POLICIES = 6;

/** Tasks and lengths that the plots can be about. */
export function scopesOf(
  reports: readonly EvaluationReport[],
  suite: string,
): { readonly tasks: string[]; readonly lengths: number[] } {
  return {
    tasks: distinct(reports, suite, ({ task }) => task),
    lengths: distinct(reports, suite, ({ historyTokens }) => historyTokens).sort((a, b) => a - b),
  };
}

function distinct<T>(reports: readonly EvaluationReport[], suite: string, of: (cell: Cell) => T): T[] {
  return [...new Set(reports.flatMap((report) => cellsOf(report, suite).map(of)))];
}
