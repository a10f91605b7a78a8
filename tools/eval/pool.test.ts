import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { EvaluationOptions, EvaluationUnit } from '../../src/runtime/evaluation/plan/suite.ts';
import { runInPool } from './pool.ts';

const STUB = join(import.meta.dirname, '../../tests/fixtures/eval-worker-stub.mjs');
const open = {
  kind: 'open',
  modelId: 'none',
  backend: 'cpu',
  cacheFolder: '',
  dataFolder: null,
  options: {} as EvaluationOptions,
} as const;

const unitOf = (task: string, index: number, historyTokens = 512): EvaluationUnit => ({
  suite: 'recall',
  task,
  templates: 'seen',
  historyTokens,
  index,
  n: 1,
});

async function run(units: readonly EvaluationUnit[], jobs: number, signal = new AbortController().signal) {
  const done: string[] = [];
  const refusals = await runInPool(
    units,
    jobs,
    open,
    (_, result) => {
      if (result !== null) done.push(`${result.unit.task} ${result.unit.index}`);
    },
    signal,
    STUB,
  ).catch((error: unknown) => error as Error);
  return { done, refusals };
}

it('leaves out a task and length that is refused, once, and does all the rest', async () => {
  const units = [
    unitOf('single', 0),
    unitOf('narrow', 0),
    unitOf('narrow', 1),
    unitOf('narrow', 2),
    unitOf('narrow', 0, 256),
    unitOf('single', 1),
  ];
  const { done, refusals } = await run(units, 1);
  expect(done).toEqual(['single 0', 'single 1']);
  expect(refusals).toEqual([
    { unit: units[1], message: 'No room. Raise --lengths.' },
    { unit: units[4], message: 'No room. Raise --lengths.' },
  ]);
}, 60_000);

it('hands on what was done before a process failed', async () => {
  const { done, refusals } = await run([unitOf('single', 0), unitOf('fatal', 0), unitOf('single', 1)], 1);
  expect(done).toEqual(['single 0']);
  expect(refusals).toMatchObject({ message: 'It broke.' });
}, 60_000);

it('ends when it is interrupted', async () => {
  const interrupt = new AbortController();
  const running = run([unitOf('long', 0), unitOf('long', 1)], 2, interrupt.signal);
  interrupt.abort(new Error('Interrupted.'));
  expect((await running).refusals).toMatchObject({ message: 'Interrupted.' });
}, 60_000);
