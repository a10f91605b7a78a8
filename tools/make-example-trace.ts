/**
 * `npm run example-trace`: records the trace that the page plays while its model loads, from the headless session
 * over the shipped example with some of its questions asked and what the answers attended to recorded. Writes
 * `public/examples/harbour-chronicle.trace.jsonl.gz`. With `-- heads`: four heads that are asked four questions at once,
 * into `public/examples/four-heads.trace.jsonl.gz`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunConfig } from '../src/core/trace/config.ts';
import type { TelemetryEvent, TraceHeader } from '../src/core/trace/telemetry.ts';
import { defaultsOf } from '../src/runtime/engine/engine.ts';
import { compressTrace, writeTraceChunks } from '../src/storage/trace/trace-codec.ts';
import { openHeadlessSession } from './headless-session.ts';
import { openModel, root } from './open-model.ts';
import { helpIfAsked } from './help.ts';

helpIfAsked('npm run example-trace -- [heads]\n  heads  the run with four heads instead of the one with one');

const EXAMPLE = join(root, 'public/examples/harbour-chronicle');
const HEADS_EXAMPLE = join(root, 'public/examples/four-heads');
/** Of the example's questions: four whose answers differ in kind, chosen among several because this set-up answers them. */
const HEADS_ASKED = [1, 2, 3, 7];
/** The part of the example in which their facts stand, in tokens. */
const HEADS_FROM = 4_600;
const HEADS_TOKENS = 10_240;
/**
 * Two of four heads are read at a time, and what they open comes from a staging context. Windows of a quarter have no
 * room for neighbours.
 */
const HEADS_CONFIG = {
  heads: HEADS_ASKED.length,
  headCues: 'part',
  router: 'utility-gated',
  headTopK: 2,
  stagingBudgetTokens: 4096,
  deltaNllEverySteps: 16,
  openNeighbours: 0,
} as const satisfies Partial<RunConfig>;
/** How far the recording goes into the example: enough for LOD2 gists to appear, small enough to arrive at once. */
const RECORDED_TOKENS = 12_288;
const ASK_EVERY_TOKENS = 3_072;
/** Thousandths are enough to draw and to read; the digits behind them are most of the file. */
const SCORE_STEPS = 1000;
const LARGEST_BYTES = 400 * 1024;

interface Question {
  readonly question: string;
  readonly answer: string;
  readonly factEndToken: number;
}

async function record(): Promise<void> {
  const text = readFileSync(`${EXAMPLE}.txt`, 'utf8');
  const card = JSON.parse(readFileSync(`${EXAMPLE}.json`, 'utf8')) as {
    readonly title: string;
    readonly questions: readonly Question[];
  };
  const { model, backend } = await openModel('tiny', 'wasm');
  const events: TelemetryEvent[] = [];
  const { session, header } = openHeadlessSession({
    model,
    backend: backend.id,
    title: card.title,
    config: { ...defaultsOf(model), recordAttention: 'mean' },
    onEvents: (batch) => events.push(...batch.map(shortened)),
  });
  session.steps.announce();
  const ids = model.tokenizer.encode(text).subarray(0, RECORDED_TOKENS);
  const asked = new Set<string>();
  for (let from = 0; from < ids.length; from += ASK_EVERY_TOKENS) {
    const origin = { role: 'document' as const, title: card.title, documentId: 'example', wallClockMs: 0 };
    session.steps.queue.add(ids.subarray(from, from + ASK_EVERY_TOKENS), origin);
    while (session.steps.queue.pendingTokens > 0) await session.step();
    const known = card.questions.filter(({ factEndToken }) => factEndToken < from + ASK_EVERY_TOKENS);
    const next = known.find(({ question }) => !asked.has(question));
    if (next === undefined) continue;
    asked.add(next.question);
    const { answer } = await session.ask(next.question);
    console.log(`${next.question} ${answer.text}`);
  }
  const totals = session.totals();
  await session.close();
  model.dispose();
  await ship(EXAMPLE, header, events);
  console.log(`${totals.refocuses} refocuses, ${totals.violations} violations`);
}

/**
 * Each of four heads takes one of the example's questions, asked in one breath.
 *
 * @throws {Error} where an answer is not the one that the example's card has.
 */
async function recordHeads(): Promise<void> {
  const { model, backend } = await openModel('tiny', 'wasm');
  const events: TelemetryEvent[] = [];
  const title = 'Four questions at once';
  const { questions } = JSON.parse(readFileSync(`${EXAMPLE}.json`, 'utf8')) as {
    readonly questions: readonly Question[];
  };
  const asked = HEADS_ASKED.map((at) => questions[at]!);
  const { session, header } = openHeadlessSession({
    model,
    backend: backend.id,
    title,
    config: { ...defaultsOf(model), ...HEADS_CONFIG },
    onEvents: (batch) => events.push(...batch.map(shortened)),
  });
  session.steps.announce();
  const text = readFileSync(`${EXAMPLE}.txt`, 'utf8');
  const ids = model.tokenizer.encode(text).subarray(HEADS_FROM, HEADS_FROM + HEADS_TOKENS);
  const origin = { role: 'document' as const, title, documentId: 'example', wallClockMs: 0 };
  session.steps.queue.add(ids, origin);
  while (session.steps.queue.pendingTokens > 0) {
    await session.step();
    await session.steps.measureDeltaNll();
  }
  const { answer } = await session.ask(asked.map(({ question }) => question).join(' '));
  console.log(answer.text);
  const wrong = asked.filter((question) => !answer.text.includes(question.answer));
  if (wrong.length > 0) {
    throw new Error(`Not answered right: ${wrong.map(({ question }) => question).join(' ')}`);
  }
  await session.close();
  model.dispose();
  await ship(HEADS_EXAMPLE, header, events);
}

async function ship(name: string, header: TraceHeader, events: readonly TelemetryEvent[]): Promise<void> {
  const bytes = await compressTrace(writeTraceChunks(header, events));
  if (bytes.length > LARGEST_BYTES) {
    throw new Error(`The trace has ${bytes.length} bytes; at most ${LARGEST_BYTES} are shipped.`);
  }
  writeFileSync(`${name}.trace.jsonl.gz`, bytes);
  console.log(`${events.length} events, ${bytes.length} bytes`);
}

function shortened(event: TelemetryEvent): TelemetryEvent {
  if (event.type === 'latency') return { ...event, timeMs: Math.round(event.timeMs), ms: rounded(event.ms) };
  if (event.type !== 'refocus') return { ...event, timeMs: Math.round(event.timeMs) };
  return { ...event, timeMs: Math.round(event.timeMs), scores: event.scores.map(rounded) };
}

function rounded(value: number): number {
  return Math.round(value * SCORE_STEPS) / SCORE_STEPS;
}

await (process.argv[2] === 'heads' ? recordHeads() : record());
