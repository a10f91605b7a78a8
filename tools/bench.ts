/**
 * `npm run bench`: times as ratios within one run, and figures with their spread. Prints a table, and what became worse against
 * the table that is committed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename } from 'node:path';

import { parseArgs } from 'node:util';
import { decodeSuite, kernelsSuite, memorySuite, prefillSuite } from './bench/base-suites.ts';
import { bundleSuite } from './bench/bundle-suite.ts';
import { coreSuite } from './bench/core-suite.ts';
import { firstTokenSuite } from './bench/first-token-suite.ts';
import { headsSuite } from './bench/heads-suite.ts';
import { historyGrowthSuite } from './bench/history-growth-suite.ts';
import { ingestSuite } from './bench/ingest-suite.ts';
import type { BenchRow } from './bench/measure.ts';
import { nnSuite } from './bench/nn-suite.ts';
import { openSuite } from './bench/open-suite.ts';
import { refocusSuite } from './bench/refocus-suite.ts';
import { ofModel, readTable, regressions, withRatios, withRows } from './bench/table.ts';
import { TARGET_SUITES, targetLines, withTargets } from './bench/targets.ts';
import { peersSuite } from './bench/peers-suite.ts';
import { roundingSuite } from './bench/rounding-suite.ts';
import { scaleSuite } from './bench/scale-suite.ts';
import { stagingSuite } from './bench/staging-suite.ts';
import { threadsSuite } from './bench/threads-suite.ts';
import { timelineSuite } from './bench/timeline-suite.ts';
import { openModel, root } from './open-model.ts';
import { helpIfAsked } from './help.ts';

/** Where the figures are committed. */
const COMMITTED = 'docs/performance.md';
const SHIPPED = 'tiny';
/** As many as the page was first measured with. */
const STORED_TOKENS = 142_000;
const SCALE_TOKENS = 10_000_000;

const USAGE = `npm run bench -- [--suite NAME,…] [--model ID] [--backend wasm|cpu] [--rounds N] [--tokens N] [--threads N]
                 [--budgets N,…] [--browser-tokens N] [--json OUT] [--markdown FILE]
  --json      writes the rows for machines as well
  --markdown  puts the rows in place of those that the file has`;

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

function options() {
  try {
    return parseArgs({
      options: {
        suite: { type: 'string', default: 'all' },
        model: { type: 'string', default: SHIPPED },
        backend: { type: 'string', default: 'wasm' },
        rounds: { type: 'string', default: '10' },
        tokens: { type: 'string', default: '0' },
        threads: { type: 'string', default: '1' },
        budgets: { type: 'string', default: '1024,2048,8192' },
        'browser-tokens': { type: 'string', default: '' },
        json: { type: 'string' },
        markdown: { type: 'string' },
      },
    }).values;
  } catch (error) {
    return fail((error as Error).message);
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

helpIfAsked(USAGE);
const {
  suite,
  model: modelId,
  backend: wanted,
  rounds: roundsText,
  tokens: tokensText,
  threads: threadsText,
  budgets: budgetsText,
  'browser-tokens': browserTokens,
  json,
  markdown,
} = options();
const rounds = Number(roundsText);
const tokens = Number(tokensText);
const threads = Number(threadsText);
const budgets = budgetsText.split(',').map(Number);
if (wanted !== 'wasm' && wanted !== 'cpu') fail(`Unknown backend "${wanted}". Under Node: wasm, cpu.`);
if (!Number.isInteger(rounds) || rounds < 1)
  fail(`--rounds takes a whole number from 1, not "${roundsText}".`);
if (!Number.isInteger(threads) || threads < 1)
  fail(`--threads takes a whole number from 1, not "${threadsText}".`);
if (!budgets.every((budget) => Number.isInteger(budget) && budget > 0))
  fail(`--budgets takes whole numbers with commas between them, not "${budgetsText}".`);
if (!Number.isInteger(tokens) || tokens < 0) fail(`--tokens takes a whole number, not "${tokensText}".`);

type OpenedModel = Awaited<ReturnType<typeof openModel>>;
const opened: OpenedModel[] = [];
/** Opened by the first suite that needs it. */
async function model(): Promise<OpenedModel['model']> {
  if (opened.length === 0) opened.push(await openModel(modelId, wanted as 'wasm' | 'cpu'));
  return opened[0]!.model;
}

const SUITES: Readonly<Record<string, () => Promise<readonly BenchRow[]>>> = {
  core: () => coreSuite(rounds),
  nn: async () => nnSuite(await model(), rounds),
  kernels: async () => kernelsSuite(await model(), rounds),
  decode: async () => decodeSuite(await model(), rounds),
  prefill: async () => prefillSuite(await model(), rounds),
  memory: async () => memorySuite(await model()),
  ingest: async () => ingestSuite(await model(), rounds, tokens),
  refocus: async () => refocusSuite(await model(), rounds, budgets),
  'first-token': async () => firstTokenSuite(await model(), rounds),
  'history-growth': async () => historyGrowthSuite(await model(), rounds),
  rounding: async () => roundingSuite(await model()),
  heads: async () => headsSuite(await model(), rounds),
  staging: async () => stagingSuite(await model(), rounds),
  bundle: () => Promise.resolve(bundleSuite(root)),
  // Whoever asks for all aims gives the tokens that are to be read; storing as many for the page would take hours.
  open: async () =>
    openSuite(
      await model(),
      isTargets ? Math.min(tokens || STORED_TOKENS, STORED_TOKENS) : tokens || STORED_TOKENS,
    ),
  timeline: () => timelineSuite(),
  scale: async () =>
    scaleSuite(
      await model(),
      rounds,
      tokens || SCALE_TOKENS,
      browserTokens === '' ? tokens || SCALE_TOKENS : Number(browserTokens),
    ),
  peers: () => peersSuite(rounds, threads),
  threads: () => threadsSuite(rounds, Math.max(threads, 2)),
};
/** They need a browser or a build, or take minutes, which the others do not: run only when they are asked for. */
const BY_NAME_ALONE = ['staging', 'bundle', 'open', 'timeline', 'peers', 'threads', 'scale'];

/** `targets` stands for every suite that gives a figure of its table. */
const isTargets = suite.split(',').includes('targets');
const wantedSuites = suite.split(',').flatMap((name) => (name === 'targets' ? TARGET_SUITES : name));
const unknown = wantedSuites.find((name) => name !== 'all' && SUITES[name] === undefined);
if (unknown !== undefined) fail(`Unknown suite "${unknown}". Known: ${Object.keys(SUITES).join(', ')}.`);
const measured: { readonly suite: string; readonly rows: readonly BenchRow[] }[] = [];
const failed: string[] = [];
const began = performance.now();
for (const [name, run] of Object.entries(SUITES)) {
  if (wantedSuites.includes(name) || (wantedSuites.includes('all') && !BY_NAME_ALONE.includes(name))) {
    const from = performance.now();
    try {
      take(name, await run(), opened.length > 0 && modelId !== SHIPPED ? opened[0]!.model.title : null);
    } catch (error) {
      // The others do not depend on it, and may have taken long.
      if (wantedSuites.length === 1) throw error;
      failed.push(`${name}: ${(error as Error).message}`);
    }
    console.error(`The suite ${name} took ${secondsSince(from)} s.`);
  }
}
const backend = opened[0]?.backend.id ?? 'none';
opened[0]?.model.dispose();
if (isTargets) await refocusOfPublished();
console.error(`All of it took ${secondsSince(began)} s.`);
const rows = measured.flatMap((each) => each.rows);

const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`;
console.table(
  rows.map(({ name, ours, oursMin, oursMax, unit, peer, peerName, ratio, ratioMin, ratioMax, n }) => ({
    name,
    ours: `${ours.toFixed(3)} (${oursMin.toFixed(3)}–${oursMax.toFixed(3)}) ${unit}`,
    theirs: peer === null ? '–' : `${peer.toFixed(3)} ${unit}`,
    peer: peerName ?? '–',
    'peer / ours':
      ratio === null ? '–' : `${ratio.toFixed(2)} (${ratioMin!.toFixed(2)}–${ratioMax!.toFixed(2)})`,
    n,
  })),
);
if (json !== undefined) {
  writeFileSync(json, `${JSON.stringify({ suite, machine, backend, commit: commit(), rows }, null, 2)}\n`);
}
const committed = readTable(lastCommitted());
const now = readTable(withRows('', measured.map(({ suite: name, rows: own }) => ({ suite: name, rows: withRatios(own) })))); // prettier-ignore
for (const sentence of regressions(committed, now)) console.log(`REGRESSION ${sentence}`);
console.log(targetLines(markdown === undefined ? now : readTable(readFileSync(markdown, 'utf8'))).join('\n'));
for (const failure of failed) console.error(`Not measured: ${failure}`);
if (failed.length > 0) process.exitCode = 1;

/** @param title - of the model, where it is not the shipped one: rows of their own in the same table. */
function take(name: string, rows: readonly BenchRow[], title: string | null): void {
  const named = title === null ? rows : ofModel(rows, title);
  measured.push({ suite: name, rows: named });
  // At once: what comes after may take long, and fail.
  if (markdown !== undefined) writeRows(markdown, [{ suite: name, rows: withRatios(named) }]);
}

/** What focus costs beside a base whose tokens take longer; one round, as a prefill of its takes a minute. */
async function refocusOfPublished(): Promise<void> {
  const file = process.env['MEGACONTEXT_SMOLLM2'];
  if (file === undefined || modelId !== SHIPPED) return;
  const from = performance.now();
  try {
    const { model: published } = await openModel(file, wanted as 'wasm' | 'cpu');
    take('refocus', await refocusSuite(published, 1, [2048, 8192]), published.title);
    published.dispose();
  } catch (error) {
    failed.push(`refocus of ${file}: ${(error as Error).message}`);
  }
  console.error(`The suite refocus of ${basename(file)} took ${secondsSince(from)} s.`);
}

function secondsSince(from: number): string {
  return ((performance.now() - from) / 1000).toFixed(0);
}

function writeRows(file: string, of: Parameters<typeof withRows>[1]): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const after = withRows(before, of);
  writeFileSync(file, withTargets(after, readTable(after)));
}

/** Empty where nothing is committed yet, or outside git. */
function lastCommitted(): string {
  try {
    const options = {
      cwd: root,
      encoding: 'utf8' as const,
      stdio: ['ignore', 'pipe', 'ignore'] as ('ignore' | 'pipe')[],
    };
    return execFileSync('git', ['show', `HEAD:${COMMITTED}`], options);
  } catch {
    return '';
  }
}
