/** The default strategy: the best expansions and collapses, taken alternately within budget and limits. */
import type { Allocation, AllocationInput, AllocationStrategy } from '../focus-allocator.ts';
import { takeAlternately } from '../alternation.ts';
import { collectCandidates } from '../candidates.ts';
import { runStrategy } from '../strategy-run.ts';

export const greedyStrategy: AllocationStrategy = { id: 'greedy', allocate };

/** @throws {RangeError} if the scores are not one per entry. */
export function allocate(input: AllocationInput): Allocation {
  return runStrategy(input, (run) => ({
    taken: takeAlternately(run, collectCandidates(run, run.config), () => run.config.tauExpand),
  }));
}
