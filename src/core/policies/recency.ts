/** The recency policy: the newest tokens raw, as far back as the budget reaches, older ones coarser. */
import type { Scorer } from './ports.ts';
import { entryScorer } from './entry-scorer.ts';

/**
 * Falls from 1 at the cursor to -1 at `1.5 · budget` tokens behind it: entries up to 0.6 budgets away are asked
 * to expand, those beyond 0.9 to collapse (at the default thresholds), and the budget settles what lies between.
 */
export function createRecencyScorer(options: { readonly budgetTokens: number }): Scorer {
  const reach = 1.5 * options.budgetTokens;
  return entryScorer('recency', (view) => (entry) => 1 - 2 * Math.min(1, (view.cursor - entry.end) / reach));
}
