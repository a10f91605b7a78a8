/** A child process of `npm run eval`: loads the model once and runs the units that it is given. */
import { systemClock, yieldToEvents } from '../src/base/clock.ts';
import { runUnit } from '../src/runtime/evaluation/run/run-suite.ts';
import {
  EvaluationError,
  type EvaluationOptions,
  type EvaluationUnit,
  type UnitPorts,
} from '../src/runtime/evaluation/plan/suite.ts';
import { openData } from './eval/data-folder.ts';
import { gistCacheIn, keyCacheIn } from './eval/disk-cache.ts';
import { openModel } from './open-model.ts';
import type { WorkerReply, WorkerRequest } from './eval/pool.ts';

const PROGRESS_EVERY_MS = 500;

let options: EvaluationOptions;
let ports: UnitPorts;

function reply(message: WorkerReply): void {
  process.send!(message);
}

async function open(request: Extract<WorkerRequest, { kind: 'open' }>): Promise<void> {
  let reportedAt = 0;
  const step = async (share: number): Promise<void> => {
    const now = systemClock.now();
    if (now - reportedAt < PROGRESS_EVERY_MS) return;
    reportedAt = now;
    reply({ kind: 'progress', share });
    await yieldToEvents();
  };
  const { model } = await openModel(request.modelId, request.backend);
  options = request.options;
  const { cacheFolder, dataFolder } = request;
  ports = {
    model,
    clock: systemClock,
    gistCache: gistCacheIn(cacheFolder),
    keyCache: keyCacheIn(cacheFolder),
    step,
    ...(dataFolder !== null && { data: openData(dataFolder) }),
  };
  reply({ kind: 'ready' });
}

async function run(unit: EvaluationUnit): Promise<void> {
  reply({ kind: 'done', result: await runUnit(unit, options, ports) });
}

process.on('message', (request: WorkerRequest) => {
  const work = request.kind === 'open' ? open(request) : run(request.unit);
  work.catch((error: unknown) => {
    if (error instanceof EvaluationError) reply({ kind: 'refused', message: error.message });
    else
      reply({
        kind: 'failed',
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
  });
});
// An interrupt reaches the parent, too, which ends its children.
process.on('SIGINT', () => undefined);
// The parent is gone: nobody would take the results.
process.on('disconnect', () => process.exit(1));
