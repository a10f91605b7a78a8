/** Suites `ruler`, `babilong`, `nolima` and `prose-qa`: published tasks, for any base and any length. */
import { hashUint32, Rng } from '../../../base/rng.ts';
import { answerCells } from '../answering/answer-cells.ts';
import { DEFAULT_POLICIES } from '../baselines/policies.ts';
import { assertData } from './needed-data.ts';
import {
  EvaluationError,
  type EvaluationOptions,
  type EvaluationSuite,
  type EvaluationUnit,
} from '../plan/suite.ts';
import { BABILONG_TASKS } from '../tasks/public/babilong.ts';
import { NOLIMA_TASKS } from '../tasks/public/nolima.ts';
import { PROSE_QA_TASKS } from '../tasks/public/prose-qa.ts';
import type { PublicTask } from '../tasks/public/public-task.ts';
import { RULER_TASKS } from '../tasks/public/ruler.ts';

/** A needle's sentence and some hay. */
const MIN_TOKENS = 512;

function publicSuite(
  id: string,
  tasks: readonly PublicTask[],
  defaultTasks: readonly string[],
): EvaluationSuite {
  const chosen = ({ tasks: asked }: EvaluationOptions): readonly PublicTask[] =>
    tasks.filter((task) => (asked ?? defaultTasks).includes(task.id));
  return {
    id,
    tasks: tasks.map(({ id: task, sentence, needs }) => ({
      id: task,
      sentence,
      needsData: needs.length > 0,
    })),
    defaultTasks,
    defaultSamples: 100,
    policies: DEFAULT_POLICIES,
    plan(options) {
      const units: EvaluationUnit[] = [];
      for (const historyTokens of options.lengths) {
        if (historyTokens < MIN_TOKENS) {
          throw new EvaluationError(
            `The suite ${id} takes histories from ${MIN_TOKENS} tokens on, not ${historyTokens}: raise --lengths.`,
          );
        }
        for (const { id: task, needs, questionsPerHistory: each } of chosen(options)) {
          assertData(id, task, needs, options);
          for (let index = 0, left = options.samples; left > 0; index++, left -= each) {
            units.push({ suite: id, task, templates: null, historyTokens, index, n: Math.min(left, each) });
          }
        }
      }
      return units;
    },
    run(unit, options, ports) {
      const task = tasks.find(({ id: known }) => known === unit.task)!;
      const { historyTokens, n: questions } = unit;
      const seed = hashUint32(options.seed, tasks.indexOf(task), historyTokens, unit.index);
      const place = { historyTokens, questions };
      const history = task.write(place, ports.model, ports.data!, new Rng(seed));
      return answerCells(unit, history, options, seed, ports);
    },
  };
}

export const rulerSuite = publicSuite(
  'ruler',
  RULER_TASKS,
  RULER_TASKS.map(({ id }) => id),
);
export const babilongSuite = publicSuite(
  'babilong',
  BABILONG_TASKS,
  BABILONG_TASKS.map(({ id }) => id),
);
export const nolimaSuite = publicSuite(
  'nolima',
  NOLIMA_TASKS,
  NOLIMA_TASKS.map(({ id }) => id),
);
export const proseQaSuite = publicSuite('prose-qa', PROSE_QA_TASKS, ['squad']);
