/** Runs an evaluation unit by unit, in this thread. The same code serves the page's worker and the command line. */
import type { LoadedModel } from '../../../nn/ports.ts';
import { type Clock, yieldToEvents } from '../../../base/clock.ts';
import { type CellCounts, cellOf, keyOf } from '../report/cell.ts';
import { DataFileError, type PublicData } from '../cases/public-data.ts';
import type { GistCache } from '../memory/history-memory.ts';
import { type EvaluationReport, REPORT_VERSION, type Suite } from '../../../core/evaluation-report/report.ts';
import type { UnitRecords } from '../../../core/question-records/record.ts';
import { EVALUATION_POLICIES } from '../baselines/policies.ts';
import {
  EvaluationError,
  type EvaluationOptions,
  type EvaluationUnit,
  type UnitPorts,
} from '../plan/suite.ts';
import { SUITES, suiteNamed } from '../suites/suites.ts';
import { withChatWords } from '../../session/chat-words/chat-words.ts';
import { NoRoomError } from '../world/no-room-error.ts';

/** What one unit gave. Plain data. */
export interface UnitResult {
  readonly unit: EvaluationUnit;
  readonly cells: readonly CellCounts[];
  /** Of the questions that it asked; none unless they are to be kept. */
  readonly records: readonly UnitRecords[];
}

export interface EvaluationPorts {
  readonly model: LoadedModel;
  readonly clock: Clock;
  readonly gistCache?: GistCache;
  readonly data?: PublicData;
  readonly signal?: AbortSignal;
}

export interface EvaluationProgress {
  /** Of the whole run, 0..1, by questions and lengths. */
  readonly share: number;
  readonly unitsDone: number;
  readonly units: number;
  /** The unit under way, or that ended last. */
  readonly unit: EvaluationUnit;
  /** What the unit gave, once it is done. */
  readonly result: UnitResult | null;
}

/** All units in the order of the report. @throws {EvaluationError} */
export function planEvaluation(options: EvaluationOptions, model: LoadedModel): readonly EvaluationUnit[] {
  return options.suites.flatMap((id) => suiteNamed(id).plan(options, model));
}

/**
 * @throws {EvaluationError} for a unit whose history cannot be written, or whose data cannot be read, with the remedy.
 * @throws whatever `step` throws; nothing is left behind then.
 */
export async function runUnit(
  unit: EvaluationUnit,
  options: EvaluationOptions,
  ports: UnitPorts,
): Promise<UnitResult> {
  const records: UnitRecords[] = [];
  const keep = (kept: UnitRecords): void => void records.push(kept);
  const asked = { ...ports, model: withChatWords(ports.model, options.config) };
  const keeping = options.keepsRecords === true ? { ...asked, keep } : asked;
  try {
    return { unit, cells: await suiteNamed(unit.suite).run(unit, options, keeping), records };
  } catch (error) {
    const where = `${unit.suite}, ${unit.task} at ${unit.historyTokens} tokens`;
    if (error instanceof NoRoomError) {
      const remedy = 'Raise --lengths, or leave the task out with --tasks.';
      throw new EvaluationError(`${where}: ${error.message} ${remedy}`, { cause: error });
    }
    if (error instanceof DataFileError) {
      throw new EvaluationError(`${where}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** How often the thread takes in messages, at least. */
const YIELD_EVERY_MS = 20;
const PROGRESS_EVERY_MS = 200;

/**
 * Run units one after the other, yielding to the event loop all the while.
 *
 * @throws the signal's reason when it is aborted; what was yielded before stays good.
 */
export async function* runSuite(
  options: EvaluationOptions,
  ports: EvaluationPorts,
  units: readonly EvaluationUnit[] = planEvaluation(options, ports.model),
): AsyncGenerator<EvaluationProgress> {
  const { clock, signal } = ports;
  const total = units.reduce((sum, unit) => sum + workOf(unit), 0);
  let done = 0;
  for (const [unitsDone, unit] of units.entries()) {
    const work = workOf(unit);
    const queue = new ProgressQueue();
    let yieldedAt = clock.now();
    let reportedAt = clock.now();
    const step = async (share: number): Promise<void> => {
      signal?.throwIfAborted();
      const now = clock.now();
      if (now - reportedAt >= PROGRESS_EVERY_MS) {
        reportedAt = now;
        queue.push({
          share: (done + work * share) / total,
          unitsDone,
          units: units.length,
          unit,
          result: null,
        });
      }
      if (now - yieldedAt < YIELD_EVERY_MS) return;
      await yieldToEvents();
      yieldedAt = clock.now();
    };
    signal?.throwIfAborted();
    const { model, gistCache, data } = ports;
    const beside = { ...(gistCache && { gistCache }), ...(data && { data }) };
    const running = runUnit(unit, options, { model, clock, step, ...beside });
    yield* queue.until(running);
    done += work;
    yield { share: done / total, unitsDone: unitsDone + 1, units: units.length, unit, result: await running };
  }
}

/** The report of any set of unit results; their order does not matter. */
export function reportOf(
  results: readonly UnitResult[],
  about: Pick<EvaluationReport, 'model' | 'seed' | 'backend' | 'commit'>,
): EvaluationReport {
  const suites = new Map<string, Map<string, CellCounts>>();
  for (const { unit, cells } of results) {
    const known = suites.get(unit.suite) ?? new Map<string, CellCounts>();
    suites.set(unit.suite, known);
    for (const cell of cells) {
      const key = keyOf(cell);
      const other = known.get(key);
      const clusters = [...(other?.clusters ?? []), ...cell.clusters];
      known.set(key, { ...cell, why: { ...cell.why, ...other?.why }, clusters });
    }
  }
  return inOrder({
    version: REPORT_VERSION,
    ...about,
    suites: [...suites].map(([suite, cells]): Suite => ({
      suite,
      cells: [...cells.values()].map((cell) => cellOf(suite, cell)),
    })),
  });
}

/** The report with suites, tasks, lengths and policies in the order in which they are listed. */
export function inOrder(report: EvaluationReport): EvaluationReport {
  const suites = [...report.suites].sort((a, b) => suiteIndex(a.suite) - suiteIndex(b.suite));
  return { ...report, suites: suites.map((suite) => ({ ...suite, cells: orderedCells(suite) })) };
}

function orderedCells({ suite, cells }: Suite): Suite['cells'] {
  const tasks = SUITES[suiteIndex(suite)]?.tasks.map(({ id }) => id) ?? [];
  const policies: readonly string[] = EVALUATION_POLICIES.map(({ id }) => id);
  return [...cells].sort(
    (a, b) =>
      tasks.indexOf(a.task) - tasks.indexOf(b.task) ||
      a.historyTokens - b.historyTokens ||
      a.budgetTokens - b.budgetTokens ||
      policies.indexOf(a.policy) - policies.indexOf(b.policy) ||
      a.policy.localeCompare(b.policy),
  );
}

function suiteIndex(id: string): number {
  return SUITES.findIndex((suite) => suite.id === id);
}

/** A unit's work in arbitrary units: its history is compressed, its questions are answered. */
function workOf({ historyTokens, n }: EvaluationUnit): number {
  return historyTokens / 4096 + n;
}

/** Hands on what is reported while something runs. */
class ProgressQueue {
  private readonly waiting: EvaluationProgress[] = [];
  private wake: () => void = () => undefined;

  push(progress: EvaluationProgress): void {
    this.waiting.push(progress);
    this.wake();
  }

  async *until(running: Promise<unknown>): AsyncGenerator<EvaluationProgress> {
    const state = { isOver: false };
    const over = (): void => {
      state.isOver = true;
      this.wake();
    };
    running.then(over, over);
    for (;;) {
      const next = this.waiting.shift();
      if (next !== undefined) yield next;
      else if (state.isOver) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}
