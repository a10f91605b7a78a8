/** Prints a report for people: policies down, lengths across, accuracy with its interval. */
import type { Cell, EvaluationReport, Suite } from '../../src/runtime/evaluation/report.ts';

export function printReport(report: EvaluationReport): void {
  for (const suite of report.suites) {
    for (const [task, cells] of groups(suite)) {
      console.log(`\n${suite.suite} · ${task} · accuracy [95%] (routing × reading)`);
      console.log(tableOf(cells));
    }
  }
}

function groups({ cells }: Suite): Map<string, Cell[]> {
  const byTask = new Map<string, Cell[]>();
  for (const cell of cells) byTask.set(cell.task, [...(byTask.get(cell.task) ?? []), cell]);
  return byTask;
}

function tableOf(cells: readonly Cell[]): string {
  const columns = [...new Set(cells.map(columnOf))];
  const policies = [...new Set(cells.map(({ policy }) => policy))];
  const rows = policies.map((policy) => [
    policy,
    ...columns.map((column) =>
      textOf(cells.find((cell) => cell.policy === policy && columnOf(cell) === column)),
    ),
  ]);
  const lines = [['', ...columns], ...rows];
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return lines
    .map((line) =>
      line
        .map((text, i) => text.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function columnOf({ historyTokens, budgetTokens }: Cell): string {
  return `${historyTokens} (${(historyTokens / budgetTokens).toPrecision(2).replace(/\.0$/, '')}x)`;
}

function textOf(cell: Cell | undefined): string {
  if (cell === undefined || cell.n === 0) return '–';
  const { accuracy, nll, ci95, routingRecall, readingAccuracy } = cell;
  const range = ci95 === null ? '' : ` [${ci95.map((end) => fixed(end)).join(', ')}]`;
  if (accuracy === null) return `NLL ${fixed(nll)}${range}`;
  const parts = routingRecall === null ? '' : ` (${fixed(routingRecall)} × ${fixed(readingAccuracy)})`;
  return `${fixed(accuracy)}${range}${parts}`;
}

function fixed(value: number | null): string {
  return value === null ? '–' : value.toFixed(2);
}
