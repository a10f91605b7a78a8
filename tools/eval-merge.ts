/** `npm run eval:merge`: one report of the partial ones that the shards of a run wrote. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { mergeReports } from '../src/runtime/evaluation/report/cell.ts';
import { parseReport, ReportError } from '../src/core/evaluation-report/report.ts';
import { inOrder } from '../src/runtime/evaluation/run/run-suite.ts';
import { OptionError } from './command-line.ts';
import { writeFocusPlot } from './eval/focus-file.ts';
import { printReport } from './eval/table.ts';
import { helpIfAsked } from './help.ts';

const USAGE = `npm run eval:merge -- part1.json part2.json … --json OUT.json [--focus-plot OUT.svg] [--any-commit]
  --any-commit  takes parts of several commits, which you know to measure the same; the report names them all`;

function main(): void {
  helpIfAsked(USAGE);
  const { files, out, focusPlot, anyCommit } = parse();
  const reports = files.map((file) => parseReport(textOf(file), file));
  const report = inOrder(mergeReports(reports, anyCommit));
  writeFileSync(out, `${JSON.stringify(report, null, 1)}\n`);
  if (focusPlot !== undefined) writeFocusPlot(focusPlot, report);
  printReport(report);
}

function parse() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        'focus-plot': { type: 'string' },
        'any-commit': { type: 'boolean', default: false },
      },
    });
    if (positionals.length === 0) throw new OptionError('There is no report to merge.');
    if (values.json === undefined) throw new OptionError('--json OUT.json is missing.');
    return {
      files: positionals,
      out: values.json,
      focusPlot: values['focus-plot'],
      anyCommit: values['any-commit'],
    };
  } catch (error) {
    throw new OptionError((error as Error).message, { cause: error });
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new OptionError((error as Error).message, { cause: error });
  }
}

try {
  main();
} catch (error) {
  const isUsage = error instanceof OptionError || error instanceof ReportError;
  console.error(isUsage ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = isUsage ? 2 : 1;
}
