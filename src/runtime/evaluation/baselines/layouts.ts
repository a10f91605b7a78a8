/** Working contexts of the policies that need no lens: a ranking of blocks, or a fixed rule. Pure. */
import { assembleByRecency } from '../../../core/allocator/assembly.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { apply, EXPANSION_COST, protectedStart } from '../../../core/context/moves.ts';
import { K } from '../../../core/tree/ids.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import {
  entryAt,
  entryIndexAt,
  extendLayout,
  emptyLayout,
  layoutOf,
} from '../../../core/context/working-context.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import type { Span } from '../world/history-writer.ts';
import type { Ranks } from './baseline.ts';

/** Kept free for the answer, as the running loop keeps it. */
const RESERVE_TOKENS = K;
/** StreamingLLM keeps this many first tokens (Xiao et al. 2023). */
const SINK_TOKENS = 4;

export function gistsLayout(tree: GistTree, config: RunConfig): Layout {
  return assembleByRecency(tree, config, RESERVE_TOKENS).layout;
}

/** The recency assembly with the best blocks expanded all the way to raw tokens, best first, while the budget lasts. */
export function expandedLayout(tree: GistTree, config: RunConfig, ranks: Ranks): Layout {
  let layout = gistsLayout(tree, config);
  const budget = config.budgetTokens - RESERVE_TOKENS;
  for (const block of bestFirst(ranks)) {
    if (layout.usedTokens + EXPANSION_COST > budget) break;
    const at = entryIndexAt(layout, block * K);
    const lod = layout.entries[at]?.lod ?? 0;
    if (lod === 0 || layout.usedTokens + lod * EXPANSION_COST > budget) continue;
    for (let level = lod; level > 0; level--)
      layout = apply(layout, 'expand', entryIndexAt(layout, block * K), tree);
  }
  return layout;
}

/** The best blocks and the recent window, raw, and nothing around them: what retrieval without gists reads. */
export function rawLayout(tree: GistTree, config: RunConfig, ranks: Ranks): Layout {
  const recentStart = protectedStart(tree.tokenCount, config);
  const free = config.budgetTokens - RESERVE_TOKENS - (tree.tokenCount - recentStart);
  const older = bestFirst(ranks).filter((block) => block * K < recentStart);
  const taken = older.slice(0, Math.max(0, Math.floor(free / K))).sort((a, b) => a - b);
  return layoutOf([
    ...taken.map((block) => entryAt(0, block * K)),
    ...rawEntries(recentStart, tree.tokenCount),
  ]);
}

/** The ranked blocks and what stands behind the history, raw, whatever the budget: nothing beside what was asked about. */
export function passageLayout(tree: GistTree, _: RunConfig, ranks: Ranks): Layout {
  const taken = bestFirst(ranks).sort((a, b) => a - b);
  return layoutOf([
    ...taken.map((block) => entryAt(0, block * K)),
    ...rawEntries(ranks.length * K, tree.tokenCount),
  ]);
}

/** The first few tokens and as many of the newest as the budget holds, all raw. */
export function streamingLayout(tree: GistTree, config: RunConfig): Layout {
  const budget = config.budgetTokens - RESERVE_TOKENS;
  if (tree.tokenCount <= budget) return fullLayout(tree);
  const start = Math.ceil((tree.tokenCount - (budget - SINK_TOKENS)) / K) * K;
  return layoutOf([entryAt(0, 0, SINK_TOKENS), ...rawEntries(start, tree.tokenCount)]);
}

/** The whole history, raw, whatever the budget. */
export function fullLayout(tree: GistTree): Layout {
  return extendLayout(emptyLayout(), tree.tokenCount);
}

/** True if every token of the spans is raw. */
export function isRouted(layout: Layout, gold: readonly Span[]): boolean {
  return gold.every(({ start, end }) => {
    for (let token = start; token < end; token += K - (token % K)) {
      if (layout.entries[entryIndexAt(layout, token)]?.lod !== 0) return false;
    }
    return true;
  });
}

/** The tokens `start..end-1` raw, cut at the bounds of blocks. */
export function rawEntries(start: number, end: number) {
  const entries = [];
  for (let at = start; at < end; at += K - (at % K)) {
    entries.push(entryAt(0, at, Math.min(at + K - (at % K), end)));
  }
  return entries;
}

/** Ties go to the newer block. */
function bestFirst(ranks: Ranks): number[] {
  const wanted = Array.from(ranks, (_, block) => block).filter((block) => ranks[block]! > -Infinity);
  return wanted.sort((a, b) => ranks[b]! - ranks[a]! || b - a);
}
