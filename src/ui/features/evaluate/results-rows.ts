/** Reports as rows of a table. Pure. */
import { FIGURES, type FigureDescription, type FigureId } from '../../../core/evaluation-report/figures.ts';
import type { Cell } from '../../../core/evaluation-report/report.ts';
import { cellsOf, policiesOf, scopesOf, type ShownReport } from './series.ts';

export interface FigureText {
  readonly text: string;
  /** `0.71 to 0.93`; empty where there is no interval. */
  readonly interval: string;
  /** Why the figure is undefined; empty where it is not. */
  readonly why: string;
  /** Signed difference to the compared report's figure; empty without one. */
  readonly difference: string;
}

export interface ResultRow {
  readonly key: string;
  readonly task: string;
  readonly policy: string;
  readonly templates: Cell['templates'];
  readonly historyTokens: number;
  readonly budgetTokens: number;
  readonly heads: number;
  readonly n: number;
  /** Questions that were not answered; null where that was not judged. */
  readonly wrong: number | null;
  readonly figures: readonly FigureText[];
}

export interface ResultTable {
  readonly columns: readonly (FigureDescription & { readonly id: FigureId })[];
  readonly rows: readonly ResultRow[];
}

/**
 * The cells of a suite: by task, length, and policy. Only figures that some cell has get a column.
 *
 * @param shown - with two, each row is of the first and tells the difference to the same cell of the second.
 */
export function resultTable(shown: readonly ShownReport[], suite: string): ResultTable {
  const [first, second] = shown;
  if (first === undefined) return { columns: [], rows: [] };
  const cells = cellsOf(first.report, suite);
  const others = new Map(
    (second === undefined ? [] : cellsOf(second.report, suite)).map((cell) => [keyOf(cell), cell]),
  );
  const columns = FIGURES.filter(({ id }) => cells.some((cell) => typeof cell[id] === 'number'));
  const policies = policiesOf([first.report], suite);
  const tasks = scopesOf([first.report], suite).tasks;
  const rows = [...cells]
    .sort(
      (a, b) =>
        tasks.indexOf(a.task) - tasks.indexOf(b.task) ||
        a.historyTokens - b.historyTokens ||
        policies.indexOf(a.policy) - policies.indexOf(b.policy),
    )
    .map((cell): ResultRow => {
      const { task, policy, templates, historyTokens, budgetTokens, heads, n } = cell;
      const other = others.get(keyOf(cell));
      const figures = columns.map((column) => figureText(column, cell, other));
      return {
        key: keyOf(cell),
        task,
        policy,
        templates,
        historyTokens,
        budgetTokens,
        heads,
        n,
        wrong: cell.answered === null ? null : n - Math.round(cell.answered * n),
        figures,
      };
    });
  return { columns, rows };
}

function keyOf({ task, policy, templates, historyTokens, budgetTokens, heads }: Cell): string {
  return [task, policy, templates ?? '', historyTokens, budgetTokens, heads].join(' ');
}

function figureText({ id }: { readonly id: FigureId }, cell: Cell, other: Cell | undefined): FigureText {
  const value = cell[id];
  if (value === null || value === undefined) {
    return { text: '—', interval: '', why: cell.why[id] ?? 'Not measured.', difference: '' };
  }
  const interval = cell.intervals[id];
  const compared = other?.[id];
  return {
    text: digits(value),
    interval: interval === undefined ? '' : `${digits(interval[0])} to ${digits(interval[1])}`,
    why: '',
    difference:
      compared === null || compared === undefined
        ? ''
        : `${value < compared ? '' : '+'}${digits(value - compared)}`,
  };
}

function digits(value: number): string {
  const size = Math.abs(value);
  const text = size.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 3);
  return value < 0 && Number(text) > 0 ? `−${text}` : text;
}
