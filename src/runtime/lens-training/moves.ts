/**
 * Chooses which moves of a working context to measure: what the lens wants, what a retriever would want (hard
 * negatives), what the real continuation has words in common with (likely gains), and some at random.
 */
import { K } from '../../core/tree/ids.ts';
import { apply, legalMoves, moveRules, refuse } from '../../core/context/moves.ts';
import type { Move } from '../../core/context/moves.ts';
import type { Rng } from '../../base/rng.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';
import { entryIndexAt } from '../../core/context/working-context.ts';
import type { Layout } from '../../core/context/working-context.ts';
import { bestBlock, type BlockRelevance } from './block-relevance.ts';

export interface CandidateMove extends Move {
  /** The layout with this one move, and nothing paid for it. */
  readonly layout: Layout;
}

export interface MoveInput {
  readonly layout: Layout;
  /** As it was at the layout's cursor. */
  readonly tree: GistTree;
  readonly config: { readonly recentTokens: number; readonly budgetTokens: number };
  /** `[entries]` of the LensNet in use. */
  readonly lensScores: Float32Array;
  /** `[entries]` cosine to the tail, in any monotone form. */
  readonly cosineScores: Float32Array;
  /** `[closed blocks]` by the tail's words. */
  readonly tailRelevance: BlockRelevance;
  /** `[closed blocks]` by the words of tail and real continuation. */
  readonly futureRelevance: BlockRelevance;
  readonly rng: Rng;
}

const EXPANSIONS = { future: 2, lens: 3, tail: 2, cosine: 1, random: 2 } as const;
const COLLAPSES = { future: 1, lens: 1, random: 2 } as const;

/** @returns newest first, so that each one's layout shares a long prefix with the one before. */
export function chooseMoves(input: MoveInput): readonly CandidateMove[] {
  const { expansions, collapses } = unitsOf(input);
  const { rng, lensScores, cosineScores, tailRelevance, futureRelevance } = input;
  const byLens = meanOf(lensScores);
  const byFuture = relevanceOf(futureRelevance);
  const chosen = [
    ...pick(expansions, [
      [EXPANSIONS.future, byFuture],
      [EXPANSIONS.lens, byLens],
      [EXPANSIONS.tail, relevanceOf(tailRelevance)],
      [EXPANSIONS.cosine, meanOf(cosineScores)],
      [EXPANSIONS.random, () => rng.nextFloat()],
    ]),
    ...pick(collapses, [
      [COLLAPSES.future, byFuture],
      [COLLAPSES.lens, (unit) => -byLens(unit)],
      [COLLAPSES.random, () => rng.nextFloat()],
    ]),
  ];
  chosen.sort((a, b) => b.first - a.first);
  return chosen.map((unit) => ({ ...unit, layout: layoutWith(input, unit) }));
}

/** Every unit that may move, budget aside: what a move is worth does not depend on who pays. */
export function unitsOf({ layout, tree, config }: Pick<MoveInput, 'layout' | 'tree' | 'config'>): {
  readonly expansions: readonly Move[];
  readonly collapses: readonly Move[];
} {
  const moves = legalMoves(layout, moveRules(layout, tree, config));
  return {
    expansions: moves.filter(({ kind }) => kind === 'expand'),
    collapses: moves.filter(({ kind }) => kind === 'collapse'),
  };
}

/** Mean over a unit's entries. */
export function unitScore(scores: Float32Array, { first, count }: Pick<Move, 'first' | 'count'>): number {
  let sum = 0;
  for (let i = first; i < first + count; i++) sum += scores[i]!;
  return sum / count;
}

type Rank = (unit: Move) => number;

function meanOf(scores: Float32Array): Rank {
  return (unit) => unitScore(scores, unit);
}

function relevanceOf(relevance: BlockRelevance): Rank {
  return ({ start, end }) => relevance[bestBlock(relevance, start, end)] ?? 0;
}

/** The best of each rank in turn, no unit twice. */
function pick(units: readonly Move[], quotas: readonly (readonly [count: number, rank: Rank])[]): Move[] {
  const left = new Set(units);
  const chosen: Move[] = [];
  for (const [count, rank] of quotas) {
    const ranked = [...left].map((unit) => ({ unit, value: rank(unit) })).sort((a, b) => b.value - a.value);
    for (const { unit } of ranked.slice(0, count)) {
      left.delete(unit);
      chosen.push(unit);
    }
  }
  return chosen;
}

function layoutWith({ layout, tree, futureRelevance }: MoveInput, unit: Move): Layout {
  if (unit.kind === 'collapse') return apply(layout, 'collapse', unit.first, tree);
  return expandToRaw(layout, unit.first, tree, futureRelevance);
}

/**
 * Expand a gist, and below LOD1 go on down to the raw tokens of its most relevant block: gists alone rarely say
 * what a page holds, so one step of expansion would count every page as worthless.
 */
export function expandToRaw(
  layout: Layout,
  index: number,
  tree: GistTree,
  relevance: BlockRelevance,
): Layout {
  const { lod, start, end } = layout.entries[index]!;
  const target = bestBlock(relevance, start, end) * K;
  let next = apply(layout, 'expand', index, tree);
  const rules = { tree, recentStart: 0, freeTokens: Infinity };
  for (let below = lod - 1; below >= 1; below--) {
    const child = entryIndexAt(next, target);
    if (refuse(next, 'expand', child, rules) !== null) break;
    next = apply(next, 'expand', child, tree);
  }
  return next;
}
