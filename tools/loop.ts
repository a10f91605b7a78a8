/** `npm run loop`: streams a history through the session under Node and prints what the memory did. */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { Rng } from '../src/base/rng.ts';
import { importHistory } from '../src/core/history-import/import-history.ts';
import type { ImportedHistory } from '../src/core/history-import/history-format.ts';
import type { Provenance } from '../src/core/tree/provenance.ts';
import { citationsOf, type HeadCitation, uniteCitations } from '../src/core/trace/citations.ts';
import type { TelemetryEvent, TraceHeader } from '../src/core/trace/telemetry.ts';
import { metricsTable } from '../src/core/trace/export/metrics-table.ts';
import type { Tokenizer } from '../src/nn/model-folder/tokenizer.ts';
import type { LoadedModel } from '../src/nn/ports.ts';
import { encodeHistory } from '../src/runtime/session/memory/history-intake.ts';
import type { Session } from '../src/runtime/session/session.ts';
import { acceptText, IntakeError } from '../src/runtime/session/memory/text-intake.ts';
import { openHeadlessSession } from './headless-session.ts';
import { openModel } from './open-model.ts';
import { type LoopOptions, LOOP_USAGE, OptionError, configFor, parseLoopOptions } from './loop-options.ts';
import { type HeadRow, Tally } from './loop-tally.ts';
import { writeTable } from './table-file.ts';
import { type SyntheticHistory, writeSyntheticHistory } from './synthetic-history.ts';
import { helpIfAsked } from './help.ts';

const DEFAULT_TOKENS = 20_000;
/** What the table of metrics is made of. */
const TABLED: ReadonlySet<TelemetryEvent['type']> = new Set(['refocus', 'deltaNll', 'violation', 'latency']);
const PROGRESS_EVERY_MS = 1000;

interface History extends SyntheticHistory {
  readonly name: string;
  /** Where each part of `ids` comes from, in order. */
  readonly parts: readonly { readonly tokens: number; readonly origin: Provenance }[];
}

function readHistory(options: LoopOptions, model: LoadedModel, seed: number): History {
  const { tokens, textFile } = options;
  const encode = (text: string): Uint32Array => model.tokenizer.encode(text);
  if (textFile === null) {
    const history = writeSyntheticHistory(tokens ?? DEFAULT_TOKENS, seed, encode);
    const name = 'Synthetic history';
    return { name, ...history, parts: [{ tokens: history.ids.length, origin: originOf(name) }] };
  }
  if (!existsSync(textFile)) throw new OptionError(`--text: there is no file ${textFile}.`);
  const text = readFileSync(textFile, 'utf8');
  const log = importHistory(text);
  if (log.kind !== 'history') {
    const ids = encode(acceptText(text)).subarray(0, tokens ?? Infinity);
    return {
      name: textFile,
      ids,
      questions: [],
      parts: [{ tokens: ids.length, origin: originOf(textFile) }],
    };
  }
  return readLog(textFile, log.history, model.tokenizer, tokens ?? Infinity);
}

/** A log of a chat: every message a document of its own, with its role and time. */
function readLog(
  name: string,
  { format, messages, skipped }: ImportedHistory,
  tokenizer: Tokenizer,
  maxTokens: number,
): History {
  const { ids, parts, leftOut } = encodeHistory(messages, tokenizer, {
    importId: 'import-log',
    wallClockMs: 0,
  });
  const left = [...skipped].map(([what, times]) => `${times} × ${what}`);
  if (leftOut > 0) left.push(`${leftOut} × no text`);
  process.stderr.write(
    `${name}: ${format}, ${parts.length} messages${left.length === 0 ? '' : `; left out: ${left.join(', ')}`}\n`,
  );
  const kept = ids.subarray(0, maxTokens);
  let at = 0;
  const cut = parts.flatMap(({ tokens, origin }) => {
    const taken = Math.min(tokens, kept.length - at);
    at += taken;
    return taken > 0 ? [{ tokens: taken, origin }] : [];
  });
  return { name, ids: kept, questions: [], parts: cut };
}

function originOf(name: string): Provenance {
  return { role: 'document', title: name, documentId: 'history', wallClockMs: 0 };
}

interface TraceFile {
  write(...lines: readonly (TraceHeader | TelemetryEvent)[]): void;
  close(): void;
}

/** @throws {OptionError} if the file cannot be written, before anything is run. */
function openTrace(path: string | null): TraceFile {
  if (path === null) return { write: () => undefined, close: () => undefined };
  let file: number;
  try {
    file = openSync(path, 'w');
  } catch (error) {
    throw new OptionError(`--trace: ${(error as Error).message}`, { cause: error });
  }
  return {
    write: (...lines) => {
      writeSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    },
    close: () => {
      closeSync(file);
    },
  };
}

async function main(): Promise<void> {
  helpIfAsked(LOOP_USAGE);
  const options = parseLoopOptions(process.argv.slice(2));
  const { model, backend } = await openModel(options.modelId, options.backend);
  const config = configFor(model, options);
  const history = readHistory(options, model, config.seed);
  const trace = openTrace(options.traceFile);
  const tally = new Tally();
  const told: TelemetryEvent[] = [];
  const { session, header } = openHeadlessSession({
    model,
    backend: backend.id,
    title: history.name,
    config,
    onEvents: (events) => {
      tally.accept(events);
      trace.write(...events);
      if (options.tableFile !== null) told.push(...events.filter(({ type }) => TABLED.has(type)));
    },
  });
  trace.write(header);
  session.steps.announce();

  const quarters = await stream(session, history, options, tally);
  const answers = await answer(session, options.questions, tally);
  const totals = session.totals();
  await session.close();
  model.dispose();
  trace.close();
  if (options.tableFile !== null) writeTable(options.tableFile, await metricsTable(told));
  const result = {
    tokens: history.ids.length,
    ...totals,
    backend: backend.id,
    model: model.id,
    policy: config.policy,
    budgetTokens: config.budgetTokens,
    seed: config.seed,
    questions: quarters.questions,
    rightAnswers: quarters.rightAnswers,
    stagesMs: tally.stagesMs,
    msPerTokenFirstQuarter: quarters.first,
    msPerTokenLastQuarter: quarters.last,
  };
  const heads = tally.headRows();
  if (options.json) process.stdout.write(`${JSON.stringify({ ...result, heads, answers })}\n`);
  else {
    console.table(flat(result));
    if (heads.length > 1) printHeads(heads);
    for (const asked of answers) printAnswer(asked);
  }
}

/** A question of `--ask`, its answer decoded freely, and what that was read from. */
interface Asked {
  readonly question: string;
  readonly answer: string;
  /** Those that it was begun with. */
  readonly heads: readonly number[];
  /** Of all of them together. */
  readonly citations: readonly (HeadCitation & { readonly title: string; readonly text: string })[];
  readonly ms: number;
}

async function answer(
  session: Session,
  questions: readonly string[],
  tally: Tally,
): Promise<readonly Asked[]> {
  const answers: Asked[] = [];
  for (const question of questions) {
    tally.askNext();
    const startedAt = performance.now();
    const { answer } = await session.ask(question);
    const { tree } = session.memory;
    const { model, activeConfig } = session.steps;
    const { answeringHeads: heads } = tally;
    const byHead = new Map(
      heads.map((head) => {
        const places = citationsOf(tally.settlingOf(head), tree.provenance, activeConfig.tauExpand);
        return [head, places] as const;
      }),
    );
    const citations = uniteCitations(byHead).map((citation) => {
      const { start, end } = citation;
      const { title } = tree.provenanceOf(start, end)[0]!;
      return { ...citation, title, text: model.tokenizer.decode(tree.tokens(start, end)) };
    });
    answers.push({
      question,
      answer: answer.text.trim(),
      heads,
      citations,
      ms: performance.now() - startedAt,
    });
  }
  return answers;
}

function printAnswer({ question, answer: text, heads, citations, ms }: Asked): void {
  console.log(`\n${question}\n→ ${text}\n  ${(ms / 1000).toFixed(1)} s, read from:`);
  for (const { heads: holding, number, start, end, score, step, title, text: source } of citations) {
    const by = heads.length > 1 ? `, by ${holding.join(', ')}` : '';
    console.log(`  [${number}] ${title} ${start}–${end}, score ${score.toFixed(2)}, step ${step}${by}`);
    console.log(`      ${JSON.stringify(source)}`);
  }
}

/** One row a head; figures to four places. */
function printHeads(rows: readonly HeadRow[]): void {
  const shortened = rows.map(({ head, ...figures }) => [
    String(head),
    Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [
        name,
        typeof value === 'number' ? Number(value.toFixed(4)) : value,
      ]),
    ),
  ]);
  console.table(Object.fromEntries(shortened));
}

interface Quarters {
  readonly first: number;
  readonly last: number;
  readonly questions: number;
  readonly rightAnswers: number;
}

/** Feed the history block by block, with a question now and then; the quarters' times are those of reading alone. */
async function stream(
  session: Session,
  history: History,
  options: LoopOptions,
  tally: Tally,
): Promise<Quarters> {
  const { ids } = history;
  const quarter = Math.max(1, Math.floor(ids.length / 4));
  let at = 0;
  for (const { tokens, origin } of history.parts) {
    session.steps.queue.add(ids.subarray(at, at + tokens), origin);
    at += tokens;
  }
  let done = 0;
  let firstMs = 0;
  let lastMs = 0;
  let asked = 0;
  let right = 0;
  let printedAt = 0;
  const rng = new Rng(session.steps.activeConfig.seed);
  while (done < ids.length) {
    const startedAt = performance.now();
    const before = session.steps.queue.pendingTokens;
    await session.steps.exclusive(() => session.steps.readOn(false));
    const took = before - session.steps.queue.pendingTokens;
    const ms = performance.now() - startedAt;
    if (done < quarter) firstMs += ms;
    if (done >= ids.length - quarter) lastMs += ms;
    await session.steps.measureDeltaNll();
    const dueBefore = Math.floor(done / options.askEvery);
    done += took;
    const isDue = options.askEvery > 0 && Math.floor(done / options.askEvery) > dueBefore;
    const known = history.questions.filter(({ knownAtToken }) => knownAtToken <= done);
    if (isDue && known.length > 0) {
      const { question, value } = known[rng.nextInt(known.length)]!;
      tally.askNext();
      const { answer } = await session.ask(question);
      asked++;
      if (answer.text.includes(value)) right++;
    }
    if (performance.now() - printedAt > PROGRESS_EVERY_MS) {
      printedAt = performance.now();
      printProgress(session, done, ids.length, tally);
    }
  }
  printProgress(session, done, ids.length, tally);
  if (process.stderr.isTTY) process.stderr.write('\n');
  return { first: firstMs / quarter, last: lastMs / quarter, questions: asked, rightAnswers: right };
}

/** One live line on standard error, so that standard output holds the result alone. */
function printProgress(session: Session, done: number, total: number, tally: Tally): void {
  const { refocuses, swapRate, violations } = session.totals();
  const used = (tally.lastUtilisation * 100).toFixed(0);
  const line = `${done} of ${total} tokens · ${refocuses} refocuses · swap rate ${swapRate.toFixed(3)} · ${used}% of the budget · ${violations} violations`;
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
}

/** Nested figures as one level of names, for a table. */
function flat(result: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const rows: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(result)) {
    if (typeof value !== 'object' || value === null) rows[name] = value;
    else for (const [inner, figure] of Object.entries(value)) rows[`${name}.${inner}`] = figure;
  }
  return rows;
}

try {
  await main();
} catch (error) {
  const isUsage = error instanceof OptionError || error instanceof IntakeError;
  console.error(isUsage ? `${error.message}\n\n${LOOP_USAGE}` : error);
  process.exitCode = isUsage ? 2 : 1;
}
