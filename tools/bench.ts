/**
 * `npm run bench -- [--suite core|nn|timeline] [--model ID] [--backend wasm|cpu] [--rounds N] [--json OUT]`: times as
 * ratios within one run. Prints a table; `--json` also writes it for machines.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

import { parseArgs } from 'node:util';
import { coreSuite } from './bench/core-suite.ts';
import type { BenchRow } from './bench/measure.ts';
import { nnSuite } from './bench/nn-suite.ts';
import { timelineSuite } from './bench/timeline-suite.ts';
import { openModel, root } from './open-model.ts';

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

function options() {
  try {
    return parseArgs({
      options: {
        suite: { type: 'string', default: 'all' },
        model: { type: 'string', default: 'tiny' },
        backend: { type: 'string', default: 'wasm' },
        rounds: { type: 'string', default: '10' },
        json: { type: 'string' },
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

const { suite, model: modelId, backend: wanted, rounds: roundsText, json } = options();
const rounds = Number(roundsText);
const SUITES = ['core', 'nn', 'timeline'];
if (suite !== 'all' && !SUITES.includes(suite))
  fail(`Unknown suite "${suite}". Known: ${SUITES.join(', ')}.`);
if (wanted !== 'wasm' && wanted !== 'cpu') fail(`Unknown backend "${wanted}". Under Node: wasm, cpu.`);
if (!Number.isInteger(rounds) || rounds < 1)
  fail(`--rounds takes a whole number from 1, not "${roundsText}".`);

const rows: BenchRow[] = [];
const runs = (name: string): boolean => suite === 'all' || suite === name;
if (runs('core')) rows.push(...(await coreSuite(rounds)));
// It needs a browser, which the others do not: run only when it is asked for.
if (suite === 'timeline') rows.push(...(await timelineSuite()));
let backend = 'none';
if (runs('nn')) {
  const opened = await openModel(modelId, wanted);
  const { model } = opened;
  backend = opened.backend.id;
  rows.push(...(await nnSuite(model, rounds)));
  model.dispose();
}

const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`;
console.table(
  rows.map(({ name, ours, unit, peer, peerName, ratio, ratioMin, ratioMax, n }) => ({
    name,
    ours: `${ours.toFixed(3)} ${unit}`,
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
