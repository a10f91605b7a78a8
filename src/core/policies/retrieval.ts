/** The retrieval policy: cosine of each block's gist to the tail, which is what RAG by embedding would do. */
import { entryScorer } from './entry-scorer.ts';
import { definePolicy } from './policy.ts';
import type { Scorer } from './scorer.ts';
import { standings } from './standing.ts';
import { forEachProduct, meanTail } from './tail-query.ts';

/** How far an entry's cosine to the mean of the tail's embeddings stands out, as `standings` has it. */
export function createRetrievalScorer(): Scorer {
  return entryScorer('retrieval', (view) => {
    const query = meanTail(view);
    const length = Math.hypot(...query);
    const cosines = new Float64Array(view.entries.length);
    forEachProduct(view, query, (entry, dot, squares) => {
      cosines[entry] = dot / (Math.sqrt(squares) * length + 1e-12);
    });
    const scores = standings(cosines);
    return (_entry, _firstSlot, index) => scores[index]!;
  });
}

export const retrievalPolicy = definePolicy({
  id: 'retrieval',
  sentence: 'Cosine of each gist to the newest tokens: what retrieval by embedding would do.',
  reads: [],
  create: createRetrievalScorer,
});
