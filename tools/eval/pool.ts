/** Spreads the units of an evaluation over child processes; results come in any order. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { UnitResult } from '../../src/runtime/evaluation/run/run-suite.ts';
import type { EvaluationOptions, EvaluationUnit } from '../../src/runtime/evaluation/plan/suite.ts';

/** What a child is told. */
export type WorkerRequest =
  | {
      readonly kind: 'open';
      readonly modelId: string;
      readonly backend: 'wasm' | 'cpu';
      readonly cacheFolder: string;
      readonly dataFolder: string | null;
      readonly options: EvaluationOptions;
    }
  | { readonly kind: 'run'; readonly unit: EvaluationUnit };

/** What it answers. */
export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'done'; readonly result: UnitResult }
  /** The unit cannot be evaluated; the process goes on. */
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

/** A task and length that cannot be evaluated: why, and the remedy. */
export interface Refusal {
  readonly unit: EvaluationUnit;
  readonly message: string;
}

const WORKER = join(import.meta.dirname, '../eval-worker.ts');

/**
 * @param units - handed out in this order.
 * @param report - called with every result, and in between with the share of all units that is done.
 * @param worker - the child's module.
 * @returns what was refused: once a task and length, whose other units are left out then.
 * @throws the first error of a child, or the signal's reason; all children are ended then.
 */
export async function runInPool(
  units: readonly EvaluationUnit[],
  jobs: number,
  open: Extract<WorkerRequest, { kind: 'open' }>,
  report: (running: ReadonlyMap<EvaluationUnit, number>, result: UnitResult | null) => void,
  signal: AbortSignal,
  worker = WORKER,
): Promise<readonly Refusal[]> {
  let waiting = [...units];
  const refusals = new Map<string, Refusal>();
  const running = new Map<EvaluationUnit, number>();
  const children = Array.from({ length: Math.min(jobs, units.length) }, () =>
    fork(worker, { execArgv: ['--import', 'tsx'] }),
  );
  try {
    await Promise.all(children.map((child) => serve(child)));
    return [...refusals.values()];
  } finally {
    for (const child of children) child.kill();
  }

  function serve(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      let unit: EvaluationUnit | undefined;
      const next = (): void => {
        unit = waiting.shift();
        if (unit === undefined) {
          resolve();
          return;
        }
        running.set(unit, 0);
        child.send({ kind: 'run', unit } satisfies WorkerRequest);
      };
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        reject(new Error(`A process of the evaluation ended (${signal ?? `exit code ${code}`}).`));
      });
      child.on('message', (reply: WorkerReply) => {
        if (reply.kind === 'ready') next();
        else if (reply.kind === 'failed') reject(new Error(reply.message));
        else if (reply.kind === 'refused') {
          const kind = kindOf(unit!);
          refusals.set(kind, { unit: unit!, message: reply.message });
          waiting = waiting.filter((other) => kindOf(other) !== kind);
          running.delete(unit!);
          next();
        } else if (reply.kind === 'progress') {
          running.set(unit!, reply.share);
          report(running, null);
        } else {
          running.delete(unit!);
          report(running, reply.result);
          next();
        }
      });
      child.send(open);
    });
  }
}

/** Units of one kind differ in the draw alone. */
function kindOf({ suite, task, templates, historyTokens }: EvaluationUnit): string {
  return [suite, task, templates, historyTokens].join('/');
}
