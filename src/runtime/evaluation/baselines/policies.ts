/** Everything that evaluations compare: policies of the page, run by the page's own loop, and baselines. */
import type { PolicyId } from '../../../core/parameters/policy.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { type BaselineId, BASELINES } from './baselines.ts';
import { withoutWords } from './without-words.ts';

/** Policies of the page, with the page's names, and the ablation of one. */
const LIVE_POLICIES = [
  {
    id: 'lensnet',
    policy: 'lensnet',
    sentence: 'LensNet and the focus allocator, as in a turn of the chat.',
  },
  {
    id: 'lensnet-no-words',
    policy: 'lensnet',
    sentence: 'LensNet without its lexical features, which are set to 0; for the rest as lensnet.',
  },
  {
    id: 'bm25',
    policy: 'bm25',
    sentence: 'Keyword search for the newest tokens and the focus allocator, as in the chat.',
  },
  {
    id: 'hybrid',
    policy: 'hybrid',
    sentence: 'LensNet and keyword search by a fixed sum, and the allocator, as in the chat.',
  },
] as const satisfies readonly { readonly id: string; readonly policy: PolicyId; readonly sentence: string }[];

const ANSWER_ORACLE = {
  id: 'answer-oracle',
  sentence: 'Greedy counterfactual search over expansions, by the reference answer’s own likelihood.',
} as const;

export type LivePolicyId = (typeof LIVE_POLICIES)[number]['id'];
export type EvaluationPolicyId = BaselineId | LivePolicyId | typeof ANSWER_ORACLE.id;

/** In the order of reports. */
export const EVALUATION_POLICIES: readonly { readonly id: EvaluationPolicyId; readonly sentence: string }[] =
  [...BASELINES.filter(({ id }) => id !== 'gold'), ...LIVE_POLICIES, ANSWER_ORACLE, ...BASELINES.slice(-1)];

/**
 * Run where they are asked for by name alone: a search, or the whole history again, for every question; an ablation; one
 * that few cases know.
 */
const ON_REQUEST: readonly EvaluationPolicyId[] = [
  'answer-oracle',
  'infini-retri',
  'lensnet-no-words',
  'gold-passage',
];
export const DEFAULT_POLICIES: readonly EvaluationPolicyId[] = EVALUATION_POLICIES.map(({ id }) => id).filter(
  (id) => !ON_REQUEST.includes(id),
);

/** The page's policy that runs, and the model that it runs with. */
export function livePolicy(
  id: LivePolicyId,
  model: LoadedModel,
): { readonly policy: PolicyId; readonly model: LoadedModel } {
  const { policy } = LIVE_POLICIES.find((live) => live.id === id)!;
  return { policy, model: id === 'lensnet-no-words' ? withoutWords(model) : model };
}

export function isLive(id: EvaluationPolicyId): id is LivePolicyId {
  return LIVE_POLICIES.some((policy) => policy.id === id);
}
