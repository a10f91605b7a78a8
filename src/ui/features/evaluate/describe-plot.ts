/** A plot in words and as rows, for those who do not see it. Pure. */
import { formatCompact, formatCount, formatPercent } from '../../words/format.ts';
import { PLOTS, type PlotId, type Series, type SeriesPoint } from './series.ts';

export interface PlotTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const X_NAMES: Readonly<Record<PlotId, string>> = {
  distance: 'Distance, tokens',
  length: 'History, tokens',
  position: 'Position, tokens',
  routing: 'Routing recall',
  cost: 'Base tokens a question',
  regret: '',
};

/** One sentence: every series from its first to its last point. */
export function summaryOf(plot: PlotId, series: readonly Series[]): string {
  if (series.length === 0) return PLOTS[plot].absence;
  const parts = series.map(({ label, points }) => {
    const first = points[0]!;
    const last = points.at(-1)!;
    if (plot === 'routing') {
      return `${label}: routing ${formatPercent(first.x)}, reading ${formatPercent(first.y)}`;
    }
    if (plot === 'cost')
      return `${label}: ${value(plot, first.y)} at ${formatCount(Math.round(first.x))} tokens`;
    if (points.length === 1) return `${label}: ${value(plot, first.y)}`;
    return `${label}: ${value(plot, first.y)} at ${formatCompact(first.x)} to ${value(plot, last.y)} at ${formatCompact(last.x)} tokens`;
  });
  return `${PLOTS[plot].sentence} ${parts.join('; ')}.`;
}

export function tableOf(plot: PlotId, series: readonly Series[]): PlotTable {
  const x = X_NAMES[plot];
  const rows = series.flatMap(({ label, points }) =>
    points.map((point) => [
      label,
      ...(x === '' ? [] : [plot === 'routing' ? formatPercent(point.x) : range(plot, point)]),
      value(plot, point.y),
      point.yCi95 === null ? '—' : `${value(plot, point.yCi95[0])} to ${value(plot, point.yCi95[1])}`,
      formatCount(point.n),
    ]),
  );
  return { columns: ['Policy', ...(x === '' ? [] : [x]), Y_NAMES[plot], '95% interval', 'n'], rows };
}

const Y_NAMES: Readonly<Record<PlotId, string>> = {
  distance: 'Answered',
  length: 'Answered',
  position: 'NLL',
  cost: 'Answered',
  routing: 'Reading accuracy',
  regret: 'Regret',
};

/** A bin is named by its ends. */
function range(plot: PlotId, { x }: SeriesPoint): string {
  if (plot === 'length' || plot === 'cost') return formatCount(Math.round(x));
  const low = 2 ** Math.floor(Math.log2(x));
  return `${formatCount(low)}–${formatCount(2 * low)}`;
}

function value(plot: PlotId, y: number): string {
  return plot === 'position' || plot === 'regret' ? y.toFixed(3) : formatPercent(y);
}
