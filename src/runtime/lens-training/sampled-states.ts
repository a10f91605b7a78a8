/** Chooses where in a history to look back from: before answers, before what was said already, and elsewhere. */
import { K } from '../../core/tree/ids.ts';
import type { Rng } from '../../base/rng.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';

/** H: tokens of the real continuation that are scored. */
export const HORIZON_TOKENS = 64;
/** How far back recurrences are looked for; bounds the memory of a very long history. */
const SEARCHED_TOKENS = 200_000;
const SHORTEST_HORIZON = 4;
/** A trigram said more often than this is an idiom, not a fact. */
const IDIOM_COUNT = 4;
/** Telling states first: shares of the states that answers and recurrences may take. */
const ANSWER_SHARE = 0.6;
const RECURRENCE_SHARE = 0.7;

export interface SampledState {
  /** The state's cursor: what follows is known from the history. */
  readonly cursor: number;
  readonly horizonTokens: number;
  readonly kind: 'answer' | 'recurrence' | 'block';
}

export interface StateRules {
  /** First cursor with something to look back at. */
  readonly firstCursor: number;
  /** The tokens that stand before an answer; none if the model's chat has no such prefix. */
  readonly answerPrefix: Uint32Array;
  readonly isAnswerEnd: (tokenId: number) => boolean;
  /** Tokens back from which on a repetition counts as recurrence. */
  readonly distantTokens: number;
}

export interface FoundStates {
  readonly answers: readonly SampledState[];
  /** Most repetitions first. */
  readonly recurrences: readonly SampledState[];
  readonly blocks: readonly SampledState[];
}

export function findStates(tree: GistTree, rules: StateRules): FoundStates {
  const ids = tree.tokens(0, tree.tokenCount);
  const answers = findAnswers(ids, rules);
  const blocks: SampledState[] = [];
  const first = Math.ceil(rules.firstCursor / K) * K;
  for (let cursor = first; cursor + HORIZON_TOKENS <= ids.length; cursor += K) {
    blocks.push({ cursor, horizonTokens: HORIZON_TOKENS, kind: 'block' });
  }
  const repeated = countRepetitions(ids, rules.distantTokens);
  const recurrences = blocks
    .map(({ cursor }) => ({ cursor, repetitions: repeated(cursor, cursor + HORIZON_TOKENS) }))
    .filter(({ repetitions }) => repetitions > 0)
    .sort((a, b) => b.repetitions - a.repetitions || a.cursor - b.cursor)
    .map(({ cursor }) => ({ cursor, horizonTokens: HORIZON_TOKENS, kind: 'recurrence' as const }));
  return { answers, recurrences, blocks };
}

/** @returns at most `count` of them in order, whose horizons do not overlap. */
export function chooseStates(found: FoundStates, count: number, rng: Rng): readonly SampledState[] {
  const answers = shuffled(found.answers, rng);
  const blocks = shuffled(found.blocks, rng);
  const chosen: SampledState[] = [];
  const taken = new Set<number>();
  const take = (sampled: readonly SampledState[], limit: number): void => {
    for (const sample of sampled) {
      if (chosen.length >= limit) return;
      const { cursor, horizonTokens } = sample;
      const spans = [Math.floor(cursor / K), Math.floor((cursor + horizonTokens - 1) / K)] as const;
      const covered = Array.from({ length: spans[1] - spans[0] + 1 }, (_, i) => spans[0] + i);
      if (covered.some((block) => taken.has(block))) continue;
      for (const block of covered) taken.add(block);
      chosen.push(sample);
    }
  };
  take(answers, Math.ceil(count * ANSWER_SHARE));
  take(found.recurrences, chosen.length + Math.ceil((count - chosen.length) * RECURRENCE_SHARE));
  for (const rest of [blocks, answers, found.recurrences]) take(rest, count);
  return chosen.sort((a, b) => a.cursor - b.cursor);
}

/** Every place where the answer's prefix ends and an answer of some length follows. */
function findAnswers(ids: Uint32Array, rules: StateRules): readonly SampledState[] {
  const { answerPrefix: prefix, firstCursor, isAnswerEnd } = rules;
  if (prefix.length === 0) return [];
  const answers: SampledState[] = [];
  for (let cursor = Math.max(firstCursor, prefix.length); cursor < ids.length; cursor++) {
    if (!prefix.every((id, i) => ids[cursor - prefix.length + i] === id)) continue;
    let horizonTokens = 0;
    while (horizonTokens < HORIZON_TOKENS && cursor + horizonTokens < ids.length) {
      horizonTokens++;
      if (isAnswerEnd(ids[cursor + horizonTokens - 1]!)) break;
    }
    if (horizonTokens >= SHORTEST_HORIZON) answers.push({ cursor, horizonTokens, kind: 'answer' });
  }
  return answers;
}

/** Counts, for a span, the trigrams that were said before, far enough back and not too often. */
function countRepetitions(ids: Uint32Array, distantTokens: number): (start: number, end: number) => number {
  const first = Math.max(0, ids.length - SEARCHED_TOKENS);
  const seen = new Map<number, { last: number; count: number }>();
  const sums = new Uint32Array(ids.length + 1);
  for (let i = 0; i < ids.length; i++) {
    sums[i + 1] = sums[i]!;
    if (i < first + 2) continue;
    // Two ids below 2^17 and a third make one exact number below 2^51; larger vocabularies share a few keys.
    const key = ((ids[i - 2]! % 2 ** 17) * 2 ** 17 + (ids[i - 1]! % 2 ** 17)) * 2 ** 17 + (ids[i]! % 2 ** 17);
    const known = seen.get(key);
    if (known === undefined) seen.set(key, { last: i, count: 1 });
    else {
      if (i - known.last >= distantTokens && known.count < IDIOM_COUNT) sums[i + 1]!++;
      known.last = i;
      known.count++;
    }
  }
  return (start, end) => sums[end]! - sums[start]!;
}

function shuffled<T>(items: readonly T[], rng: Rng): readonly T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = rng.nextInt(i + 1);
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}
