/** The bm25 policy: keyword search for the newest tokens, as strong as keyword search is. */
import type { SlotView } from '../context/slot-view.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import { K } from '../tree/ids.ts';
import { entryScorer } from './entry-scorer.ts';
import { definePolicy, type PolicyPorts } from './policy.ts';
import type { Scorer } from './scorer.ts';
import { standings } from './standing.ts';
import { WindowIndex } from './window-index.ts';

/** How many of the newest tokens are the query. */
const QUERY_TOKENS = 64;

export const bm25Policy = definePolicy({
  id: 'bm25',
  sentence: 'Keyword search (BM25 over windows of words) for the newest 64 tokens.',
  reads: [],
  create: (_, ports) => createBm25Scorer(ports),
});

/** An entry counts as its best block for the last 64 tokens, and scores as `standings` has it. */
export function createBm25Scorer({ tree, createPieces }: Pick<PolicyPorts, 'tree' | 'createPieces'>): Scorer {
  const index = new WindowIndex(createPieces());
  return entryScorer('bm25', (view) => {
    index.add(tree.tokens(index.tokenCount, tree.tokenCount));
    const scores = standings(bestBlocks(view, index, queryOf(view, tree, createPieces)));
    return (_entry, _firstSlot, position) => scores[position]!;
  });
}

function queryOf(view: SlotView, tree: GistTree, createPieces: PolicyPorts['createPieces']): string {
  const pieces = createPieces();
  let text = '';
  for (const id of tree.tokens(Math.max(0, view.cursor - QUERY_TOKENS), view.cursor)) text += pieces.push(id);
  return text;
}

/** `[entries]` the rank of each one's best block; the query's own blocks would be the best and do not count. */
function bestBlocks(view: SlotView, index: WindowIndex, query: string): Float64Array {
  const blocks = index.rank(query, Math.floor(Math.max(0, view.cursor - QUERY_TOKENS) / K));
  return Float64Array.from(view.entries, ({ start, end }) => {
    let most = 0;
    for (let block = start / K; block < end / K; block++) most = Math.max(most, blocks[block] ?? 0);
    return most;
  });
}
