/** The block of a span that a query is most likely to mean. */
import { K } from '../../core/tree/ids.ts';

/** `[closed blocks]` how relevant each is to a query, by `BlockIndex` or in any other way. */
export type BlockRelevance = ArrayLike<number>;

/** The most relevant block of a span of tokens; the first one where none is. */
export function bestBlock(relevance: BlockRelevance, start: number, end: number): number {
  let best = Math.floor(start / K);
  for (let block = best + 1; block < Math.ceil(end / K); block++) {
    if ((relevance[block] ?? 0) > (relevance[best] ?? 0)) best = block;
  }
  return best;
}
