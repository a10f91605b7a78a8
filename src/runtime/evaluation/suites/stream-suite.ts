/**
 * Suite `stream`: does a fixed budget keep reading well as a text goes on? At place after place of one long text
 * every policy makes its working context of all that came before, and the next 64 tokens are scored.
 */
import { hashUint32, Rng } from '../../../base/rng.ts';
import { K } from '../../../core/tree/ids.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { answerAll, GIST_SHARE, whyUnavailable } from '../answering/answering.ts';
import type { CellCounts } from '../report/cell.ts';
import { Chronicler } from '../world/chronicler.ts';
import { withCounts } from '../report/cluster-sum.ts';
import type { EvaluationCase, SharedHistory } from '../cases/evaluation-case.ts';
import { HORIZON_TOKENS } from '../../session/decoding/delta-nll.ts';
import { growHistory, rememberHistory } from '../memory/history-memory.ts';
import { WordEncoder, writeHistory } from '../world/history-writer.ts';
import { DEFAULT_POLICIES, type EvaluationPolicyId } from '../baselines/policies.ts';
import { cellOfAnswers, cellWithout } from '../answering/answer-counts.ts';
import {
  EvaluationError,
  type EvaluationOptions,
  type EvaluationSuite,
  type EvaluationUnit,
  unitKey,
  type UnitPorts,
} from '../plan/suite.ts';
import { RELATIONS_IN } from '../world/languages.ts';
import { gistsAgainstDeletion } from './stream-gists.ts';

/** The newest tokens: what retrievers search by, and what the lens sees arrive. */
const TAIL_TOKENS = 64;
/** So many tokens before the tail a live policy meets one block at a time. */
const STREAMED_TOKENS = 1024;
/** The curve has a place at every power of two from here on. */
const FIRST_PLACE = 512;
const CAST = 32;
const FACT_SHARE = 0.05;
const NO_QUESTION = 'A stream asks no question.';
const NO_QUESTIONS: Readonly<Record<string, string>> = Object.fromEntries(
  ['answered', 'accuracy', 'routingRecall', 'readingGivenRouted', 'againstFull', 'f1'].map((id) => [
    id,
    NO_QUESTION,
  ]),
);

export const streamSuite: EvaluationSuite = {
  id: 'stream',
  tasks: [
    { id: 'chronicle', sentence: 'A generated chronicle of one cast; each length is a place in it.' },
    { id: 'text', sentence: 'The text of a file; each length is a place in it.' },
  ],
  defaultTasks: ['chronicle'],
  // Windows of the text, or chronicles: each is one independent unit.
  defaultSamples: 32,
  policies: DEFAULT_POLICIES.filter((id) => id !== 'gold'),

  plan(options, model) {
    const longest = Math.max(...options.lengths);
    if (Math.min(...options.lengths) < 2 * TAIL_TOKENS) {
      throw new EvaluationError(`The suite stream takes lengths from ${2 * TAIL_TOKENS} tokens on.`);
    }
    if (options.text !== undefined) {
      const tokens = model.tokenizer.encode(options.text.content).length;
      if (tokens < longest + HORIZON_TOKENS) {
        throw new EvaluationError(
          `${options.text.file} has ${tokens} tokens; the longest of --lengths takes ${longest + HORIZON_TOKENS}. Lower it, or name a longer text.`,
        );
      }
      const count = Math.min(options.samples, windowsOf(tokens, longest));
      return Array.from({ length: count }, (_, index) => unitOf('text', longest, index));
    }
    if (options.tasks !== null && !options.tasks.includes('chronicle')) {
      throw new EvaluationError('The task text of the suite stream needs a text: name one with --text FILE.');
    }
    return Array.from({ length: options.samples }, (_, index) => unitOf('chronicle', longest, index));
  },

  async run(unit, options, ports) {
    const { model, gistCache, step } = ports;
    const ids =
      options.text === undefined
        ? chronicleOf(unit.historyTokens + HORIZON_TOKENS, model, new Rng(seedOf(unit, options)))
        : windowOf(model.tokenizer.encode(options.text.content), unit, options);
    const places = placesOf(options.lengths);
    const first = ids.slice(0, places[0]! - TAIL_TOKENS);
    const tree = await rememberHistory(model, first, gistCache, (share) => step(share * GIST_SHARE));
    const cells = new Map<string, CellCounts>();
    const add = (cell: CellCounts): void => {
      const key = `${cell.historyTokens} ${cell.policy}`;
      cells.set(key, withCounts(cells.get(key), cell));
    };
    const longest = places.at(-1)!;
    for (const [index, place] of places.entries()) {
      const pause = (): Promise<void> => step(index / places.length);
      const more = ids.slice(tree.tokenCount, place - TAIL_TOKENS);
      if (more.length > 0) await growHistory(tree, more, model, pause);
      for (const cell of await placeCells(place, ids, tree, unit, options, { ...ports, step: pause })) {
        const { positions, others } = apart(cell);
        if (options.lengths.includes(place)) add(others);
        // The whole curve stands in the cell of the longest length.
        add({ ...positions, historyTokens: longest });
      }
      if (!options.lengths.includes(place)) continue;
      const beside = { ...ports, step: pause };
      for (const cell of await gistsAgainstDeletion(
        place,
        HORIZON_TOKENS,
        ids,
        tree,
        unit,
        options,
        beside,
      )) {
        add({ ...cell, why: { ...cell.why, ...NO_QUESTIONS } });
      }
    }
    return [...cells.values()];
  },
};

function unitOf(task: string, historyTokens: number, index: number): EvaluationUnit {
  return { suite: 'stream', task, templates: null, historyTokens, index, n: 1 };
}

/** How many windows a text has whose scored tokens do not overlap. */
function windowsOf(tokens: number, longest: number): number {
  return 1 + Math.floor((tokens - longest - HORIZON_TOKENS) / HORIZON_TOKENS);
}

/** One of the windows, which lie evenly over the text. */
function windowOf(
  ids: Uint32Array,
  { historyTokens, index }: EvaluationUnit,
  { samples }: EvaluationOptions,
): Uint32Array {
  const room = ids.length - historyTokens - HORIZON_TOKENS;
  const count = Math.min(samples, windowsOf(ids.length, historyTokens));
  const start = count === 1 ? 0 : Math.floor((index * room) / (count - 1));
  return ids.slice(start, start + historyTokens + HORIZON_TOKENS);
}

/** Ascending: the lengths asked for, and powers of two between them for the curve. */
function placesOf(lengths: readonly number[]): number[] {
  const places = new Set(lengths);
  for (let place = FIRST_PLACE; place < Math.max(...lengths); place *= 2) places.add(place);
  return [...places].sort((a, b) => a - b);
}

function seedOf({ historyTokens, index }: EvaluationUnit, { seed }: EvaluationOptions): number {
  return hashUint32(seed, historyTokens, index);
}

/** A generated chronicle of one cast. */
export function chronicleOf(tokens: number, model: LoadedModel, rng: Rng): Uint32Array {
  const chronicler = new Chronicler(rng, { castSize: CAST });
  const maxFacts = 800;
  const plan = {
    tokens,
    facts: [],
    chronicler,
    distractor: () => chronicler.statement(RELATIONS_IN.core.singles),
    distractorShare: Math.min(FACT_SHARE, (maxFacts * 17) / tokens),
  };
  return writeHistory(plan, new WordEncoder(model.tokenizer), rng).ids;
}

/** Every policy's cell of one place in one text. @param tree - of what stands before the tail. */
async function placeCells(
  place: number,
  ids: Uint32Array,
  tree: GistTree,
  unit: EvaluationUnit,
  options: EvaluationOptions,
  ports: UnitPorts,
): Promise<readonly CellCounts[]> {
  const { config, policies } = options;
  const tail = ids.slice(place - TAIL_TOKENS, place);
  const coming: EvaluationCase = {
    asked: {
      question: ports.model.tokenizer.decode(tail),
      userIds: tail.slice(0, TAIL_TOKENS / 2),
      assistantIds: tail.slice(TAIL_TOKENS / 2),
      questionIds: tail,
    },
    expected: null,
    referenceIds: ids.slice(place, place + HORIZON_TOKENS),
    values: [],
    gold: null,
  };
  const history = { ids: ids.slice(0, place - TAIL_TOKENS), cases: [coming], ...streamed(place) };
  const reasons = new Map<EvaluationPolicyId, string>();
  for (const policy of policies) {
    const reason = whyUnavailable(policy, place, config.budgetTokens, false, ports.model);
    if (reason !== null) reasons.set(policy, reason);
  }
  const able = policies.filter((policy) => !reasons.has(policy));
  const answers = await answerAll(history, tree, able, config, seedOf(unit, options), ports);
  return policies.map((policy) => {
    const key = {
      task: unit.task,
      policy,
      templates: null,
      historyTokens: place,
      budgetTokens: config.budgetTokens,
      heads: 1,
    };
    const reason = reasons.get(policy);
    return reason === undefined
      ? cellOfAnswers(key, policy, unitKey(unit), answers, reasons)
      : cellWithout(key, reason);
  });
}

/** The last tokens come in block by block, so that swaps and flips are those of a stream. */
function streamed(place: number): Pick<SharedHistory, 'streamedFrom'> {
  const before = place - TAIL_TOKENS - STREAMED_TOKENS;
  return before < STREAMED_TOKENS / 2 ? {} : { streamedFrom: Math.floor(before / K) * K };
}

/** The cell's part of the curve, and its figures without those of a question. */
function apart(cell: CellCounts): { readonly positions: CellCounts; readonly others: CellCounts } {
  const { historyTokens } = cell;
  const why = { ...cell.why, ...NO_QUESTIONS };
  const others = cell.clusters.map(({ cluster, n, figures }) => {
    const kept = Object.entries(figures).filter(([id]) => id !== 'accuracy');
    return { cluster, n, figures: Object.fromEntries(kept) };
  });
  const positions = cell.clusters.map(({ cluster, figures }) => {
    const [, nll] = figures.nll!;
    const log2 = Math.floor(Math.log2(historyTokens));
    return {
      cluster,
      n: 0,
      figures: {},
      positions: [[log2, HORIZON_TOKENS, HORIZON_TOKENS * nll] as const],
    };
  });
  return { positions: { ...cell, why: {}, clusters: positions }, others: { ...cell, why, clusters: others } };
}
