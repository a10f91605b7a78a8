/**
 * Quest (Tang et al. 2024, arXiv 2406.10774): a block is worth the most that any key in it could be to a query, by
 * the least and the most of its keys' numbers. The paper chooses anew for every layer, head and token; here one
 * working context serves them all, so each of them shares out one vote by softmax over its bounds, and a block's
 * rank is the sum. Every token of the question votes.
 */
import type { AttentionHeads } from '../../../nn/ports.ts';
import { type HistoryKeys, keyHeadOf } from '../memory/history-keys.ts';
import { addSoftmax } from './attention-mass.ts';
import { askedIds, type BaselineHistory, type BlockRanker, type Ranks } from './baseline.ts';

export async function createQuestRanker({ keys, tree }: BaselineHistory): Promise<BlockRanker> {
  const known = await keys();
  let baseTokens = 0;
  return {
    baseTokensOnce: known.baseTokens,
    msOnce: known.ms,
    get baseTokens() {
      return baseTokens;
    },
    rank: async (asked) => {
      const ids = askedIds(asked);
      baseTokens += ids.length;
      return rankByBounds(await known.ask(ids), known, tree.closedBlockCount);
    },
  };
}

/** @param queries - per layer `[n, heads · headDim]`. */
export function rankByBounds(
  queries: readonly Float32Array[],
  { least, most, shape }: Pick<HistoryKeys, 'least' | 'most' | 'shape'>,
  blocks: number,
): Ranks {
  const ranks = new Float64Array(blocks);
  const bounds = new Float64Array(blocks);
  const { heads, headDim } = shape;
  for (const [layer, rows] of queries.entries()) {
    for (let vote = 0; vote < rows.length / headDim; vote++) {
      const query = rows.subarray(vote * headDim, (vote + 1) * headDim);
      const keyHead = keyHeadOf(vote % heads, shape);
      for (let block = 0; block < blocks; block++)
        bounds[block] = boundOf(query, least[layer]!, most[layer]!, block, keyHead, shape);
      addSoftmax(bounds, ranks, 1);
    }
  }
  return ranks;
}

/** No key of the block has a greater product with the query. */
export function boundOf(
  query: Float32Array,
  least: Float32Array,
  most: Float32Array,
  block: number,
  keyHead: number,
  { kvHeads, headDim }: AttentionHeads,
): number {
  const at = (block * kvHeads + keyHead) * headDim;
  let bound = 0;
  for (let j = 0; j < headDim; j++) {
    const value = query[j]!;
    bound += value * (value > 0 ? most[at + j]! : least[at + j]!);
  }
  return bound;
}
