/**
 * Prints a report for people: policies down, lengths across, what was answered with its interval, the routing and
 * the teacher-forced reading as diagnostics; and a table of figures for what is about more.
 */
import { readingNote } from '../../src/runtime/evaluation/report/reading-note.ts';
import { FIGURES } from '../../src/core/evaluation-report/figures.ts';
import type { Cell, EvaluationReport, Suite } from '../../src/core/evaluation-report/report.ts';
import type { Interval } from '../../src/base/statistics.ts';

export function printReport(report: EvaluationReport): void {
  for (const suite of report.suites) {
    for (const [task, cells] of groups(suite)) {
      if (cells.some(hasAnswers)) {
        console.log(
          `\n${suite.suite} · ${task} · answered [95%] (routing × reading given routed; teacher-forced)`,
        );
        console.log(tableOf(cells));
        for (const column of new Set(cells.map(columnOf))) {
          const note = readingNote(cells.filter((cell) => columnOf(cell) === column));
          if (note !== null) console.log(`${column}: ${note}`);
        }
      }
      if (cells.some(hasAnswers)) {
        console.log(`\n${suite.suite} · ${task} · what a question costs`);
        console.log(costsOf(cells.filter(({ n }) => n > 0)));
      }
      if (cells.some(isAboutMore)) {
        console.log(`\n${suite.suite} · ${task} · figures [95%]`);
        console.log(figuresOf(cells));
      }
    }
  }
}

function groups({ cells }: Suite): Map<string, Cell[]> {
  const byTask = new Map<string, Cell[]>();
  for (const cell of cells) byTask.set(cell.task, [...(byTask.get(cell.task) ?? []), cell]);
  return byTask;
}

function hasAnswers({ answered, accuracy }: Cell): boolean {
  return answered !== null || accuracy !== null;
}

/** Answers alone do not tell what such a cell measured. */
function isAboutMore(cell: Cell): boolean {
  return cell.n > 0 && (!hasAnswers(cell) || typeof cell.spearman === 'number');
}

/** Figures that the table of answers shows already. */
const SHOWN: readonly string[] = ['answered', 'accuracy', 'routingRecall', 'readingGivenRouted'];

/** A row a policy and length, a column for every figure that any of them has. */
function figuresOf(cells: readonly Cell[]): string {
  const columns = FIGURES.filter(
    ({ id }) => !SHOWN.includes(id) && cells.some((cell) => typeof cell[id] === 'number'),
  );
  return aligned([
    ['', 'tokens', 'n', ...columns.map(({ label }) => label)],
    ...cells.map((cell) => [
      cell.policy,
      columnOf(cell),
      String(cell.n),
      ...columns.map(({ id }) => `${fixed(cell[id] ?? null)}${rangeOf(cell.intervals[id])}`),
    ]),
  ]);
}

/** A row a policy and length. */
function costsOf(cells: readonly Cell[]): string {
  const whole = (value: number | null | undefined): string => value?.toFixed(0) ?? '–';
  const isCompared = cells.some((cell) => typeof cell.answeredAgainstOneWindow === 'number');
  return aligned([
    [
      '',
      'tokens',
      'answered',
      ...(isCompared ? ['against one window'] : []),
      'base tokens',
      'ms',
      'MB a million tokens',
    ],
    ...cells.map((cell) => [
      cell.policy,
      columnOf(cell),
      fixed(cell.answered),
      ...(isCompared
        ? [
            `${fixed(cell.answeredAgainstOneWindow ?? null)}${rangeOf(cell.intervals.answeredAgainstOneWindow)}`,
          ]
        : []),
      whole(cell.baseTokensPerQuestion),
      whole(cell.msPerQuestion),
      cell.bytesPerMillionTokens == null ? '–' : (cell.bytesPerMillionTokens / 1e6).toFixed(1),
    ]),
  ]);
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
  return aligned([['', ...columns], ...rows]);
}

function aligned(lines: readonly (readonly string[])[]): string {
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
  return `${historyTokens} (${Number((historyTokens / budgetTokens).toPrecision(2))}x)`;
}

function textOf(cell: Cell | undefined): string {
  if (cell === undefined || cell.n === 0) return '–';
  const { answered, answeredCi95, accuracy, nll, ci95, routingRecall, readingGivenRouted, f1 } = cell;
  const forced = accuracy === null ? '' : `; ${fixed(accuracy)}`;
  if (answered === null) return accuracy === null ? `NLL ${fixed(nll)}${rangeOf(ci95)}` : `–${forced}`;
  const routing = routingRecall === null ? '– × –' : `${fixed(routingRecall)} × ${fixed(readingGivenRouted)}`;
  const words = f1 === null ? '' : ` F1 ${fixed(f1)}`;
  return `${fixed(answered)}${rangeOf(answeredCi95)}${words} (${routing}${forced})`;
}

function rangeOf(interval: Interval | null | undefined): string {
  return interval ? ` [${interval.map(fixed).join(', ')}]` : '';
}

function fixed(value: number | null): string {
  return value === null ? '–' : value.toFixed(2);
}
