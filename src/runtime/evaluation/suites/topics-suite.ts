/**
 * Suite `topics`: A, then B, then back to A. The lens reads on from A through B as a chat would, and a question
 * comes: about A, which focus has left, or about B, which it has just read. How fast does focus come back?
 */
import { hashUint32, Rng } from '../../../base/rng.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { answerCells } from '../answering/answer-cells.ts';
import { Chronicler } from '../world/chronicler.ts';
import { caseOf, type SharedHistory } from '../cases/evaluation-case.ts';
import { WordEncoder, writeHistory, type WrittenHistory } from '../world/history-writer.ts';
import { DEFAULT_POLICIES } from '../baselines/policies.ts';
import { askSingle } from '../world/questions.ts';
import { EvaluationError, type EvaluationSuite, type EvaluationUnit } from '../plan/suite.ts';
import { RELATIONS_IN } from '../world/languages.ts';

const TASK_IDS = ['return', 'stay'] as const;
type TopicTaskId = (typeof TASK_IDS)[number];

/** Of the history: A is told in this many tokens, B in all that follow. */
const FIRST_SHARE = 1 / 4;
const SHORTEST_TOPIC = 512;
const QUESTIONS = 10;
/** Both topics have a cast of their own, so that words tell which one is meant. */
const CAST = 16;
const FACT_SHARE = 0.1;
/** Room for one fact's sentence. */
const SENTENCE_TOKENS = 32;

export const topicsSuite: EvaluationSuite = {
  id: 'topics',
  tasks: [
    { id: 'return', sentence: 'After A and a longer B, the question goes back to A.' },
    {
      id: 'stay',
      sentence: 'After A and a longer B, the question stays with B: what returning is to be held against.',
    },
  ],
  defaultTasks: TASK_IDS,
  defaultSamples: 100,
  policies: DEFAULT_POLICIES,

  plan({ lengths, samples, tasks }) {
    const shortest = Math.min(...lengths);
    if (shortest * FIRST_SHARE < SHORTEST_TOPIC) {
      throw new EvaluationError(
        `The suite topics takes lengths from ${SHORTEST_TOPIC / FIRST_SHARE} tokens on: raise --lengths.`,
      );
    }
    const units: EvaluationUnit[] = [];
    for (const historyTokens of lengths) {
      for (const task of TASK_IDS.filter((id) => tasks?.includes(id) ?? true)) {
        for (let index = 0, left = samples; left > 0; index++, left -= QUESTIONS) {
          units.push({
            suite: 'topics',
            task,
            templates: 'seen',
            historyTokens,
            index,
            n: Math.min(left, QUESTIONS),
          });
        }
      }
    }
    return units;
  },

  run(unit, options, ports) {
    // Both tasks ask about the same histories.
    const seed = hashUint32(options.seed, unit.historyTokens, unit.index);
    const history = writeTopics(unit, options.config.recentTokens, ports.model, new Rng(seed));
    return answerCells(unit, history, options, seed, ports);
  },
};

/**
 * @param task - `return` or `stay`.
 * @param recentTokens - facts of B lie before these last tokens.
 */
export function writeTopics(
  { task, historyTokens, n }: Pick<EvaluationUnit, 'task' | 'historyTokens' | 'n'>,
  recentTokens: number,
  model: LoadedModel,
  rng: Rng,
): SharedHistory {
  const firstTokens = Math.floor(historyTokens * FIRST_SHARE);
  const told = new Chronicler(rng.split(1), { castSize: CAST, topicHalf: 0 });
  const other = new Chronicler(rng.split(2), { castSize: CAST, topicHalf: 1, without: told });
  const encoder = new WordEncoder(model.tokenizer);
  const tell = (chronicler: Chronicler, tokens: number, room: number, draws: Rng): WrittenHistory => {
    const facts = Array.from({ length: QUESTIONS }, (_, i) => ({
      statement: chronicler.statement(RELATIONS_IN.core.singles),
      atToken: Math.floor(((i + draws.nextFloat()) / QUESTIONS) * room),
    }));
    const distractor = () => chronicler.statement(RELATIONS_IN.core.singles);
    const plan = { tokens, facts, chronicler, distractor, distractorShare: FACT_SHARE };
    return writeHistory(plan, encoder, draws);
  };
  const first = tell(told, firstTokens, firstTokens - 2 * SENTENCE_TOKENS, rng.split(3));
  const laterTokens = historyTokens - firstTokens;
  const later = tell(other, laterTokens, laterTokens - recentTokens - 2 * SENTENCE_TOKENS, rng.split(4));
  const [{ spans }, offset] = (task as TopicTaskId) === 'return' ? [first, 0] : [later, firstTokens];
  const draws = rng.split(5);
  const cases = [...spans].slice(0, n).map(([statement, { start, end }]) => {
    const gold = [{ start: start + offset, end: end + offset }];
    return caseOf(model, askSingle(statement, draws), gold);
  });
  const ids = Uint32Array.from([...first.ids, ...later.ids]);
  return { ids, cases, streamedFrom: firstTokens };
}
