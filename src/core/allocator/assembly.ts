/** Initial assembly: a working context by recency alone, straight from the tree. */
import { type Lod, K, tokensPerEntry } from '../tree/ids.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import { protectedStart } from '../context/moves.ts';
import { entryAt, layoutOf } from '../context/working-context.ts';
import type { Entry, Layout } from '../context/working-context.ts';
import type { ActionRecord } from '../trace/telemetry.ts';
import { AllocationPass } from './pass/allocation-pass.ts';
import { INITIAL_ALLOCATOR_STATE } from './pass/allocator-state.ts';
import type { AllocatorConfig } from './pass/allocator-state.ts';
import { fitToBudget } from './pass/payment.ts';

export type AssemblyConfig = AllocatorConfig & { readonly lod1WindowTokens: number };

export interface Assembly {
  readonly layout: Layout;
  /** Entries that did not fit even at their coarsest, oldest first. */
  readonly evictions: readonly ActionRecord[];
}

/**
 * The newest `recentTokens` raw, the next `lod1WindowTokens` at LOD1, older at the coarsest levels that tile
 * exactly; then shrunk from the oldest side, by coarsening and at last by eviction, until the budget holds.
 * Blocks whose gists do not exist yet can only stay raw.
 */
export function assembleByRecency(tree: GistTree, config: AssemblyConfig, reserveTokens = 0): Assembly {
  const cursor = tree.tokenCount;
  const recentStart = protectedStart(cursor, config);
  const lod1Start = Math.floor(Math.max(0, recentStart - config.lod1WindowTokens) / K) * K;
  const entries: Entry[] = [];
  tile(entries, tree, lod1Start, tree.maxLod);
  tile(entries, tree, recentStart, 1);
  tile(entries, tree, cursor, 0);
  const layout = layoutOf(entries);
  const pass = new AllocationPass({
    layout,
    scores: null,
    tree,
    config,
    state: INITIAL_ALLOCATOR_STATE,
    reserveTokens: Math.min(reserveTokens, config.budgetTokens - K),
  });
  if (pass.freeTokens >= 0) return { layout, evictions: [] };
  fitToBudget(pass);
  const shrunk = pass.outcome();
  return { layout: shrunk.layout, evictions: shrunk.actions.filter((action) => action.kind === 'evict') };
}

/**
 * Cover what follows the entries up to `end` with the coarsest aligned entries that exist, up to `maxLod`. Where all
 * of them are in the cold tier, the finest coarser one stands in, and may reach beyond `end`.
 */
function tile(entries: Entry[], tree: GistTree, end: number, maxLod: Lod): void {
  for (let position = entries.at(-1)?.end ?? 0; position < end;) {
    let lod: number = maxLod;
    while (lod >= 0 && !fits(tree, lod, position, lod === 0 ? Infinity : end)) lod--;
    if (lod < 0) lod = maxLod + 1;
    while (lod <= tree.maxLod && !fits(tree, lod, position, tree.tokenCount)) lod++;
    // Nothing can stand here but what is missing; the layout's invariants say so.
    const isRaw = lod === 0 || lod > tree.maxLod;
    const entry = isRaw ? rawAt(tree, position) : entryAt(lod as Lod, position);
    entries.push(entry);
    position = entry.end;
  }
}

function rawAt(tree: GistTree, start: number): Entry {
  return entryAt(0, start, Math.min(start + K, tree.tokenCount));
}

/** At LOD0, whether the block can be served raw, closed or not. */
function fits(tree: GistTree, lod: number, position: number, end: number): boolean {
  const span = tokensPerEntry(lod);
  if (position % span !== 0 || !tree.canServe(lod, position)) return false;
  return lod === 0 || position + span <= end;
}
