/** The policies that evaluations compare: the learned lens, the baselines, and two oracles. */

export const EVALUATION_POLICIES = [
  { id: 'full', sentence: 'The whole history, raw, while it is in the base’s range.' },
  { id: 'streaming', sentence: 'StreamingLLM: 4 first tokens and the newest ones, raw.' },
  { id: 'newest-blocks', sentence: 'Gists, and the newest blocks raw as far as the budget reaches.' },
  { id: 'random-blocks', sentence: 'Gists, and blocks drawn at random raw; one draw a history.' },
  { id: 'gists', sentence: 'Gists only, apart from the recent window.' },
  { id: 'bm25-blocks', sentence: 'Gists, and the best blocks by BM25 of the question raw.' },
  { id: 'bm25-raw', sentence: 'The best blocks by BM25 of the question, without gists around.' },
  { id: 'cosine', sentence: 'Gists, and the best blocks by cosine of gist to question raw.' },
  { id: 'cosine-raw', sentence: 'The best blocks by cosine of gist to question, without gists around.' },
  {
    id: 'gist-attention',
    sentence: 'Gists, and the best blocks by untrained attention of the question to gists raw.',
  },
  { id: 'lensnet', sentence: 'LensNet and the focus allocator, as in a turn of the chat.' },
  {
    id: 'answer-oracle',
    sentence: 'Greedy counterfactual search over expansions, by the answer’s own likelihood.',
  },
  { id: 'gold', sentence: 'Gists, and exactly the blocks that hold the answer raw.' },
] as const;

export type EvaluationPolicyId = (typeof EVALUATION_POLICIES)[number]['id'];

/** All but the oracle, whose search takes seconds a question: it runs where it is asked for by name. */
export const DEFAULT_POLICIES: readonly EvaluationPolicyId[] = EVALUATION_POLICIES.map(({ id }) => id).filter(
  (id) => id !== 'answer-oracle',
);
