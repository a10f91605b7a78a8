/** BM25 over the closed blocks of a tree, by token id: which of them a query or a continuation shares words with. */
import { K } from '../../core/tree/ids.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';

/** BM25's usual constant. Blocks all have one length, so its b has nothing to weigh. */
const K1 = 1.2;

/** Which closed blocks hold a token, in order, and how often. */
interface Posting {
  readonly blocks: number[];
  readonly counts: number[];
}

/** Follows a tree: what closed since the last question is read once, then never again. */
export class BlockIndex {
  private readonly postings = new Map<number, Posting>();
  private blockCount = 0;

  /** @param tree - borrowed; it may grow. */
  constructor(private readonly tree: Pick<GistTree, 'closedBlockCount' | 'tokens'>) {}

  /**
   * BM25 (Robertson and Zaragoza 2009) of every closed block for the query's distinct tokens.
   *
   * @param blocks - how many of the first blocks are wanted; a token's rarity is that in all of them.
   * @returns `[blocks]`; 0 where no token of the query occurs.
   */
  rank(query: Iterable<number>, blocks = this.tree.closedBlockCount): Float64Array {
    this.grow();
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

  private grow(): void {
    for (; this.blockCount < this.tree.closedBlockCount; this.blockCount++) {
      const start = this.blockCount * K;
      for (const id of this.tree.tokens(start, start + K)) this.add(id, this.blockCount);
    }
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
