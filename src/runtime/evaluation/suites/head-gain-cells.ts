/**
 * The tasks of suite `heads` that ask what each head is worth: how much worse the others, merged, read known tokens
 * without it, and what that makes for the slots that it takes the base.
 */
import { hashUint32, Rng } from '../../../base/rng.ts';
import type { WeightedSum } from '../../../base/statistics.ts';
import type { FigureId } from '../../../core/evaluation-report/figures.ts';
import { headCues, headSpecs } from '../../../core/heads/head-specs.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { HORIZON_TOKENS } from '../../session/decoding/delta-nll.ts';
import { type GainReading, gainsOnAnswer, gainsOverText } from '../answering/gain-readings.ts';
import { settledHeads } from '../answering/head-rows.ts';
import type { SharedHistory } from '../cases/evaluation-case.ts';
import { EvaluationError, type EvaluationOptions, type EvaluationUnit, unitKey } from '../plan/suite.ts';
import type { UnitPorts } from '../plan/suite.ts';
import type { CellCounts } from '../report/cell.ts';
import type { RecallTaskId } from '../tasks/recall-tasks.ts';
import type { rememberHistory } from '../memory/history-memory.ts';
import { K } from '../../../core/tree/ids.ts';
import { chronicleOf } from './stream-suite.ts';

export const GAIN_TASKS = {
  gain: 'What each head is worth for the 64 tokens that follow, as a chronicle, or the text of a file, comes in.',
  'gain-multi-key': 'What each head is worth for the right answer, to questions as multi-key asks them.',
  'gain-multi-query': 'What each head is worth for the right answer, to questions as multi-query asks them.',
} as const;
export type GainTaskId = keyof typeof GAIN_TASKS;

export function isGainTask(task: string): task is GainTaskId {
  return task in GAIN_TASKS;
}

/** Whose questions a task asks; null where it reads text that goes on. */
export function askedTask(task: GainTaskId): RecallTaskId | null {
  return task === 'gain' ? null : (task.slice('gain-'.length) as RecallTaskId);
}

/** Of a text that is read on, what is there before the first reading. */
const SETTLED_SHARE = 1 / 2;
/** In one text. */
const READINGS = 16;
const LEAST_TOKENS = Math.ceil((READINGS * K + HORIZON_TOKENS) / SETTLED_SHARE);

/**
 * How many readings a text of this length serves.
 *
 * @throws {EvaluationError} for a length with no room for them.
 */
export function readingsPerText(historyTokens: number): number {
  if (historyTokens >= LEAST_TOKENS) return READINGS;
  throw new EvaluationError(
    `The task gain of the suite heads takes lengths from ${LEAST_TOKENS} tokens on: raise --lengths.`,
  );
}

/** @throws {EvaluationError} where a file has fewer windows than are asked for. */
export function checkText(
  units: number,
  historyTokens: number,
  { text }: Pick<EvaluationOptions, 'text'>,
  { tokenizer }: LoadedModel,
): void {
  if (text === undefined) return;
  const { length } = tokenizer.encode(text.content);
  if (length >= units * historyTokens) return;
  throw new EvaluationError(
    `${text.file} has ${length} tokens; ${units} windows of ${historyTokens} take ${units * historyTokens}. Lower --samples (${READINGS} readings a window) or --lengths, or name a longer text.`,
  );
}

/** A chronicle, or a window of a file. */
export function textOf(
  { historyTokens, index }: EvaluationUnit,
  { seed, text }: Pick<EvaluationOptions, 'seed' | 'text'>,
  model: LoadedModel,
): SharedHistory {
  const ids =
    text === undefined
      ? chronicleOf(historyTokens, model, new Rng(hashUint32(seed, historyTokens, index)))
      : model.tokenizer.encode(text.content).slice(index * historyTokens, (index + 1) * historyTokens);
  return { ids, cases: [], streamedFrom: Math.floor((ids.length * SETTLED_SHARE) / K) * K };
}

type Key = Omit<CellCounts, 'clusters' | 'why'>;

const KNOWN_TOKENS = 'The task reads tokens that are known and decodes nothing.';
const WHY = Object.fromEntries(
  (
    ['answered', 'accuracy', 'routingRecall', 'readingGivenRouted', 'againstFull', 'f1', 'deltaNll'] as const
  ).map((id) => [id, KNOWN_TOKENS]),
);
const OF_ONE_HEAD = { ...WHY, nll: 'It is that of all heads merged, in the cell of the run.' };

/**
 * The cell of an arm and one of each head that it reads.
 *
 * @param tree - of what is there before the first reading.
 * @param oneWindow - what one window made of the same tokens; null where none was asked to.
 */
export async function gainCells(
  key: Key,
  unit: EvaluationUnit,
  config: RunConfig,
  history: SharedHistory,
  tree: Awaited<ReturnType<typeof rememberHistory>>,
  { model, clock }: UnitPorts,
  pause: () => Promise<void>,
  oneWindow: readonly GainReading[] | null,
): Promise<{ readonly cells: readonly CellCounts[]; readonly readings: readonly GainReading[] }> {
  const start = await settledHeads(model, tree, config, clock, pause);
  const readings = await readAll();
  const cluster = unitKey(unit);
  const cell = (policy: string, budgetTokens: number, n: number, figures: Figures): CellCounts => ({
    ...key,
    policy,
    budgetTokens,
    clusters: n === 0 ? [] : [{ cluster, n, figures }],
    why: policy === key.policy ? WHY : OF_ONE_HEAD,
  });
  const nll = sumOf(readings, (reading) => reading.nll);
  const run = cell(key.policy, key.budgetTokens, readings.length, {
    nll,
    ...(oneWindow !== null && {
      againstOneWindow: sumOf(readings, (reading, i) => reading.nll - oneWindow[i]!.nll),
    }),
  });
  if (config.heads === 1) return { cells: [run], readings };
  const cues = headCues(config);
  const heads = headSpecs(config).map(({ budgetTokens }, head) => {
    const own = readings.flatMap(({ heads: of }) => of.filter((one) => one.head === head));
    const gain = sumOf(own, ({ gainNats }) => gainNats);
    const slots = sumOf(own, (one) => one.slots);
    return cell(`${key.policy} · head ${head}, ${cues[head]!.cue}`, budgetTokens, own.length, {
      headGain: gain,
      headGainPerThousandSlots: [slots[1] / 1000, gain[1]],
      headSlots: slots,
    });
  });
  return { cells: [run, ...heads], readings };

  async function readAll(): Promise<readonly GainReading[]> {
    if (unit.task === 'gain') {
      const coming = history.ids.subarray(history.streamedFrom);
      const every = Math.floor((coming.length - HORIZON_TOKENS) / unit.n / K) * K;
      const all = await gainsOverText(model, start, config, clock, pause, coming, every);
      return all.slice(0, unit.n);
    }
    const answers: GainReading[] = [];
    for (const item of history.cases) {
      answers.push(await gainsOnAnswer(model, start, config, clock, item));
      await pause();
    }
    return answers;
  }
}

type Figures = Partial<Record<FigureId, WeightedSum>>;

function sumOf<T>(of: readonly T[], value: (one: T, index: number) => number): WeightedSum {
  return [of.length, of.reduce((total, one, i) => total + value(one, i), 0)];
}
