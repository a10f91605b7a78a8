/** `npm run eval`: runs the suites headless over several processes, prints a table, writes the report. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { whyNoRetrievalHeads } from '../src/runtime/evaluation/baselines/qr-head.ts';
import { CaseFileError, parseCases } from '../src/runtime/evaluation/cases/case-file.ts';
import { reportTable } from '../src/core/evaluation-report/report-table.ts';
import { linesOf } from '../src/core/question-records/record.ts';
import { costPlotOf } from '../src/runtime/evaluation/report/cost-plot.ts';
import { inspectLogs } from '../src/runtime/evaluation/report/inspect-log.ts';
import { markdownOf } from '../src/runtime/evaluation/report/markdown-table.ts';
import { recordsHeader } from '../src/runtime/evaluation/report/records-header.ts';
import { planEvaluation, reportOf } from '../src/runtime/evaluation/run/run-suite.ts';
import { EvaluationError, type EvaluationOptions, unitKey } from '../src/runtime/evaluation/plan/suite.ts';
import { suiteNamed } from '../src/runtime/evaluation/suites/suites.ts';
import { OptionError, configWith } from './command-line.ts';
import { partsOf } from './eval/data-folder.ts';
import { openModel, root } from './open-model.ts';
import { writeFocusPlot } from './eval/focus-file.ts';
import { EVAL_USAGE, parseEvalOptions } from './eval/options.ts';
import { writeTable } from './table-file.ts';
import { PartialResults } from './eval/partial.ts';
import { type Refusal, runInPool } from './eval/pool.ts';
import { printReport } from './eval/table.ts';
import { helpIfAsked } from './help.ts';

const PROGRESS_EVERY_MS = 1000;
const DATA_FOLDER = '.eval-data';

async function main(): Promise<void> {
  helpIfAsked(EVAL_USAGE);
  const command = parseEvalOptions(process.argv.slice(2));
  const { modelId, backend, jsonFile, shard } = command;
  const { model } = await openModel(modelId, backend);
  const config = configWith(model, command.changes);
  const missing = command.policies?.includes('qr-head') === true ? whyNoRetrievalHeads(model) : null;
  if (missing !== null) throw new OptionError(`--policy qr-head: ${missing}`);
  const suites = command.suites.map(suiteNamed);
  const dataFolder = command.dataFolder ?? defaultDataFolder();
  const options: EvaluationOptions = {
    suites: command.suites,
    tasks: command.tasks,
    policies: command.policies ?? [...new Set(suites.flatMap(({ policies }) => policies))],
    ...(command.arms && { arms: command.arms }),
    templates: command.templates,
    samples: command.samples ?? suites[0]!.defaultSamples,
    seed: command.seed,
    lengths: command.lengths.map(({ value, unit }) =>
      unit === 'tokens' ? value : Math.round(value * config.budgetTokens),
    ),
    config,
    ...(command.recordsFile !== null || command.inspectFolder !== null ? { keepsRecords: true } : {}),
    ...(command.readsReference ? {} : { readsReference: false }),
    ...(dataFolder === null ? {} : { data: partsOf(dataFolder) }),
    ...(command.casesFile === null
      ? {}
      : { cases: parseCases(contentOf('--cases', command.casesFile), command.casesFile) }),
    ...(command.textFile === null
      ? {}
      : { text: { file: command.textFile, content: contentOf('--text', command.textFile) } }),
  };
  const all = planEvaluation(options, model);
  const units = all.filter((_, index) => index % shard.count === shard.index - 1);
  const about = { model: model.id, seed: command.seed, backend, commit: commit() };
  const run = JSON.stringify({ options, shard, hash: model.hash, ...about });
  const partial = new PartialResults(jsonFile && `${jsonFile}.partial.jsonl`, run, command.isResumed);
  model.dispose();

  // The longest first, so that no process is left alone with one at the end.
  const left = units
    .filter((unit) => !partial.has(unitKey(unit)))
    .sort((a, b) => b.historyTokens - a.historyTokens);
  const progress = progressLine(units.length);
  const cacheFolder = join(root, '.eval-cache');
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      interrupt.abort(new InterruptError('Interrupted.'));
    });
  let refusals: readonly Refusal[];
  try {
    refusals = await runInPool(
      left,
      command.jobs,
      { kind: 'open', modelId, backend, cacheFolder, dataFolder, options },
      (running, result) => {
        if (result !== null) partial.add(result);
        progress(partial.results.length, running.values());
      },
      interrupt.signal,
    );
  } catch (error) {
    printReport(reportOf(partial.results, about));
    const kept =
      jsonFile === null
        ? 'Their figures stand above; with --json OUT they would have been kept for --resume.'
        : `They are kept in ${jsonFile}.partial.jsonl: the same command with --resume goes on.`;
    console.error(`\n${partial.results.length} of ${units.length} histories are done. ${kept}`);
    throw error;
  }
  const report = reportOf(partial.results, about);
  if (jsonFile !== null) write(jsonFile, `${JSON.stringify(report, null, 1)}\n`);
  if (command.tableFile !== null) writeTable(command.tableFile, reportTable(report));
  if (command.markdownFile !== null) write(command.markdownFile, markdownOf(report));
  if (command.plotFile !== null) {
    const svg = costPlotOf(report);
    if (svg === null) console.error('--plot: no cell has both answers and a cost, so nothing was drawn.');
    else write(command.plotFile, svg);
  }
  if (command.focusPlotFile !== null) writeFocusPlot(command.focusPlotFile, report);
  const created = new Date().toISOString();
  const records = partial.results.flatMap((result) => result.records);
  if (command.recordsFile !== null) {
    const { backend, seed, commit } = about;
    const run = {
      backend,
      seed,
      commit,
      modelId: model.id,
      modelHash: model.hash,
      config,
      createdAt: created,
    };
    write(command.recordsFile, recordsHeader(run));
    for (const unit of records) appendFileSync(command.recordsFile, linesOf(unit));
  }
  if (command.inspectFolder !== null) {
    const questions = records.flatMap((unit) => unit.questions);
    for (const { fileName, log } of inspectLogs(questions, { model: model.id, created })) {
      write(join(command.inspectFolder, fileName), JSON.stringify(log, null, 1));
    }
  }
  partial.remove();
  printReport(report);
  for (const { message } of refusals) console.error(`\nLeft out: ${message}`);
  if (refusals.length > 0) process.exitCode = 2;
}

/** The user has had enough. */
class InterruptError extends Error {
  override readonly name = 'InterruptError';
}

/** Whatever folder it names is made. */
function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Where `npm run eval:data` puts what it fetches. */
function defaultDataFolder(): string | null {
  const folder = join(root, DATA_FOLDER);
  return existsSync(folder) ? folder : null;
}

/** @throws {OptionError} if the file cannot be read. */
function contentOf(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new OptionError(`${flag}: ${(error as Error).message}`, { cause: error });
  }
}

/** A line on standard error now and then, so that standard output holds the table alone. */
function progressLine(units: number): (done: number, running: Iterable<number>) => void {
  const startedAt = performance.now();
  let printedAt = 0;
  return (done, running) => {
    const now = performance.now();
    if (now - printedAt < PROGRESS_EVERY_MS && done < units) return;
    printedAt = now;
    let share = done;
    for (const part of running) share += part;
    const seconds = ((now - startedAt) / 1000).toFixed(0);
    const line = `${done} of ${units} histories · ${((100 * share) / units).toFixed(0)}% · ${seconds} s`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}${done === units ? '\n' : ''}` : `${line}\n`);
  };
}

function commit(): string | null {
  if (!existsSync(join(root, '.git'))) return null;
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

main().catch((error: unknown) => {
  if (error instanceof InterruptError) {
    process.exitCode = 130;
    return;
  }
  const isUsage = [OptionError, EvaluationError, CaseFileError].some((kind) => error instanceof kind);
  console.error(isUsage ? `${(error as Error).message}\n\n${EVAL_USAGE}` : error);
  process.exitCode = isUsage ? 2 : 1;
});
