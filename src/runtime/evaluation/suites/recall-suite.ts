/** Suite `recall`: questions about facts in histories of any length, for every policy. */
import { hashUint32, Rng } from '../../../base/rng.ts';
import { answerCells } from '../answering/answer-cells.ts';
import { DEFAULT_POLICIES } from '../baselines/policies.ts';
import { assertData } from './needed-data.ts';
import {
  questionsPerHistory,
  RECALL_TASK_IDS,
  RECALL_TASKS,
  writeRecallHistory,
} from '../tasks/recall-tasks.ts';
import type { RecallTaskId } from '../tasks/recall-tasks.ts';
import {
  EvaluationError,
  type EvaluationOptions,
  type EvaluationSuite,
  type EvaluationUnit,
} from '../plan/suite.ts';

export const recallSuite: EvaluationSuite = {
  id: 'recall',
  tasks: RECALL_TASK_IDS.map((id) => {
    const { sentence, needsProse = false } = RECALL_TASKS[id];
    return { id, sentence, needsData: needsProse };
  }),
  // One task with all policies at four lengths is what two cores do in some minutes.
  defaultTasks: ['multi-key'],
  defaultSamples: 100,
  policies: DEFAULT_POLICIES,
  hasForms: true,

  plan(options) {
    const units: EvaluationUnit[] = [];
    const language = options.templates ?? 'core';
    const tasks = tasksOf(options);
    for (const historyTokens of options.lengths) {
      for (const task of tasks) {
        const each = questionsPerHistory(task, historyTokens, options.config.recentTokens);
        if (each === 0) {
          throw new EvaluationError(
            `recall, ${task} at ${historyTokens} tokens: there is no room before the last ${options.config.recentTokens} tokens. Raise --lengths, or leave the task out with --tasks.`,
          );
        }
        for (let index = 0, left = options.samples; left > 0; index++, left -= each) {
          units.push({
            suite: 'recall',
            task,
            templates: language === 'core' ? 'seen' : language,
            historyTokens,
            index,
            n: Math.min(left, each),
          });
        }
      }
    }
    return units;
  },

  run(unit, options, ports) {
    const { historyTokens, index, n } = unit;
    const seed = seedOf(unit, options.seed);
    const place = { historyTokens, recentTokens: options.config.recentTokens, questions: n, index };
    const id = unit.task as RecallTaskId;
    if (RECALL_TASKS[id].needsProse === true) assertData('recall', id, ['prose'], options);
    const history = writeRecallHistory(
      id,
      place,
      ports.model,
      new Rng(seed),
      options.templates,
      ports.data?.prose,
    );
    return answerCells(unit, history, options, seed, ports);
  },
};

function tasksOf({ tasks }: EvaluationOptions): readonly RecallTaskId[] {
  return RECALL_TASK_IDS.filter((id) => (tasks ?? recallSuite.defaultTasks).includes(id));
}

/** The same for every policy, budget and language, so that all of them meet the same histories. */
function seedOf({ task, historyTokens, index }: EvaluationUnit, seed: number): number {
  return hashUint32(seed, RECALL_TASK_IDS.indexOf(task as RecallTaskId), historyTokens, index);
}
