/** Chooses the scorer of a policy that needs no network of its own. */
import type { PinnedSpan } from '../context/working-context.ts';
import type { RunConfig } from '../trace/config.ts';
import type { PolicyId } from '../trace/parameters.ts';
import type { Scorer } from './ports.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import { createAttentionScorer } from './attention.ts';
import { createBm25Scorer } from './bm25.ts';
import { createManualScorer } from './manual.ts';
import { createRandomScorer } from './random.ts';
import { createRecencyScorer } from './recency.ts';
import { createRetrievalScorer } from './retrieval.ts';

export type BaselinePolicyId = Exclude<PolicyId, 'lensnet' | 'oracle'>;

/** @param pins - the pinned spans of the session, read anew at every refocus. */
export function createBaselineScorer(
  policy: BaselinePolicyId,
  config: Pick<RunConfig, 'seed' | 'budgetTokens'>,
  pins: () => readonly PinnedSpan[],
  tree: GistTree,
): Scorer {
  switch (policy) {
    case 'recency':
      return createRecencyScorer(config);
    case 'random':
      return createRandomScorer(config);
    case 'retrieval':
      return createRetrievalScorer();
    case 'bm25':
      return createBm25Scorer(tree);
    case 'attention':
      return createAttentionScorer();
    case 'manual':
      return createManualScorer(pins);
  }
}
