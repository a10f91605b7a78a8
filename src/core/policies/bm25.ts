/** The bm25 policy: word overlap of each block with the newest tokens, which is what keyword search would do. */
import { K } from '../tree/ids.ts';
import type { Scorer } from './ports.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import { entryScorer } from './entry-scorer.ts';
import { standings } from './standing.ts';

/** BM25's usual constant. Blocks all have one length, so its b has nothing to weigh. */
const K1 = 1.2;
/** How many of the newest tokens are the query. */
const QUERY_TOKENS = 64;

/** Which closed blocks hold a token, in order, and how often. */
interface Posting {
  readonly blocks: number[];
  readonly counts: number[];
}

/**
 * BM25 (Robertson and Zaragoza 2009) of every closed block's token ids for the last 64 tokens; an entry counts as
 * its best block, and scores as `standings` has it. The index grows with the tree: nothing is read twice.
 */
export function createBm25Scorer(tree: GistTree): Scorer {
  const index = new BlockIndex(tree);
  return entryScorer('bm25', (view) => {
    index.grow();
    const query = tree.tokens(Math.max(0, view.cursor - QUERY_TOKENS), view.cursor);
    // The query's own blocks would be its best matches.
    const blocks = index.rank(query, Math.floor(Math.max(0, view.cursor - QUERY_TOKENS) / K));
    const best = view.entries.map(({ start, end }) => {
      let most = 0;
      for (let block = start / K; block < end / K; block++) most = Math.max(most, blocks[block] ?? 0);
      return most;
    });
    const scores = standings(Float64Array.from(best));
    return (_entry, _firstSlot, position) => scores[position]!;
  });
}

class BlockIndex {
  private readonly postings = new Map<number, Posting>();
  private blockCount = 0;

  constructor(private readonly tree: GistTree) {}

  /** Take in the blocks that closed since the last call. */
  grow(): void {
    for (; this.blockCount < this.tree.closedBlockCount; this.blockCount++) {
      const start = this.blockCount * K;
      for (const id of this.tree.tokens(start, start + K)) this.add(id, this.blockCount);
    }
  }

  /** `[blocks]` scores of the first blocks for the query's distinct tokens. */
  rank(query: Uint32Array, blocks: number): Float64Array {
    const scores = new Float64Array(blocks);
    for (const id of new Set(query)) {
      const posting = this.postings.get(id);
      if (posting === undefined) continue;
      const holding = posting.blocks.length;
      const weight = Math.log((this.blockCount - holding + 0.5) / (holding + 0.5) + 1);
      for (let i = 0; i < holding && posting.blocks[i]! < blocks; i++) {
        const count = posting.counts[i]!;
        scores[posting.blocks[i]!]! += (weight * count * (K1 + 1)) / (count + K1);
      }
    }
    return scores;
  }

  private add(id: number, block: number): void {
    const posting = this.postings.get(id);
    if (posting === undefined) this.postings.set(id, { blocks: [block], counts: [1] });
    else if (posting.blocks.at(-1) === block) posting.counts[posting.counts.length - 1]!++;
    else {
      posting.blocks.push(block);
      posting.counts.push(1);
    }
  }
}
