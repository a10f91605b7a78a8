/**
 * `npm run loop -- [--text FILE] [--tokens N] [--policy P] [--set key=value …] [--model ID] [--backend wasm|cpu]
 * [--seed S] [--trace OUT.jsonl] [--json]`: streams a history through the same engine as the page, prints a live
 * summary, then totals. `--json` prints one object on standard output instead.
 */
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { INITIAL_ALLOCATOR_STATE } from '../src/core/allocator.ts';
import { DEFAULT_RUN_CONFIG, applyConfigChanges } from '../src/core/config.ts';
import type { RunConfig } from '../src/core/config.ts';
import { TRACE_FORMAT, TRACE_VERSION } from '../src/core/telemetry.ts';
import type { Stage, TelemetryEvent } from '../src/core/telemetry.ts';
import { GistTree } from '../src/core/tree.ts';
import type { Lod } from '../src/core/ids.ts';
import { emptyLayout } from '../src/core/working-context.ts';
import { createFileSource } from '../src/nn/file-source.ts';
import { loadModel, selectBackend } from '../src/nn/index.ts';
import { nodeWasmPaths } from '../src/nn/wasm-paths-node.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { Engine } from '../src/runtime/engine.ts';
import { acceptText } from '../src/runtime/text-intake.ts';
import type { SessionId } from '../src/storage/ports.ts';
import { syntheticHistory } from './synthetic-history.ts';

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        text: { type: 'string' },
        tokens: { type: 'string' },
        policy: { type: 'string' },
        set: { type: 'string', multiple: true, default: [] },
        model: { type: 'string', default: 'tiny' },
        backend: { type: 'string', default: 'wasm' },
        seed: { type: 'string', default: '1' },
        trace: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return fail((error as Error).message);
  }
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  return Number.isInteger(value) && value >= 0
    ? value
    : fail(`--${name} takes a whole number, not "${text}".`);
}

/** `key=value` pairs as configuration changes: numbers where they are numbers. */
function changesOf(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) fail(`--set takes key=value, not "${pair}".`);
      const value = pair.slice(at + 1);
      return [pair.slice(0, at), value !== '' && Number.isFinite(Number(value)) ? Number(value) : value];
    }),
  );
}

/** Sums what the totals need and writes the trace as it comes. */
class RunMeter {
  readonly stagesMs: Record<Stage, number> = {
    ingest: 0,
    gist: 0,
    score: 0,
    allocate: 0,
    decode: 0,
    telemetry: 0,
  };
  cursor = 0;
  usedTokens = 0;
  readonly marks: { readonly cursor: number; readonly ms: number }[] = [{ cursor: 0, ms: 0 }];

  take(event: TelemetryEvent): void {
    if (event.type === 'latency') this.stagesMs[event.stage] += event.ms;
    if (event.type !== 'refocus') return;
    this.cursor = event.cursor;
    this.usedTokens = event.usedTokens;
    this.marks.push({ cursor: event.cursor, ms: event.timeMs });
  }

  /** Milliseconds per token over the marks from one share of the run to another. */
  msPerToken(fromShare: number, toShare: number): number | null {
    const from = this.markAt(fromShare);
    const to = this.markAt(toShare);
    return to.cursor > from.cursor ? (to.ms - from.ms) / (to.cursor - from.cursor) : null;
  }

  private markAt(share: number) {
    return this.marks.find(({ cursor }) => cursor >= share * this.cursor) ?? this.marks.at(-1)!;
  }
}

const options = readOptions();
const seed = wholeNumber('seed', options.seed);
if (options.backend !== 'wasm' && options.backend !== 'cpu') {
  fail(`Unknown backend "${options.backend}". Under Node: wasm, cpu.`);
}
const say = (line: string): void => {
  if (!options.json) console.log(line);
};

const backend = await selectBackend(options.backend, { wasmPaths: nodeWasmPaths() });
const model = await loadModel(createFileSource(join(import.meta.dirname, '../models', options.model))).catch(
  (error: unknown) => fail(`The model "${options.model}" cannot be loaded: ${(error as Error).message}`),
);
let config: RunConfig;
try {
  config = applyConfigChanges(
    { ...DEFAULT_RUN_CONFIG, ...model.manifest.defaults },
    { seed, ...(options.policy === undefined ? {} : { policy: options.policy }), ...changesOf(options.set) },
  );
} catch (error) {
  fail((error as Error).message);
}

const encode = (text: string): Uint32Array => model.tokenizer.encode(text);
const wanted = options.tokens === undefined ? null : wholeNumber('tokens', options.tokens);
const history =
  options.text === undefined
    ? syntheticHistory(wanted ?? 20_000, seed, encode)
    : encode(acceptText(readFileSync(options.text, 'utf8'))).subarray(0, wanted ?? undefined);

const trace = options.trace === undefined ? null : createWriteStream(options.trace);
trace?.write(
  `${JSON.stringify({
    format: TRACE_FORMAT,
    version: TRACE_VERSION,
    createdAt: new Date(systemClock.wallClockMs()).toISOString(),
    modelId: model.id,
    modelHash: model.hash,
    backend: backend.id,
    seed,
    config,
  })}\n`,
);

const meter = new RunMeter();
const failures: string[] = [];
const engine = new Engine({
  model,
  backend: backend.id,
  handle: null,
  record: {
    id: 'loop' as SessionId,
    title: options.text ?? 'Synthetic history',
    createdAt: systemClock.wallClockMs(),
    updatedAt: systemClock.wallClockMs(),
    modelId: model.id,
    modelHash: model.hash,
    tokenCount: 0,
    stepCount: 0,
    config,
  },
  memory: {
    tree: new GistTree({
      hiddenSize: model.base.hiddenSize,
      maxLod: model.manifest.maxLod as Lod,
      gistVersion: model.gistNet.version,
    }),
    layout: emptyLayout(),
    allocator: INITIAL_ALLOCATOR_STATE,
  },
  clock: systemClock,
  notify: (notice) => {
    if (notice.kind === 'problem') failures.push(notice.error.message);
    if (notice.kind !== 'telemetry') return;
    for (const event of notice.events) {
      meter.take(event);
      trace?.write(`${JSON.stringify(event)}\n`);
      if (event.type === 'refocus' && event.step % 100 === 0) {
        const used = Math.round(event.utilisation * 100);
        say(
          `${event.cursor.toLocaleString('en')} tokens · step ${event.step} · ${event.entryCount} entries · ${used}% of budget`,
        );
      }
    }
  },
});
engine.announce();
engine.queue.add(history, {
  role: 'document',
  title: options.text ?? 'Synthetic history',
  documentId: 'history',
  wallClockMs: systemClock.wallClockMs(),
});
engine.run(0);
await engine.settled();
const totals = engine.totals();
await engine.close();
model.dispose();
if (trace !== null) {
  trace.end();
  await once(trace, 'finish');
}
if (failures.length > 0) {
  console.error(failures.join('\n'));
  process.exit(1);
}

const summary = {
  tokens: meter.cursor,
  ...totals,
  backend: backend.id,
  model: model.id,
  seed,
  policy: config.policy,
  budgetTokens: config.budgetTokens,
  stagesMs: meter.stagesMs,
  msPerTokenFirstQuarter: meter.msPerToken(0, 0.25),
  msPerTokenLastQuarter: meter.msPerToken(0.75, 1),
};
if (options.json) console.log(JSON.stringify(summary));
else for (const [name, value] of Object.entries(summary)) say(`${name.padEnd(24)}${JSON.stringify(value)}`);
