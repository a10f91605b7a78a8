/** Everything that evaluations compare: policies of the page, run by the page's own loop, and baselines. */
import type { PolicyId } from '../../../core/trace/parameters.ts';
import { type BaselineId, BASELINES } from './baselines.ts';

/** Policies of the page; the names are the page's. */
export const LIVE_POLICIES = [
  { id: 'lensnet', sentence: 'LensNet and the focus allocator, as in a turn of the chat.' },
  { id: 'bm25', sentence: 'Keyword search for the newest tokens and the focus allocator, as in the chat.' },
  { id: 'hybrid', sentence: 'LensNet and keyword search by a fixed sum, and the allocator, as in the chat.' },
] as const satisfies readonly { readonly id: PolicyId; readonly sentence: string }[];

const ANSWER_ORACLE = {
  id: 'answer-oracle',
  sentence: 'Greedy counterfactual search over expansions, by the reference answer’s own likelihood.',
} as const;

export type LivePolicyId = (typeof LIVE_POLICIES)[number]['id'];
export type EvaluationPolicyId = BaselineId | LivePolicyId | typeof ANSWER_ORACLE.id;

/** In the order of reports. */
export const EVALUATION_POLICIES: readonly { readonly id: EvaluationPolicyId; readonly sentence: string }[] =
  [...BASELINES.filter(({ id }) => id !== 'gold'), ...LIVE_POLICIES, ANSWER_ORACLE, ...BASELINES.slice(-1)];

/** Dear ones run where they are asked for by name alone: the oracle's search takes seconds a question. */
export const DEFAULT_POLICIES: readonly EvaluationPolicyId[] = EVALUATION_POLICIES.map(({ id }) => id).filter(
  (id) => id !== 'answer-oracle',
);

export function isLive(id: EvaluationPolicyId): id is LivePolicyId {
  return LIVE_POLICIES.some((policy) => policy.id === id);
}
