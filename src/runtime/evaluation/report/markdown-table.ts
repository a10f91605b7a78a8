/** A report as a Markdown table: quality with its interval beside what it costs. Pure. */
import { readingNote } from './reading-note.ts';
import type { Cell, EvaluationReport } from '../../../core/evaluation-report/report.ts';

/** One table a suite and task; a row a length and policy. */
export function markdownOf(report: EvaluationReport): string {
  return report.suites
    .flatMap(({ suite, cells }) =>
      [...new Set(cells.map(({ task }) => task))].map((task) =>
        tableOf(
          `${suite}, ${task}`,
          cells.filter((cell) => cell.task === task),
        ),
      ),
    )
    .join('\n');
}

const HEADER = [
  'tokens',
  'policy',
  'n',
  'answered',
  'routing',
  'reading',
  'teacher-forced',
  'F1',
  'NLL',
  'base tokens',
  'ms',
  'MB/M tokens',
];

function tableOf(title: string, cells: readonly Cell[]): string {
  const rows = cells
    .filter(({ n }) => n > 0)
    .map((cell) => [
      `${cell.historyTokens.toLocaleString('en-US')}${cell.templates === 'seen' || cell.templates === null ? '' : ` (${cell.templates})`}`,
      cell.policy,
      String(cell.n),
      `${fixed(cell.answered)}${cell.answeredCi95 === null ? '' : ` (${cell.answeredCi95.map((end) => end.toFixed(2)).join('–')})`}`,
      fixed(cell.routingRecall),
      fixed(cell.readingGivenRouted),
      fixed(cell.accuracy),
      fixed(cell.f1),
      fixed(cell.nll),
      whole(cell.baseTokensPerQuestion),
      whole(cell.msPerQuestion),
      megabytes(cell.bytesPerMillionTokens),
    ]);
  const notes = [...new Set(cells.map(({ historyTokens }) => historyTokens))].flatMap((tokens) => {
    const note = readingNote(cells.filter(({ historyTokens }) => historyTokens === tokens));
    return note === null ? [] : [`\n${tokens.toLocaleString('en-US')} tokens: ${note}\n`];
  });
  const lines = [HEADER, HEADER.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  return `**${title}**\n\n${lines.join('\n')}\n${notes.join('')}`;
}

function fixed(value: number | null): string {
  return value === null ? '–' : value.toFixed(2);
}

function megabytes(bytes: number | null | undefined): string {
  return bytes === null || bytes === undefined ? '–' : (bytes / 1e6).toFixed(1);
}

function whole(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toFixed(0);
}
