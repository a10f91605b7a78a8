/** Chooses the scorer of a policy that needs no network. */
import type { PinnedSpan } from '../allocator.ts';
import type { PolicyId, RunConfig } from '../config.ts';
import type { Scorer } from '../ports.ts';
import { createManualScorer } from './manual.ts';
import { createRandomScorer } from './random.ts';
import { createRecencyScorer } from './recency.ts';
import { createRetrievalScorer } from './retrieval.ts';

export type BaselinePolicyId = Exclude<PolicyId, 'lensnet'>;

/** @param pins - the pinned spans of the session, read anew at every refocus. */
export function createBaselineScorer(
  policy: BaselinePolicyId,
  config: Pick<RunConfig, 'seed' | 'budgetTokens'>,
  pins: () => readonly PinnedSpan[],
): Scorer {
  switch (policy) {
    case 'recency':
      return createRecencyScorer(config);
    case 'random':
      return createRandomScorer(config);
    case 'retrieval':
      return createRetrievalScorer();
    case 'manual':
      return createManualScorer(pins);
  }
}
