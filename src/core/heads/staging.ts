/**
 * The staging context: a wide reservoir that the base never reads, between tree and heads. Owns when it is due, what
 * it lends the heads, and what counts as a hit. It is refocused like any head, in parts of bounded size.
 */
import { entryIndexAt, type Layout } from '../context/working-context.ts';
import type { ActionRecord } from '../trace/telemetry.ts';
import type { Scorer } from '../policies/scorer.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import { K, type Lod, type NodeRun, tokensPerEntry } from '../tree/ids.ts';

/** Slots that one scoring of a wide context reads at most, beside the tail: the cost grows linearly. */
export const STAGING_PART_SLOTS = 1024;

/** What staging saw when it was refocused last. */
export interface StagedView {
  readonly layout: Layout;
  /** `[layout.entries.length]`. */
  readonly scores: Float32Array;
}

export interface StagingUse {
  /** Expansions of heads into what staging holds at least as fine. */
  readonly hits: number;
  /** Those that went beyond it. */
  readonly misses: number;
}

/**
 * @param ageTokens - tokens that came in since its last refocus; null before the first.
 * @param asked - a question stands at the cursor: passes over it count until one moves nothing, since a fact may lie
 * several levels down.
 * @param isSettled - its last refocus was such a pass and moved nothing.
 */
export function isStagingDue(
  ageTokens: number | null,
  everyTokens: number,
  asked: boolean,
  isSettled: boolean,
): boolean {
  if (ageTokens === null || ageTokens >= everyTokens) return true;
  return asked && !(isSettled && ageTokens === 0);
}

/** Scores each gist by the best of what staging holds below it; where staging holds nothing finer, by itself. */
export function scoredWithStaging(scorer: Scorer, staged: () => StagedView | null): Scorer {
  return {
    id: scorer.id,
    async score(view) {
      const own = await scorer.score(view);
      const seen = staged();
      if (seen === null) return own;
      const scores = Float32Array.from(own);
      const { entries } = seen.layout;
      let slot = 0;
      // Both are in order of position, so one walk pairs them.
      let at = 0;
      for (const { lod, start, end, cost } of view.entries) {
        while (at < entries.length && entries[at]!.end <= start) at++;
        if (lod > 0) {
          let best = -Infinity;
          for (let i = at; i < entries.length && entries[i]!.end <= end; i++) {
            if (entries[i]!.lod < lod) best = Math.max(best, seen.scores[i]!);
          }
          if (best > -Infinity) scores[slot] = best;
        }
        slot += cost;
      }
      return scores;
    },
  };
}

/** A refocus of staging asks for the children of so many gists at most. */
const MOST_PREFETCHED = 16;

/**
 * What staging would open and cannot, since it is in the cold tier: the children of gists that score above the threshold
 * of expansion, those of the best first.
 */
export function coldBelow(
  { layout, scores }: StagedView,
  tree: Pick<GistTree, 'canServeChildren'>,
  tauExpand: number,
): readonly NodeRun[] {
  return [...layout.entries.keys()]
    .filter((index) => {
      const { lod, start } = layout.entries[index]!;
      return lod > 0 && scores[index]! > tauExpand && !tree.canServeChildren(lod, start);
    })
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, MOST_PREFETCHED)
    .map((index) => {
      const { lod, start } = layout.entries[index]!;
      const child = (lod - 1) as Lod;
      return { lod: child, first: start / tokensPerEntry(child), count: child === 0 ? 1 : K };
    });
}

/** How the applied expansions of a head stand to what staging holds. */
export function stagingUse(
  { layout }: Pick<StagedView, 'layout'>,
  actions: readonly ActionRecord[],
): StagingUse {
  let hits = 0;
  let misses = 0;
  for (const { kind, applied, lod, start } of actions) {
    if (!applied || kind !== 'expand') continue;
    const entry = layout.entries[entryIndexAt(layout, start)];
    if (entry !== undefined && entry.lod < lod) hits++;
    else misses++;
  }
  return { hits, misses };
}
