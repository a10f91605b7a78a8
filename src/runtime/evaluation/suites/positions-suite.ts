/**
 * Suite `positions`: does the base still read where indices are large? The same questions under every way of
 * placing slots, with retrieval solved beforehand, so that only reading can fail.
 */
import type { PositionMode } from '../../../core/parameters/context.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { hashUint32, Rng } from '../../../base/rng.ts';
import { answerAll, GIST_SHARE } from '../answering/answering.ts';
import type { CellCounts } from '../report/cell.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import { cellOfAnswers } from '../answering/answer-counts.ts';
import { questionsPerHistory, writeRecallHistory } from '../tasks/recall-tasks.ts';
import { type EvaluationSuite, type EvaluationUnit, unitKey } from '../plan/suite.ts';

const TASK_IDS = ['moved', 'focused'] as const;

/** How slots are placed; each stands in the report as a policy. */
const PLACEMENTS: Readonly<Record<string, { readonly positions: PositionMode; readonly gistDecay: number }>> =
  {
    absolute: { positions: 'absolute', gistDecay: 0 },
    grouped: { positions: 'grouped', gistDecay: 0 },
    compact: { positions: 'compact', gistDecay: 0 },
    gaussian: { positions: 'absolute', gistDecay: 1 },
  };

export const positionsSuite: EvaluationSuite = {
  id: 'positions',
  tasks: [
    {
      id: 'moved',
      sentence: 'A raw history of one trained context, moved along to where a longer one would end.',
    },
    {
      id: 'focused',
      sentence: 'A history of the whole length, with gists and the blocks of the answer raw.',
    },
  ],
  defaultTasks: TASK_IDS,
  defaultSamples: 100,
  policies: [],

  plan(options, model) {
    const { recentTokens } = options.config;
    const units: EvaluationUnit[] = [];
    for (const historyTokens of options.lengths) {
      for (const task of TASK_IDS.filter((id) => options.tasks?.includes(id) ?? true)) {
        const written = task === 'moved' ? model.manifest.trainedContextTokens : historyTokens;
        const each = Math.max(1, questionsPerHistory('multi-key', written, recentTokens));
        for (let index = 0, left = options.samples; left > 0; index++, left -= each) {
          units.push({
            suite: 'positions',
            task,
            templates: 'seen',
            historyTokens,
            index,
            n: Math.min(left, each),
          });
        }
      }
    }
    return units;
  },

  async run(unit, options, ports) {
    const { task, historyTokens, index, n } = unit;
    const isMoved = task === 'moved';
    const written = isMoved ? ports.model.manifest.trainedContextTokens : historyTokens;
    // The moved histories are the same at every length: only the place differs.
    const seed = hashUint32(options.seed, TASK_IDS.indexOf(isMoved ? 'moved' : 'focused'), written, index);
    const place = { historyTokens: written, recentTokens: options.config.recentTokens, questions: n, index };
    const history = writeRecallHistory('multi-key', place, ports.model, new Rng(seed));
    const policy = isMoved ? 'full' : 'gold';
    const { model, gistCache, step } = ports;
    const tree = await rememberHistory(model, history.ids, gistCache, (share) => step(share * GIST_SHARE));
    const cells: CellCounts[] = [];
    for (const [name, placement] of Object.entries(PLACEMENTS)) {
      // A raw history has no gists to blur.
      if (isMoved && placement.gistDecay > 0) continue;
      const config: RunConfig = { ...options.config, ...placement };
      // The other modes place slots by their order alone, wherever the history stands.
      const offset = placement.positions === 'absolute' ? Math.max(0, historyTokens - written) : 0;
      const answers = await answerAll(history, tree, [policy], config, seed, ports, offset);
      const { budgetTokens } = config;
      const key = { task, policy: name, templates: 'seen', historyTokens, budgetTokens, heads: 1 } as const;
      cells.push(cellOfAnswers(key, policy, unitKey(unit), answers, new Map()));
    }
    return cells;
  },
};
