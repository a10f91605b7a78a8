/** A report as one table: a row a cell, every figure with both ends of its interval. Pure. */
import type { Interval } from '../../base/statistics.ts';
import type { Cell, Table } from '../../base/table.ts';
import { FIGURES } from './figures.ts';
import type { EvaluationReport } from './report.ts';

/** A figure that is undefined is null. */
export function reportTable(report: EvaluationReport): Table {
  return {
    names: [
      ...['suite', 'task', 'policy', 'templates', 'historyTokens', 'budgetTokens', 'heads', 'n'],
      ...FIGURES.flatMap(({ id }) => [id, `${id}Low95`, `${id}High95`]),
    ],
    rows: report.suites.flatMap(({ suite, cells }) =>
      cells.map((cell) => [
        suite,
        cell.task,
        cell.policy,
        cell.templates,
        cell.historyTokens,
        cell.budgetTokens,
        cell.heads,
        cell.n,
        ...FIGURES.flatMap(({ id }) => [cell[id] ?? null, ...ends(cell.intervals[id])]),
      ]),
    ),
  };
}

function ends(interval: Interval | undefined): readonly Cell[] {
  return interval ?? [null, null];
}
