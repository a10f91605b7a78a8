/** Lexical relevance of every closed block to a query: BM25 (Robertson & Zaragoza 2009) on token ids. */
import { K } from '../../core/tree/ids.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';

/** How soon a repeated token stops counting. Blocks are of one length, so BM25's length term falls away. */
const SATURATION = 1.2;

/** `[closed blocks of the tree]`; 0 where no token of the query occurs. */
export function blockRelevance(tree: GistTree, query: ArrayLike<number>): Float32Array {
  const blocks = tree.closedBlockCount;
  const wanted = new Map<number, number>();
  for (let i = 0; i < query.length; i++) if (!wanted.has(query[i]!)) wanted.set(query[i]!, wanted.size);
  const counts = new Uint8Array(blocks * wanted.size);
  const blocksWith = new Uint32Array(wanted.size);
  for (let block = 0; block < blocks; block++) {
    const ids = tree.tokens(block * K, (block + 1) * K);
    for (const id of ids) {
      const term = wanted.get(id);
      if (term === undefined) continue;
      const at = block * wanted.size + term;
      if (counts[at] === 0) blocksWith[term]!++;
      counts[at]!++;
    }
  }
  const rarity = Array.from(blocksWith, (n) => Math.log(1 + (blocks - n + 0.5) / (n + 0.5)));
  const relevance = new Float32Array(blocks);
  for (let block = 0; block < blocks; block++) {
    for (let term = 0; term < wanted.size; term++) {
      const count = counts[block * wanted.size + term]!;
      if (count > 0) relevance[block]! += (rarity[term]! * count * (SATURATION + 1)) / (count + SATURATION);
    }
  }
  return relevance;
}

/** The most relevant block of a span of tokens; the first one where none is. */
export function bestBlock(relevance: Float32Array, start: number, end: number): number {
  let best = Math.floor(start / K);
  for (let block = best + 1; block < Math.ceil(end / K); block++) {
    if ((relevance[block] ?? 0) > (relevance[best] ?? 0)) best = block;
  }
  return best;
}
