/**
 * Chooses which moves of a working context to measure: what the lens wants, what a retriever would want (hard
 * negatives), what the real continuation has words in common with (likely gains), and some at random.
 */
import { type Lod } from '../../core/tree/ids.ts';
import { LEGALITY, collapseLegality, expandLegality, protectedStart } from '../../core/context/moves.ts';
import type { Rng } from '../../base/rng.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';
import { collapseEntry, entryIndexAt, expandEntry, siblingRun } from '../../core/context/working-context.ts';
import type { Layout } from '../../core/context/working-context.ts';
import { K } from '../../core/tree/ids.ts';
import { bestBlock } from './block-relevance.ts';

/** A unit that could move: one gist that expands, or the entries that collapse together. */
interface Unit {
  readonly kind: 'expand' | 'collapse';
  readonly firstEntry: number;
  readonly entryCount: number;
  readonly lod: Lod;
  readonly start: number;
  readonly end: number;
}

export interface CandidateMove extends Unit {
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
  readonly tailRelevance: Float32Array;
  /** `[closed blocks]` by the words of tail and real continuation. */
  readonly futureRelevance: Float32Array;
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
  chosen.sort((a, b) => b.firstEntry - a.firstEntry);
  return chosen.map((unit) => ({ ...unit, layout: apply(input, unit) }));
}

/** Every unit that may move, budget aside: what a move is worth does not depend on who pays. */
export function unitsOf({ layout, tree, config }: Pick<MoveInput, 'layout' | 'tree' | 'config'>): {
  readonly expansions: readonly Unit[];
  readonly collapses: readonly Unit[];
} {
  const expansions: Unit[] = [];
  const collapses: Unit[] = [];
  const recentStart = protectedStart(layout.cursor, config);
  layout.entries.forEach((entry, index) => {
    const { lod, start } = entry;
    if (expandLegality(entry, tree, Infinity) === LEGALITY.legal) {
      expansions.push({ kind: 'expand', firstEntry: index, entryCount: 1, lod, start, end: entry.end });
    }
    const run = siblingRun(layout, index);
    if (run?.first !== index || collapseLegality(layout, index, tree, recentStart) !== LEGALITY.legal) return;
    const { end } = layout.entries[index + run.count - 1]!;
    collapses.push({ kind: 'collapse', firstEntry: index, entryCount: run.count, lod, start, end });
  });
  return { expansions, collapses };
}

/** Mean over a unit's entries. */
export function unitScore(scores: Float32Array, { firstEntry, entryCount }: Omit<Unit, 'kind'>): number {
  let sum = 0;
  for (let i = firstEntry; i < firstEntry + entryCount; i++) sum += scores[i]!;
  return sum / entryCount;
}

type Rank = (unit: Unit) => number;

function meanOf(scores: Float32Array): Rank {
  return (unit) => unitScore(scores, unit);
}

function relevanceOf(relevance: Float32Array): Rank {
  return ({ start, end }) => relevance[bestBlock(relevance, start, end)] ?? 0;
}

/** The best of each rank in turn, no unit twice. */
function pick(units: readonly Unit[], quotas: readonly (readonly [count: number, rank: Rank])[]): Unit[] {
  const left = new Set(units);
  const chosen: Unit[] = [];
  for (const [count, rank] of quotas) {
    const ranked = [...left].map((unit) => ({ unit, value: rank(unit) })).sort((a, b) => b.value - a.value);
    for (const { unit } of ranked.slice(0, count)) {
      left.delete(unit);
      chosen.push(unit);
    }
  }
  return chosen;
}

function apply({ layout, tree, futureRelevance }: MoveInput, unit: Unit): Layout {
  if (unit.kind === 'collapse') return collapseEntry(layout, unit.firstEntry, tree);
  return expandToRaw(layout, unit.firstEntry, tree, futureRelevance);
}

/**
 * Expand a gist, and below LOD1 go on down to the raw tokens of its most relevant block: gists alone rarely say
 * what a page holds, so one level of expansion would count every page as worthless.
 */
export function expandToRaw(layout: Layout, index: number, tree: GistTree, relevance: Float32Array): Layout {
  const { lod, start, end } = layout.entries[index]!;
  const target = bestBlock(relevance, start, end) * K;
  let next = expandEntry(layout, index, tree);
  for (let level = lod - 1; level >= 1; level--) {
    const child = entryIndexAt(next, target);
    if (expandLegality(next.entries[child]!, tree, Infinity) !== LEGALITY.legal) break;
    next = expandEntry(next, child, tree);
  }
  return next;
}
