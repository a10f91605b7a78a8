/**
 * Suite `heads`: what several heads make of questions that ask for several things, against one window of the same
 * total budget and against one that costs the base as much to read, and what each head is worth. All arms run the
 * page's own loop.
 */
import { hashUint32, Rng } from '../../../base/rng.ts';
import type { WeightedSum } from '../../../base/statistics.ts';
import type { FigureId } from '../../../core/evaluation-report/figures.ts';
import { ConfigError, type RunConfig } from '../../../core/trace/config.ts';
import { checkHeads } from '../../../core/heads/head-specs.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import { K } from '../../../core/tree/ids.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { checkLearnedHeads } from '../../session/head/learned-heads.ts';
import { GIST_SHARE } from '../answering/answering.ts';
import { LiveRun } from '../answering/live-run.ts';
import { isRouted } from '../baselines/layouts.ts';
import type { EvaluationCase, SharedHistory } from '../cases/evaluation-case.ts';
import { judgeAnswer } from '../cases/expected-answer.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import { EvaluationError, type EvaluationOptions, unitKey } from '../plan/suite.ts';
import type { EvaluationSuite, EvaluationUnit, UnitPorts } from '../plan/suite.ts';
import { addToBins, type CellCounts } from '../report/cell.ts';
import {
  questionsPerHistory,
  RECALL_TASK_IDS,
  RECALL_TASKS,
  writeRecallHistory,
} from '../tasks/recall-tasks.ts';
import type { RecallTaskId } from '../tasks/recall-tasks.ts';
import { armsOf, DEFAULT_HEAD_ARMS, HEAD_ARMS, ONE_WINDOW } from './head-arms.ts';
import {
  askedTask,
  checkText,
  GAIN_TASKS,
  gainCells,
  type GainTaskId,
  isGainTask,
  readingsPerText,
  textOf,
} from './head-gain-cells.ts';
import { writeTopics } from './topics-suite.ts';

/** Of the suite `recall`. */
const RECALL_IDS = [
  'multi-query',
  'multi-value',
  'variable-tracking',
  'count',
  'multi-key',
  'list',
  'trail',
] as const satisfies readonly RecallTaskId[];
/** What they do not ask. */
const OTHER_TASKS = {
  topics: 'A fact of topic A, after A and a longer B (the task `return` of the suite topics).',
  stream: 'As multi-key, but three quarters of the history come in block by block, focused on the way.',
  ...GAIN_TASKS,
} as const;
const TASK_IDS = [
  ...RECALL_IDS,
  'topics',
  'stream',
  ...(Object.keys(GAIN_TASKS) as readonly GainTaskId[]),
] as const;
type HeadTaskId = (typeof TASK_IDS)[number];
/** Of a stream's history, what is there before it begins. */
const SETTLED_SHARE = 1 / 4;
const TOPIC_QUESTIONS = 10;

export const headsSuite: EvaluationSuite = {
  id: 'heads',
  tasks: TASK_IDS.map((id) => ({
    id,
    sentence:
      id in OTHER_TASKS
        ? OTHER_TASKS[id as keyof typeof OTHER_TASKS]
        : RECALL_TASKS[id as RecallTaskId].sentence,
  })),
  // A base that says one sentence and stops answers nothing that asks for several, whoever focuses.
  defaultTasks: ['multi-key'],
  defaultSamples: 20,
  policies: [],
  arms: HEAD_ARMS,
  defaultArms: DEFAULT_HEAD_ARMS,
  hasForms: true,

  plan(options, model) {
    const { lengths, samples, tasks, config, templates = 'core' } = options;
    const units: EvaluationUnit[] = [];
    for (const historyTokens of lengths) {
      for (const task of TASK_IDS.filter((id) => (tasks ?? headsSuite.defaultTasks).includes(id))) {
        if (templates !== 'core' && recallTask(task) === null) {
          throw new EvaluationError(
            `The task ${task} of the suite heads is told in core forms alone: leave it or --templates out.`,
          );
        }
        const each = Math.max(1, casesPerHistory(task, historyTokens, config.recentTokens));
        const first = units.length;
        for (let index = 0, left = samples; left > 0; index++, left -= each) {
          const n = Math.min(left, each);
          const forms = templates === 'core' ? 'seen' : templates;
          units.push({ suite: 'heads', task, templates: forms, historyTokens, index, n });
        }
        if (task === 'gain') checkText(units.length - first, historyTokens, options, model);
      }
    }
    return units;
  },

  async run(unit, options, ports) {
    const { task, historyTokens, templates } = unit;
    const { config, arms: chosen = DEFAULT_HEAD_ARMS } = options;
    const { model, gistCache, step } = ports;
    const history = historyOf(unit, options, model);
    const settled = history.ids.subarray(0, history.streamedFrom ?? history.ids.length);
    const tree = await rememberHistory(model, settled, gistCache, (share) => step(share * GIST_SHARE));
    const arms = armsOf(config, model.base).filter(({ id }) => chosen.includes(id));
    const cells: CellCounts[] = [];
    let oneWindow: Parameters<typeof gainCells>[7] = null;
    for (const [at, arm] of arms.entries()) {
      const pause = (): Promise<void> => step(GIST_SHARE + ((1 - GIST_SHARE) * at) / arms.length);
      const armConfig = { ...config, ...arm.changes };
      const { budgetTokens } = armConfig;
      const { id: policy, heads } = arm;
      const key: Key = { task, policy, templates, historyTokens, budgetTokens, heads };
      const why = whyNot(model, armConfig);
      if (why !== null) {
        cells.push({ ...key, clusters: [], why: { answered: why } });
      } else if (isGainTask(task)) {
        const made = await gainCells(key, unit, armConfig, history, tree, ports, pause, oneWindow);
        cells.push(...made.cells);
        if (policy === ONE_WINDOW) oneWindow = made.readings;
      } else {
        cells.push(await cellOfArm(key, unit, armConfig, history, tree, ports, pause));
      }
    }
    return withDifferences(cells);
  },
};

/** Says of every cell how much more was answered than by one window, where that was asked the same questions. */
export function withDifferences(cells: readonly CellCounts[]): readonly CellCounts[] {
  const answeredOf = (cell: CellCounts | undefined, name: string): number | undefined =>
    cell?.clusters.find(({ cluster }) => cluster === name)?.figures.answered?.[1];
  const reference = cells.find(({ policy }) => policy === ONE_WINDOW);
  return cells.map((cell) => {
    if (cell === reference) return cell;
    const clusters = cell.clusters.map((counts) => {
      const own = answeredOf(cell, counts.cluster);
      const other = answeredOf(reference, counts.cluster);
      if (own === undefined || other === undefined) return counts;
      const answeredAgainstOneWindow: WeightedSum = [counts.n, own - other];
      return { ...counts, figures: { ...counts.figures, answeredAgainstOneWindow } };
    });
    return { ...cell, clusters };
  });
}

/** Whose histories and questions a task has; null where it has its own. */
function recallTask(task: HeadTaskId): RecallTaskId | null {
  if (task === 'topics') return null;
  if (task === 'stream') return 'multi-key';
  return isGainTask(task) ? askedTask(task) : task;
}

/** How many questions, or readings, a history of a task serves. */
function casesPerHistory(task: HeadTaskId, historyTokens: number, recentTokens: number): number {
  const id = recallTask(task);
  if (id !== null) return questionsPerHistory(id, historyTokens, recentTokens);
  return task === 'topics' ? TOPIC_QUESTIONS : readingsPerText(historyTokens);
}

/** As the suites `recall` and `topics` draw them, so that all ask the same questions of the same histories. */
function historyOf(unit: EvaluationUnit, options: EvaluationOptions, model: LoadedModel): SharedHistory {
  const { historyTokens, index, n } = unit;
  const task = unit.task as HeadTaskId;
  const { recentTokens } = options.config;
  const id = recallTask(task);
  if (id === null) {
    if (task !== 'topics') return textOf(unit, options, model);
    const rng = new Rng(hashUint32(options.seed, historyTokens, index));
    return writeTopics({ task: 'return', historyTokens, n }, recentTokens, model, rng);
  }
  const drawn = hashUint32(options.seed, RECALL_TASK_IDS.indexOf(id), historyTokens, index);
  const place = { historyTokens, recentTokens, questions: n, index };
  const history = writeRecallHistory(id, place, model, new Rng(drawn), options.templates);
  return task === 'stream'
    ? { ...history, streamedFrom: Math.floor(historyTokens * SETTLED_SHARE) }
    : history;
}

type Key = Omit<CellCounts, 'clusters' | 'why'>;
type Tree = Awaited<ReturnType<typeof rememberHistory>>;

async function cellOfArm(
  key: Key,
  unit: EvaluationUnit,
  config: RunConfig,
  { cases, ids, streamedFrom = ids.length }: SharedHistory,
  tree: Tree,
  { model, clock }: UnitPorts,
  pause: () => Promise<void>,
): Promise<CellCounts> {
  const more = ids.subarray(streamedFrom);
  const run = await LiveRun.settle(config.policy, model, tree, config, clock, pause, more);
  const read: Read[] = [];
  for (const item of cases) {
    const from = clock.now();
    const answer = await run.answer(item.asked, item.gold);
    const ms = clock.now() - from;
    const windows = answer.read.reduce((sum, { usedTokens }) => sum + usedTokens, 0);
    read.push({
      item,
      isAnswered: item.expected !== null && judgeAnswer(item.expected, answer.decoded.text).isAnswered,
      isRouted: item.gold === null ? null : isHeld(answer.read, item.gold),
      ms,
      staging: answer.events.reduce(
        ({ hits, misses }, event) =>
          event.type === 'staging'
            ? { hits: hits + event.hits, misses: misses + event.misses }
            : { hits, misses },
        { hits: 0, misses: 0 },
      ),
      baseTokens: windows + answer.decoded.tokens * answer.read.length,
      distance:
        item.gold === null ? null : answer.layout.cursor - Math.min(...item.gold.map(({ start }) => start)),
    });
  }
  return { ...key, clusters: [countsOf(read, unitKey(unit))], why: WHY };
}

interface Read {
  readonly item: EvaluationCase;
  readonly isAnswered: boolean;
  /** Every gold block is raw in one of the windows that are read. */
  readonly isRouted: boolean | null;
  readonly ms: number;
  /** Expansions of its heads into what staging holds, and those beyond it. */
  readonly staging: { readonly hits: number; readonly misses: number };
  readonly baseTokens: number;
  readonly distance: number | null;
}

const ANSWERS_ALONE = 'The suite decodes freely and reads no reference.';
const WHY: Partial<Record<FigureId, string>> = {
  accuracy: ANSWERS_ALONE,
  nll: ANSWERS_ALONE,
  deltaNll: ANSWERS_ALONE,
  againstFull: 'The suite compares windows with one another.',
  f1: 'The answers are no free text.',
  gapRecovered: ANSWERS_ALONE,
  regret: ANSWERS_ALONE,
};

/** A gold span may lie across blocks that different heads hold. */
function isHeld(layouts: readonly Layout[], gold: NonNullable<EvaluationCase['gold']>): boolean {
  return gold.every(({ start, end }) => {
    for (let token = start; token < end; token += K - (token % K)) {
      const piece = [{ start: token, end: Math.min(end, token + K - (token % K)) }];
      if (!layouts.some((layout) => isRouted(layout, piece))) return false;
    }
    return true;
  });
}

function countsOf(read: readonly Read[], cluster: string): CellCounts['clusters'][number] {
  const share = (of: readonly Read[], holds: (one: Read) => boolean): WeightedSum => [
    of.length,
    of.filter(holds).length,
  ];
  const sum = (value: (one: Read) => number): WeightedSum => [
    read.length,
    read.reduce((total, one) => total + value(one), 0),
  ];
  const hits = read.reduce((total, { staging }) => total + staging.hits, 0);
  const expansions = hits + read.reduce((total, { staging }) => total + staging.misses, 0);
  const known = read.filter(({ isRouted: routed }) => routed !== null);
  const routed = known.filter(({ isRouted: held }) => held === true);
  return {
    cluster,
    n: read.length,
    figures: {
      answered: share(read, ({ isAnswered }) => isAnswered),
      ...(known.length > 0 && {
        routingRecall: share(known, ({ isRouted: held }) => held === true),
        readingGivenRouted: share(routed, ({ isAnswered }) => isAnswered),
      }),
      ...(expansions > 0 && { stagingHitRate: [expansions, hits] as const }),
      baseTokensPerQuestion: sum(({ baseTokens }) => baseTokens),
      msPerQuestion: sum(({ ms }) => ms),
    },
    distances: read.reduce<NonNullable<CellCounts['clusters'][number]['distances']>>(
      (bins, { distance, isAnswered }) =>
        distance === null ? bins : addToBins(bins, distance, isAnswered ? 1 : 0),
      [],
    ),
  };
}

/** Why an arm cannot run with this model and these parameters; null where it can. */
function whyNot(model: LoadedModel, config: RunConfig): string | null {
  try {
    checkHeads(config);
    checkLearnedHeads(model, config);
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}
