/**
 * Suite `pruning`: what is still found once raw blocks have gone to the cold tier, chosen by what focus used, by age
 * or by chance. One history is read block by block, so that its nodes have been used; then the same questions are
 * asked of copies of it, each pruned in another way.
 */
import type { PruneOrder } from '../../../core/tree/pruning/prune-plan.ts';
import { hashUint32, Rng } from '../../../base/rng.ts';
import { answerAll, GIST_SHARE } from '../answering/answering.ts';
import { cellOfAnswers } from '../answering/answer-counts.ts';
import { LiveRun } from '../answering/live-run.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import { type EvaluationSuite, type EvaluationUnit, unitKey } from '../plan/suite.ts';
import type { CellCounts } from '../report/cell.ts';
import { questionsPerHistory, writeRecallHistory } from '../tasks/recall-tasks.ts';

const TASK = 'multi-key';
const ORDERS: readonly PruneOrder[] = ['telemetry', 'age', 'random'];
const SHARES = [0.1, 0.3, 0.6] as const;
/** Read at once, as the first window; the rest comes in block by block. */
const FIRST_TOKENS = 512;

export const pruningSuite: EvaluationSuite = {
  id: 'pruning',
  tasks: [
    {
      id: TASK,
      sentence:
        'One fact among others like it, before and after 10, 30 and 60% of the raw blocks are pruned.',
    },
  ],
  defaultTasks: [TASK],
  defaultSamples: 60,
  policies: [],

  plan(options) {
    const units: EvaluationUnit[] = [];
    for (const historyTokens of options.lengths) {
      const each = Math.max(1, questionsPerHistory(TASK, historyTokens, options.config.recentTokens));
      for (let index = 0, left = options.samples; left > 0; index++, left -= each) {
        const n = Math.min(left, each);
        units.push({ suite: 'pruning', task: TASK, templates: 'seen', historyTokens, index, n });
      }
    }
    return units;
  },

  async run(unit, options, ports) {
    const { historyTokens, index, n } = unit;
    const { model, gistCache, clock, step } = ports;
    const { config } = options;
    const seed = hashUint32(options.seed, historyTokens, index);
    const place = { historyTokens, recentTokens: config.recentTokens, questions: n, index };
    const history = writeRecallHistory(TASK, place, model, new Rng(seed));
    const pause = (): Promise<void> => step(GIST_SHARE);
    const tree = await rememberHistory(model, history.ids, gistCache, (share) => step(share * GIST_SHARE));
    const begun = await rememberHistory(model, history.ids.subarray(0, FIRST_TOKENS), gistCache, pause);
    const more = history.ids.subarray(FIRST_TOKENS);
    const run = await LiveRun.settle('lensnet', model, begun, config, clock, pause, more);
    const cells: CellCounts[] = [];
    const ask = async (policy: string, asked: LiveRun): Promise<void> => {
      const answers = await answerAll(history, tree, ['lensnet'], config, seed, ports, 0, asked);
      const { budgetTokens } = config;
      const key = { task: TASK, policy, templates: 'seen', historyTokens, budgetTokens, heads: 1 } as const;
      cells.push(cellOfAnswers(key, 'lensnet', unitKey(unit), answers, new Map()));
    };
    await ask('unpruned', run);
    for (const order of ORDERS) {
      for (const share of SHARES) {
        await ask(`${order} ${Math.round(share * 100)}%`, run.pruned(order, share, seed));
      }
    }
    return cells;
  },
};
