/** The bm25 policy: word overlap of each block with the newest tokens, which is what keyword search would do. */
import { K } from '../tree/ids.ts';
import { Bm25Index } from './bm25-index.ts';
import { entryScorer } from './entry-scorer.ts';
import { definePolicy } from './policy.ts';
import { standings } from './standing.ts';

/** How many of the newest tokens are the query. */
const QUERY_TOKENS = 64;

/** An entry counts as its best block by BM25 for the last 64 tokens, and scores as `standings` has it. */
export const bm25Policy = definePolicy({
  id: 'bm25',
  sentence: 'Word overlap of each block with the newest 64 tokens: what keyword search would do.',
  reads: [],
  create(_, { tree }) {
    const index = new Bm25Index(tree);
    return entryScorer('bm25', (view) => {
      const queryStart = Math.max(0, view.cursor - QUERY_TOKENS);
      // The query's own blocks would be its best matches.
      const blocks = index.rank(tree.tokens(queryStart, view.cursor), Math.floor(queryStart / K));
      const best = view.entries.map(({ start, end }) => {
        let most = 0;
        for (let block = start / K; block < end / K; block++) most = Math.max(most, blocks[block] ?? 0);
        return most;
      });
      const scores = standings(Float64Array.from(best));
      return (_entry, _firstSlot, position) => scores[position]!;
    });
  },
});
