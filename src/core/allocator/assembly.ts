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
  tile(entries, tree, 0, lod1Start, tree.maxLod);
  tile(entries, tree, lod1Start, recentStart, 1);
  for (let start = recentStart; start < cursor; start += K) {
    entries.push(entryAt(0, start, Math.min(start + K, cursor)));
  }
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

/** Cover `start..end-1` with the coarsest aligned entries that exist, up to `maxLod`. */
function tile(entries: Entry[], tree: GistTree, start: number, end: number, maxLod: Lod): void {
  for (let position = start; position < end;) {
    let lod = maxLod;
    while (lod > 0 && !fits(tree, lod, position, end)) lod = (lod - 1) as Lod;
    const entry = entryAt(lod, position);
    entries.push(entry);
    position = entry.end;
  }
}

function fits(tree: GistTree, lod: Lod, position: number, end: number): boolean {
  const span = tokensPerEntry(lod);
  return position % span === 0 && position + span <= end && tree.canServe(lod, position);
}
