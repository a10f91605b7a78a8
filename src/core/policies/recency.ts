/** The recency policy: the newest tokens raw, as far back as the budget reaches, older ones coarser. */
import { entryScorer } from './entry-scorer.ts';
import { definePolicy } from './policy.ts';
import type { Scorer } from './scorer.ts';

/**
 * Falls from 1 at the cursor to -1 at `1.5 · budget` tokens behind it: entries up to 0.6 budgets away are asked
 * to expand, those beyond 0.9 to collapse (at the default thresholds), and the budget settles what lies between.
 */
export function createRecencyScorer({ budgetTokens }: { readonly budgetTokens: number }): Scorer {
  const reach = 1.5 * budgetTokens;
  return entryScorer('recency', (view) => (entry) => 1 - 2 * Math.min(1, (view.cursor - entry.end) / reach));
}

export const recencyPolicy = definePolicy({
  id: 'recency',
  sentence: 'The newest tokens raw as far back as the budget reaches, older ones coarser.',
  reads: ['budgetTokens'],
  create: createRecencyScorer,
});
