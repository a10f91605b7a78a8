/** The recall tasks: which facts a history holds, where, and what is asked of it. Seeded and pure. */
import type { Rng } from '../../../base/rng.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { Chronicler, sample } from '../world/chronicler.ts';
import { caseOf, type SharedHistory } from '../cases/evaluation-case.ts';
import { type PlannedFact, WordEncoder, writeHistory } from '../world/history-writer.ts';
import {
  askChain,
  askCount,
  askLast,
  askOneByOne,
  askParaphrase,
  askQueries,
  askSingle,
  askUnanswerable,
  askValues,
  type Asked,
} from '../world/questions.ts';
import { sentencesOf } from './public/haystack.ts';
import { type Language, RELATIONS_IN, type Relations } from '../world/languages.ts';
import { type Relation, type Statement, WORLD } from '../world/world.ts';

export const RECALL_TASK_IDS = [
  'single',
  'multi-key',
  'multi-value',
  'multi-query',
  'variable-tracking',
  'straddle',
  'unrelated',
  'paraphrase',
  'last-mentioned',
  'count',
  'unanswerable',
  // The place of a task in this list draws its histories: new ones come last.
  'list',
  'trail',
  'in-prose',
] as const;
export type RecallTaskId = (typeof RECALL_TASK_IDS)[number];

/** Facts of one question, in the order in which they are to be said, and the question. */
interface Group {
  readonly said: readonly Statement[];
  readonly asked: Asked;
}

interface TaskPlan {
  readonly chronicler: Chronicler;
  /** Makes the group of question i. */
  readonly group: (i: number) => Group;
  readonly distractors: readonly Relation[];
  /** Share of sentences that are facts of those relations and that nobody asks for. */
  readonly distractorShare: number;
  readonly isStraddling?: boolean;
}

interface RecallTask {
  readonly sentence: string;
  readonly factsPerQuestion: number;
  /** The most questions that one history can serve: a relation each, or the size of the cast. */
  readonly maxQuestions: number;
  /** Its histories are told in prose from a folder of data. */
  readonly needsProse?: true;
  /** @param index - of the history among its task's. */
  readonly plan: (rng: Rng, relations: Relations, index: number) => TaskPlan;
}

const CAST = 32;
const DENSE = 0.25;
const SPARSE = 0.05;
/** Facts of a question that asks for several. */
const SEVERAL = 4;
/** Facts nobody asks for in one history, about: a cast has only so many, and a long history is told of one cast. */
const MAX_DISTRACTORS = 800;
const SENTENCE_LENGTH = 17;

/** Relations of one history, so that facts of the same form compete. */
const RELATIONS_A_HISTORY = 3;

/** Goes round, so that a few histories ask of all. */
function someOf(relations: readonly Relation[], index: number): Relation[] {
  return Array.from(
    { length: RELATIONS_A_HISTORY },
    (_, i) => relations[(index * RELATIONS_A_HISTORY + i) % relations.length]!,
  );
}

/** Facts about single keys, asked one by one. */
function keyed(rng: Rng, relations: readonly Relation[], distractorShare: number): TaskPlan {
  const chronicler = new Chronicler(rng, { castSize: CAST });
  return {
    chronicler,
    group: (i) => {
      const statement = chronicler.statement([relations[i % relations.length]!]);
      return { said: [statement], asked: askSingle(statement, rng) };
    },
    distractors: relations,
    distractorShare,
  };
}

/** Groups of facts that belong together. */
function grouped(
  rng: Rng,
  tell: (chronicler: Chronicler) => Statement[],
  ask: (said: readonly Statement[], rng: Rng) => Asked,
): TaskPlan {
  const chronicler = new Chronicler(rng, { castSize: CAST });
  return {
    chronicler,
    group: () => {
      const said = tell(chronicler);
      return { said, asked: ask(said, rng) };
    },
    distractors: [],
    distractorShare: 0,
  };
}

export const RECALL_TASKS: Readonly<Record<RecallTaskId, RecallTask>> = {
  single: {
    sentence: 'One fact of its kind, in filler.',
    factsPerQuestion: 1,
    maxQuestions: RELATIONS_IN.core.singles.length,
    plan: (rng, { singles }) => {
      const chronicler = new Chronicler(rng, { castSize: CAST });
      const relations = sample(singles, singles.length, rng);
      const group = (i: number): Group => {
        const statement = chronicler.statement([relations[i]!]);
        return { said: [statement], asked: askSingle(statement, rng) };
      };
      return { chronicler, group, distractors: [], distractorShare: 0 };
    },
  },
  'multi-key': {
    sentence: 'One fact among many of the same form.',
    factsPerQuestion: 1,
    maxQuestions: 50,
    plan: (rng, { singles }, index) => keyed(rng, someOf(singles, index), DENSE),
  },
  'multi-value': {
    sentence: 'Four values of one key, stated apart.',
    factsPerQuestion: SEVERAL,
    maxQuestions: 10,
    plan: (rng, { holds }) => grouped(rng, (told) => told.restatements(holds, SEVERAL), askValues),
  },
  'multi-query': {
    sentence: 'Four facts asked for at once.',
    factsPerQuestion: SEVERAL,
    maxQuestions: 10,
    plan: (rng, { singles }, index) => {
      const relations = someOf(singles, index);
      const tell = (told: Chronicler) =>
        Array.from({ length: SEVERAL }, (_, i) => told.statement([relations[i % relations.length]!]));
      return grouped(rng, tell, askQueries);
    },
  },
  'variable-tracking': {
    sentence: 'A chain of four facts, each naming the next one’s key.',
    factsPerQuestion: WORLD.chain.hops,
    maxQuestions: 6,
    plan: (rng, { chain, chainQuestions }) =>
      grouped(
        rng,
        (told) => told.chain(chain, WORLD.chain.hops),
        (said) => askChain(said, chainQuestions, rng),
      ),
  },
  straddle: {
    sentence: 'A fact that lies across the edge of a block.',
    factsPerQuestion: 1,
    maxQuestions: 20,
    plan: (rng, { singles }, index) => ({
      ...keyed(rng, someOf(singles, index), SPARSE),
      isStraddling: true,
    }),
  },
  unrelated: {
    sentence: 'A fact about people and things that its surroundings never mention.',
    factsPerQuestion: 1,
    maxQuestions: 20,
    plan: (rng, { singles }, index) => {
      const chronicler = new Chronicler(rng, { castSize: 16 });
      const stranger = new Chronicler(rng, { castSize: 16, without: chronicler });
      const relations = someOf(singles, index);
      const group = (i: number): Group => {
        const statement = stranger.statement([relations[i % relations.length]!]);
        return { said: [statement], asked: askSingle(statement, rng) };
      };
      return { chronicler, group, distractors: [], distractorShare: 0 };
    },
  },
  paraphrase: {
    sentence: 'The question shares no word with the fact.',
    factsPerQuestion: 1,
    maxQuestions: 20,
    plan: (rng, { paraphrased }) => {
      const chronicler = new Chronicler(rng, { castSize: CAST, aliasedOnly: true });
      const group = (): Group => {
        const statement = chronicler.statement(paraphrased);
        return { said: [statement], asked: askParaphrase(statement, rng) };
      };
      return { chronicler, group, distractors: paraphrased, distractorShare: SPARSE };
    },
  },
  'last-mentioned': {
    sentence: 'A fact stated again and again with another value; the last one holds.',
    factsPerQuestion: SEVERAL,
    maxQuestions: 10,
    plan: (rng, { lastSeen }) =>
      grouped(rng, (told) => told.restatements(lastSeen, 2 + rng.nextInt(3)), askLast),
  },
  count: {
    sentence: 'How many values of one key were stated.',
    factsPerQuestion: SEVERAL,
    maxQuestions: 10,
    plan: (rng, { holds, countQuestions }) => {
      const tell = (told: Chronicler) =>
        told.restatements(holds, 1 + rng.nextInt(WORLD.count.numbers.length));
      return grouped(rng, tell, (said) => askCount(said, countQuestions, rng));
    },
  },
  unanswerable: {
    sentence: 'A question about keys that no fact of the history has, among many facts of the same form.',
    factsPerQuestion: 0,
    maxQuestions: 50,
    plan: (rng, { singles }, index) => {
      const relations = someOf(singles, index);
      const plan = keyed(rng, relations, DENSE);
      // Drawn, and so never told by a distractor.
      const group = (i: number): Group => {
        const unsaid = plan.chronicler.statement([relations[i % relations.length]!]);
        return { said: [], asked: askUnanswerable(unsaid, rng) };
      };
      return { ...plan, group };
    },
  },
  list: {
    sentence: 'Four values of one key, asked for one by one: the answer goes on for four sentences.',
    factsPerQuestion: SEVERAL,
    maxQuestions: 10,
    plan: (rng, { holds, listQuestions }) =>
      grouped(
        rng,
        (told) => told.restatements(holds, SEVERAL),
        (said) => askOneByOne(said, listQuestions, true, rng),
      ),
  },
  trail: {
    sentence: 'A chain of four facts, asked for hop by hop: the answer goes on for four sentences.',
    factsPerQuestion: WORLD.chain.hops,
    maxQuestions: 6,
    plan: (rng, { chain, trailQuestions }) =>
      grouped(
        rng,
        (told) => told.chain(chain, WORLD.chain.hops),
        (said) => askOneByOne(said, trailQuestions, false, rng),
      ),
  },
  'in-prose': {
    sentence: 'One fact among a few of the same form, in prose from a folder of data.',
    factsPerQuestion: 1,
    maxQuestions: 20,
    needsProse: true,
    plan: (rng, { singles }, index) => keyed(rng, someOf(singles, index), SPARSE),
  },
};

/** Room set aside for one fact's sentence. */
const SENTENCE_TOKENS = 32;
/** Questions that a history of ordinary length serves; long ones serve more, because making them is dear. */
const QUESTIONS = 10;
const LONG_TOKENS = 16_384;
const VERY_LONG_TOKENS = 262_144;

/**
 * How many questions one history of a task serves.
 *
 * @param recentTokens - facts lie before these last tokens.
 * @returns 0 where the history is too short for a single one.
 */
export function questionsPerHistory(id: RecallTaskId, historyTokens: number, recentTokens: number): number {
  const { factsPerQuestion, maxQuestions } = RECALL_TASKS[id];
  const room = historyTokens - recentTokens - SENTENCE_TOKENS;
  const wanted =
    historyTokens >= VERY_LONG_TOKENS ? 50 : historyTokens >= LONG_TOKENS ? 2 * QUESTIONS : QUESTIONS;
  const fitting = Math.floor(room / (1.5 * SENTENCE_TOKENS * Math.max(1, factsPerQuestion)));
  return Math.max(0, Math.min(wanted, maxQuestions, fitting));
}

/** One of a task's histories. */
export interface RecallPlace {
  readonly historyTokens: number;
  readonly recentTokens: number;
  readonly questions: number;
  /** Of its task and length, from 0: relations go round by it. */
  readonly index: number;
}

/**
 * Write a history and its questions. Depths are uniform over the part before the recent window.
 *
 * @param questions - at most `questionsPerHistory`.
 * @param language - whose forms say and ask the facts.
 * @param prose - what tasks are told in that need it.
 */
export function writeRecallHistory(
  id: RecallTaskId,
  options: RecallPlace,
  model: LoadedModel,
  rng: Rng,
  language: Language = 'core',
  prose = '',
): SharedHistory {
  const { historyTokens, recentTokens, questions, index } = options;
  const {
    chronicler,
    group,
    distractors,
    distractorShare,
    isStraddling = false,
  } = RECALL_TASKS[id].plan(rng, RELATIONS_IN[language], index);
  const hay = RECALL_TASKS[id].needsProse === true ? sentencesOf(prose, rng.split(1)) : null;
  const groups = Array.from({ length: questions }, (_, i) => group(i));
  const total = groups.reduce((sum, { said }) => sum + said.length, 0);
  // The last facts still have to be whole before the recent window begins, even if all of them are late.
  const room = historyTokens - recentTokens - 2 * SENTENCE_TOKENS;
  const places = sample([...stratified(total, room, rng)], total, rng);
  const facts: PlannedFact[] = [];
  for (const { said } of groups) {
    const own = places.splice(0, said.length).sort((a, b) => a - b);
    said.forEach((statement, i) => facts.push({ statement, atToken: own[i]!, isStraddling }));
  }
  const { ids, spans } = writeHistory(
    {
      tokens: historyTokens,
      facts,
      chronicler,
      filler: () => (hay === null ? chronicler.filler() : hay.next().value),
      distractor: distractors.length === 0 ? null : () => chronicler.statement(distractors),
      distractorShare: Math.min(distractorShare, (MAX_DISTRACTORS * SENTENCE_LENGTH) / historyTokens),
    },
    new WordEncoder(model.tokenizer),
    rng,
  );
  const cases = groups.map(({ asked }) =>
    caseOf(
      model,
      asked,
      asked.statements.map((statement) => spans.get(statement)!),
    ),
  );
  return { ids, cases };
}

/** One place in every n-th part of the room: uniform, and never all at one end. */
function* stratified(count: number, room: number, rng: Rng): Generator<number> {
  for (let i = 0; i < count; i++) yield Math.floor(((i + rng.nextFloat()) / count) * room);
}
