/**
 * Suite `heads`: what several heads make of questions that ask for several things, against one window of the same
 * total budget and against one that costs the base as much to read. All arms run the page's own loop.
 */
import { hashUint32, Rng } from '../../../base/rng.ts';
import type { WeightedSum } from '../../../base/statistics.ts';
import type { FigureId } from '../../../core/evaluation-report/figures.ts';
import { ConfigError, DEFAULT_RUN_CONFIG, type RunConfig } from '../../../core/trace/config.ts';
import { checkHeads } from '../../../core/heads/head-specs.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import { K } from '../../../core/tree/ids.ts';
import type { LanguageModel, LoadedModel } from '../../../nn/ports.ts';
import { checkLearnedHeads } from '../../session/head/learned-heads.ts';
import { GIST_SHARE } from '../answering/answering.ts';
import { LiveRun } from '../answering/live-run.ts';
import { isRouted } from '../baselines/layouts.ts';
import type { EvaluationCase, SharedHistory } from '../cases/evaluation-case.ts';
import { judgeAnswer } from '../cases/expected-answer.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import { type EvaluationSuite, type EvaluationUnit, unitKey, type UnitPorts } from '../plan/suite.ts';
import { addToBins, type CellCounts } from '../report/cell.ts';
import {
  questionsPerHistory,
  RECALL_TASK_IDS,
  RECALL_TASKS,
  writeRecallHistory,
} from '../tasks/recall-tasks.ts';
import type { RecallTaskId } from '../tasks/recall-tasks.ts';
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
} as const;
const TASK_IDS = [...RECALL_IDS, 'topics', 'stream'] as const;
type HeadTaskId = (typeof TASK_IDS)[number];
/** Of a stream's history, what is there before it begins. */
const SETTLED_SHARE = 1 / 4;
const TOPIC_QUESTIONS = 10;
/** How many heads are compared with one. */
const HEAD_COUNTS = [2, 4, 8] as const;
/** Where cues, mergers, router and staging are varied. */
const VARIED = 4;
/** Of staging, in budgets. */
const STAGING_BUDGETS = 4;
/** Sentences that one window scores each for itself where its question is asked part by part. */
const PARTS = 8;

/** What says how many operations a base takes. */
type ComputeShape = Pick<
  LanguageModel,
  'parameters' | 'vocabularySize' | 'hiddenSize' | 'layers' | 'attention'
>;

/** One way to read: what it changes of the run's parameters. */
interface Arm {
  readonly id: string;
  readonly heads: number;
  readonly changes: Partial<RunConfig>;
}

/** The arms of a run. @param base - for what equal compute is. */
function armsOf(config: RunConfig, base: ComputeShape): readonly Arm[] {
  const one = { heads: 1, stagingBudgetTokens: 0 } as const;
  const stagingBudgetTokens = STAGING_BUDGETS * config.budgetTokens;
  const several = HEAD_COUNTS.flatMap((heads): Arm[] => {
    const own = { heads, headTopK: 0, stagingBudgetTokens: 0 };
    const budgetTokens = budgetOfEqualCompute(config.budgetTokens, heads, base);
    return [
      { id: `${heads} heads`, heads, changes: own },
      { id: `${heads} heads, equal compute`, heads, changes: { ...own, budgetTokens } },
    ];
  });
  const own = { heads: VARIED, headTopK: 0, stagingBudgetTokens: 0 };
  const varied: Arm[] = [
    { id: `${VARIED} heads, a part each`, heads: VARIED, changes: { ...own, headCues: 'part' } },
    {
      id: `${VARIED} heads, diversity alone`,
      heads: VARIED,
      changes: { ...own, headCues: 'plain', diversityGain: 0.6 },
    },
    { id: `${VARIED} heads, merged by mean`, heads: VARIED, changes: { ...own, merger: 'mean' } },
    { id: `${VARIED} heads, the best one`, heads: VARIED, changes: { ...own, merger: 'best-head' } },
    {
      id: `${VARIED} heads, half routed`,
      heads: VARIED,
      changes: { ...own, router: 'utility-gated', headTopK: VARIED / 2 },
    },
    { id: `${VARIED} heads, staged`, heads: VARIED, changes: { ...own, stagingBudgetTokens } },
    {
      id: `${VARIED} heads, staged by LensNet-G`,
      heads: VARIED,
      changes: { ...own, stagingBudgetTokens, stagingLens: 'lensnet-g' },
    },
    { id: `${VARIED} heads, adapted`, heads: VARIED, changes: { ...own, headCues: 'learned' } },
    {
      id: `${VARIED} heads, half routed as learned`,
      heads: VARIED,
      changes: { ...own, router: 'learned', headTopK: VARIED / 2 },
    },
    { id: `${VARIED} heads, merged as learned`, heads: VARIED, changes: { ...own, merger: 'learned' } },
  ];
  return [
    { id: 'one window', heads: 1, changes: { ...one, questionParts: 0 } },
    { id: 'one window, by parts', heads: 1, changes: { ...one, questionParts: PARTS } },
    { id: 'one window, staged', heads: 1, changes: { ...one, questionParts: PARTS, stagingBudgetTokens } },
    {
      id: 'one window, staged by LensNet-G',
      heads: 1,
      changes: { ...one, questionParts: PARTS, stagingBudgetTokens, stagingLens: 'lensnet-g' },
    },
    ...several,
    ...varied,
  ];
}

/**
 * The total budget with which reading several windows takes the base as many operations as one of `budgetTokens`:
 * 2 · weights a slot, and for attention 2 · layers · width · slots² a window. What a decoded token costs comes on top.
 */
export function budgetOfEqualCompute(
  budgetTokens: number,
  heads: number,
  { parameters, vocabularySize, hiddenSize, layers, attention }: ComputeShape,
): number {
  const perSlot = 2 * (parameters - vocabularySize * hiddenSize);
  const perPair = 2 * layers * attention.heads * attention.headDim;
  const each = (perSlot * budgetTokens + perPair * budgetTokens ** 2) / heads;
  const slots = (Math.sqrt(perSlot ** 2 + 4 * perPair * each) - perSlot) / (2 * perPair);
  return Math.floor((slots * heads) / (K * heads)) * K * heads;
}

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

  plan({ lengths, samples, tasks, config }) {
    const units: EvaluationUnit[] = [];
    for (const historyTokens of lengths) {
      for (const task of TASK_IDS.filter((id) => (tasks ?? headsSuite.defaultTasks).includes(id))) {
        const each = Math.max(1, questionsOf(task, historyTokens, config.recentTokens));
        for (let index = 0, left = samples; left > 0; index++, left -= each) {
          const n = Math.min(left, each);
          units.push({ suite: 'heads', task, templates: 'seen', historyTokens, index, n });
        }
      }
    }
    return units;
  },

  async run(unit, { config, seed, arms: chosen }, ports) {
    const { task, historyTokens } = unit;
    const { model, gistCache, step } = ports;
    const history = historyOf(unit, config.recentTokens, seed, model);
    const settled = history.ids.subarray(0, history.streamedFrom ?? history.ids.length);
    const tree = await rememberHistory(model, settled, gistCache, (share) => step(share * GIST_SHARE));
    const arms = armsOf(config, model.base).filter(({ id }) => chosen?.includes(id) ?? true);
    const cells: CellCounts[] = [];
    for (const [at, arm] of arms.entries()) {
      const share = GIST_SHARE + ((1 - GIST_SHARE) * at) / arms.length;
      const armConfig = { ...config, ...arm.changes };
      const { budgetTokens } = armConfig;
      const key = {
        task,
        policy: arm.id,
        templates: 'seen',
        historyTokens,
        budgetTokens,
        heads: arm.heads,
      } as const;
      const why = whyNot(model, armConfig);
      if (why !== null) cells.push({ ...key, clusters: [], why: { answered: why } });
      else cells.push(await cellOfArm(key, unit, armConfig, history, tree, ports, () => step(share)));
    }
    return cells;
  },
};

/** Names of all arms: the same whatever the parameters. */
export const HEAD_ARMS: readonly string[] = armsOf(DEFAULT_RUN_CONFIG, {
  parameters: 2,
  vocabularySize: 1,
  hiddenSize: 1,
  layers: 1,
  attention: { heads: 1, kvHeads: 1, headDim: 1 },
}).map(({ id }) => id);

/** How many questions a history of a task serves. */
function questionsOf(task: HeadTaskId, historyTokens: number, recentTokens: number): number {
  if (task === 'topics') return TOPIC_QUESTIONS;
  return questionsPerHistory(task === 'stream' ? 'multi-key' : task, historyTokens, recentTokens);
}

/** As the suites `recall` and `topics` draw them, so that all ask the same questions of the same histories. */
function historyOf(
  { task, historyTokens, index, n }: EvaluationUnit,
  recentTokens: number,
  seed: number,
  model: LoadedModel,
): SharedHistory {
  if (task === 'topics') {
    const rng = new Rng(hashUint32(seed, historyTokens, index));
    return writeTopics({ task: 'return', historyTokens, n }, recentTokens, model, rng);
  }
  const id = task === 'stream' ? 'multi-key' : (task as RecallTaskId);
  const drawn = hashUint32(seed, RECALL_TASK_IDS.indexOf(id), historyTokens, index);
  const place = { historyTokens, recentTokens, questions: n, index };
  const history = writeRecallHistory(id, place, model, new Rng(drawn));
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
