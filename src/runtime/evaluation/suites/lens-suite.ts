/**
 * Suite `lens`: does LensNet know what is worth looking at? Small contexts, in which every move can be measured:
 * calibration of its scores, regret against a greedy oracle, coherence, and all baselines beside it.
 */
import type { RunConfig } from '../../../core/trace/config.ts';
import { positionSchemeOf } from '../../../core/context/position-scheme.ts';
import { hashUint32, Rng } from '../../../base/rng.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { AnswerReader, prepareContext } from '../answering/answer-reader.ts';
import { answerAll, GIST_SHARE, whyUnavailable } from '../answering/answering.ts';
import type { CellCounts } from '../report/cell.ts';
import type { EvaluationCase, SharedHistory } from '../cases/evaluation-case.ts';
import { rememberHistory, withQuestion } from '../memory/history-memory.ts';
import {
  type Calibration,
  calibrate,
  rankCorrelation,
  RANKING_IDS,
  type RankingId,
  worthAgreement,
  worthwhileMoves,
} from './lens-calibration.ts';
import { DEFAULT_POLICIES, EVALUATION_POLICIES, type EvaluationPolicyId } from '../baselines/policies.ts';
import type { FigureId } from '../../../core/evaluation-report/figures.ts';
import { cellOfAnswers, cellWithout } from '../answering/answer-counts.ts';
import {
  questionsPerHistory,
  RECALL_TASK_IDS,
  RECALL_TASKS,
  writeRecallHistory,
} from '../tasks/recall-tasks.ts';
import type { RecallTaskId } from '../tasks/recall-tasks.ts';
import { RULER_TASKS } from '../tasks/public/ruler.ts';
import { assertData } from './needed-data.ts';
import type { WeightedSum } from '../../../base/statistics.ts';
import {
  EvaluationError,
  type EvaluationOptions,
  type EvaluationSuite,
  type EvaluationUnit,
  unitKey,
  type UnitPorts,
} from '../plan/suite.ts';

/** A larger context takes too many measurements, each of which runs all slots behind a move again. */
const LARGEST_BUDGET = 320;
/** More than 1,024 tokens before the recent window, so that a gist of gists has its part too. */
const HISTORY_TOKENS = 1280;
/** Of the budget: recent tokens stand behind every move, and all moves run them again. */
const RECENT_SHARE = 1 / 5;
/** Few, so that the intervals rest on many histories. */
const QUESTIONS_PER_HISTORY = 4;
/** The ends of the regret and of the gap. */
const REFERENCES: readonly EvaluationPolicyId[] = ['full', 'newest-blocks', 'random-blocks', 'answer-oracle'];
const CALIBRATION_SHARE = 0.3;

/** Where nothing answers, no move has a worth. */
const LENS_TASK_IDS = RECALL_TASK_IDS.filter(
  (id) => id !== 'unanswerable' && RECALL_TASKS[id].needsProse !== true,
);

/** In prose and for any base: the world of the recall tasks is the shipped base's own. */
const NEEDLES = 'needles';
const NEEDLE_TASK = RULER_TASKS.find(({ id }) => id === 'niah-multikey-1')!;

export const lensSuite: EvaluationSuite = {
  id: 'lens',
  tasks: [
    ...LENS_TASK_IDS.map((id) => ({ id, sentence: RECALL_TASKS[id].sentence })),
    { id: NEEDLES, sentence: 'Four needles in prose, one asked for.', needsData: true },
  ],
  defaultTasks: ['multi-key', 'paraphrase'],
  defaultSamples: 100,
  policies: DEFAULT_POLICIES,

  plan(options) {
    const config = smallConfig(options);
    const historyTokens = HISTORY_TOKENS;
    const asked = options.tasks ?? lensSuite.defaultTasks;
    const needles: EvaluationUnit[] = [];
    if (asked.includes(NEEDLES)) {
      assertData('lens', NEEDLES, NEEDLE_TASK.needs, options);
      for (let index = 0; index < options.samples; index++) {
        needles.push({ suite: 'lens', task: NEEDLES, templates: null, historyTokens, index, n: 1 });
      }
    }
    const tasks = LENS_TASK_IDS.filter((id) => asked.includes(id));
    const recalls = tasks.flatMap((task) => {
      const fitting = questionsPerHistory(task, historyTokens, config.recentTokens);
      if (fitting === 0) {
        throw new EvaluationError(
          `lens, ${task} at ${historyTokens} tokens: there is no room. Raise --lengths, or leave the task out with --tasks.`,
        );
      }
      const each = Math.min(QUESTIONS_PER_HISTORY, fitting);
      const units: EvaluationUnit[] = [];
      for (let index = 0, left = options.samples; left > 0; index++, left -= each) {
        units.push({ suite: 'lens', task, templates: 'seen', historyTokens, index, n: Math.min(left, each) });
      }
      return units;
    });
    return [...recalls, ...needles];
  },

  async run(unit, options, ports) {
    const { task, templates, historyTokens } = unit;
    const config = smallConfig(options);
    const { budgetTokens } = config;
    const seed = seedOf(unit, options);
    const history = historyOf(unit, config, ports, new Rng(seed));
    const { model, gistCache, step } = ports;
    const tree = await rememberHistory(model, history.ids, gistCache, (share) => step(share * GIST_SHARE));
    const calibrations = await calibrateAll(history, tree, config, seed, ports);

    const policies = EVALUATION_POLICIES.map((policy) => policy.id).filter(
      (policy) => options.policies.includes(policy) || REFERENCES.includes(policy),
    );
    const reasons = new Map<EvaluationPolicyId, string>();
    for (const policy of policies) {
      // The histories of this suite are short enough for the oracle, whatever the budget.
      const reason =
        policy === 'answer-oracle' ? null : whyUnavailable(policy, historyTokens, budgetTokens, true, model);
      if (reason !== null) reasons.set(policy, reason);
    }
    const able = policies.filter((policy) => !reasons.has(policy));
    const answers = await answerAll(history, tree, able, config, seed, {
      ...ports,
      step: (share) => step(CALIBRATION_SHARE + share * (1 - CALIBRATION_SHARE)),
    });
    return policies.map((policy) => {
      const key = { task, policy, templates, historyTokens, budgetTokens, heads: 1 } as const;
      const reason = reasons.get(policy);
      if (reason !== undefined) return cellWithout(key, reason);
      return withCalibration(
        cellOfAnswers(key, policy, unitKey(unit), answers, reasons),
        policy,
        calibrations,
      );
    });
  },
};

function seedOf({ task, historyTokens, index }: EvaluationUnit, { seed }: EvaluationOptions): number {
  const known = RECALL_TASK_IDS.indexOf(task as RecallTaskId);
  return hashUint32(seed, known < 0 ? RECALL_TASK_IDS.length : known, historyTokens, index);
}

function historyOf(
  { task, historyTokens, index, n: questions }: EvaluationUnit,
  { recentTokens }: RunConfig,
  { model, data }: UnitPorts,
  rng: Rng,
): SharedHistory {
  if (task === NEEDLES) return NEEDLE_TASK.write({ historyTokens, questions }, model, data!, rng);
  return writeRecallHistory(
    task as RecallTaskId,
    { historyTokens, recentTokens, questions, index },
    model,
    rng,
  );
}

/** The run's own parameters in a context small enough to measure every move. */
function smallConfig({ config }: EvaluationOptions): RunConfig {
  const budgetTokens = Math.min(config.budgetTokens, LARGEST_BUDGET);
  const recentTokens = Math.min(config.recentTokens, Math.floor(budgetTokens * RECENT_SHARE));
  return { ...config, budgetTokens, recentTokens };
}

async function calibrateAll(
  { ids, cases }: SharedHistory,
  tree: GistTree,
  config: RunConfig,
  seed: number,
  { model, step }: UnitPorts,
): Promise<Calibration[]> {
  const pause = (): Promise<void> => step(GIST_SHARE);
  const scheme = positionSchemeOf(config, model.manifest.trainedContextTokens);
  const reader = new AnswerReader(model, pause);
  const calibrations: Calibration[] = [];
  const read = async (item: EvaluationCase, branch: number): Promise<Calibration> => {
    const longer = await withQuestion(tree, item.asked, model);
    const followingTokens = item.referenceIds.length;
    const where = {
      sharedTokens: ids.length,
      branch,
      scheme,
      gistInput: config.gistInput,
      offsetTokens: 0,
      followingTokens,
    };
    return calibrate({
      tree: longer,
      item,
      config,
      model,
      rng: new Rng(seed).split(2 + branch),
      nll: async (layout) => {
        await pause();
        return (await reader.read(prepareContext(layout, longer, where), item.referenceIds)).nll;
      },
    });
  };
  try {
    for (const [branch, item] of cases.entries()) calibrations.push(await read(item, branch));
    return calibrations;
  } finally {
    reader.dispose();
  }
}

function withCalibration(
  cell: CellCounts,
  policy: EvaluationPolicyId,
  calibrations: readonly Calibration[],
): CellCounts {
  const id = RANKING_IDS.find((ranking) => ranking === policy);
  if (id === undefined) {
    return { ...cell, why: { ...cell.why, spearman: 'This policy scores no moves.' } };
  }
  const figures = calibrationFigures(id, calibrations);
  const clusters = cell.clusters.map((cluster) => ({
    ...cluster,
    figures: { ...cluster.figures, ...figures },
  }));
  return { ...cell, clusters };
}

/** Per context, and pooled over the contexts of the history, which weigh as many moves as they have. */
function calibrationFigures(
  id: RankingId,
  calibrations: readonly Calibration[],
): Partial<Record<FigureId, WeightedSum>> {
  const each = calibrations.flatMap(({ moves }) => rankCorrelation(moves, id) ?? []);
  const all = calibrations.flatMap(({ moves }) => moves);
  const pooled = (moves: typeof all): WeightedSum => {
    const value = rankCorrelation(moves, id);
    return value === null ? [0, 0] : [moves.length, moves.length * value];
  };
  const coherences = calibrations.flatMap(({ coherence }) => coherence ?? []);
  const agreements = calibrations.flatMap(({ moves }) => worthAgreement(moves) ?? []);
  return {
    spearman: totalled(each),
    spearmanPooled: pooled(all),
    spearmanWorthwhile: pooled([...worthwhileMoves(all)]),
    worthAgreement: totalled(agreements),
    ...(id === 'lensnet' ? { coherence: totalled(coherences) } : {}),
  };
}

function totalled(values: readonly number[]): WeightedSum {
  return [values.length, values.reduce((sum, value) => sum + value, 0)];
}
