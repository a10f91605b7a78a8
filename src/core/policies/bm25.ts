/** The bm25 policy: keyword search for the newest tokens, as strong as keyword search is. */
import type { SlotView } from '../context/slot-view.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import { K } from '../tree/ids.ts';
import { entryScorer } from './entry-scorer.ts';
import { definePolicy, type PolicyPorts } from './policy.ts';
import type { Scorer } from './scorer.ts';
import { standings } from './standing.ts';
import { WindowIndex } from './window-index.ts';

/** How many of the newest tokens are the query while nobody asks. */
const QUERY_TOKENS = 64;
/** A question further back than this is no longer what the newest tokens are about. */
const QUESTION_REACH_TOKENS = 256;

export const bm25Policy = definePolicy({
  id: 'bm25',
  sentence: 'Keyword search (BM25 over windows of words) for the question, or else for the newest 64 tokens.',
  reads: [],
  create: (_, ports) => createBm25Scorer(ports),
});

/** An entry counts as its best block, and scores as `standings` has it. */
export function createBm25Scorer({ tree, createPieces }: Pick<PolicyPorts, 'tree' | 'createPieces'>): Scorer {
  const index = new WindowIndex(createPieces());
  return entryScorer('bm25', (view) => {
    index.add(tree.tokens(index.tokenCount, tree.tokenCount));
    const { start, end } = queryOf(view, tree);
    const pieces = createPieces();
    let query = '';
    for (const id of tree.tokens(start, end)) query += pieces.push(id);
    // The query's own blocks would be its best matches.
    const blocks = index.rank(query, Math.floor(start / K));
    const scores = standings(bestBlocks(view, blocks));
    return (_entry, _firstSlot, position) => scores[position]!;
  });
}

/** The last question, while it is near: what stands before it would be searched for as well. */
function queryOf({ cursor }: SlotView, tree: GistTree): { readonly start: number; readonly end: number } {
  const near = tree.provenanceOf(Math.max(0, cursor - QUESTION_REACH_TOKENS), cursor);
  const question = near.findLast(({ role }) => role === 'user');
  if (question === undefined) return { start: Math.max(0, cursor - QUERY_TOKENS), end: cursor };
  return { start: Math.max(question.start, question.end - QUESTION_REACH_TOKENS), end: question.end };
}

/** `[entries]` the rank of each one's best block. */
function bestBlocks({ entries }: SlotView, blocks: Float64Array): Float64Array {
  return Float64Array.from(entries, ({ start, end }) => {
    let most = 0;
    for (let block = start / K; block < end / K; block++) most = Math.max(most, blocks[block] ?? 0);
    return most;
  });
}
