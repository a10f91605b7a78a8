/** The greedy counterfactual oracle: tries every legal expansion and keeps the one that helps the answer most. */
import type { RunConfig } from '../../../core/trace/config.ts';
import { apply, EXPANSION_COST } from '../../../core/context/moves.ts';
import { K } from '../../../core/tree/ids.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import { gistsLayout } from './layouts.ts';

/** Nats: a step that brings less ends the search. */
const MIN_GAIN = 1e-3;
const MAX_STEPS = 8;

/**
 * @param nll - of the answer given a layout; called once a legal expansion and step.
 * @returns the recency assembly with the expansions that lowered the answer's NLL most, one at a time.
 */
export async function searchOracle(
  tree: GistTree,
  config: RunConfig,
  nll: (layout: Layout) => Promise<number>,
): Promise<Layout> {
  let layout = gistsLayout(tree, config);
  let least = await nll(layout);
  for (let step = 0; step < MAX_STEPS; step++) {
    if (layout.usedTokens + EXPANSION_COST > config.budgetTokens - K) break;
    let best: Layout | null = null;
    const before = least;
    // From the newest on: what stands before an expansion is then the same as in the one before.
    for (let i = layout.entries.length - 1; i >= 0; i--) {
      const { lod, start } = layout.entries[i]!;
      if (lod === 0 || !tree.canServeChildren(lod, start)) continue;
      const candidate = apply(layout, 'expand', i, tree);
      const value = await nll(candidate);
      if (value < least) [best, least] = [candidate, value];
    }
    if (best === null || before - least < MIN_GAIN) break;
    layout = best;
  }
  return layout;
}
