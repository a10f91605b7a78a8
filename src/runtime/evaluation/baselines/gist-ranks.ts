/** Rankings by the LOD1 gists alone: cosine to the question, and untrained attention of the question. Pure. */
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { Ranks } from './baseline.ts';

/** `[blocks, d]` the LOD1 gists. */
export function blockGists(tree: GistTree, blocks: number): Float32Array {
  const gists = new Float32Array(blocks * tree.hiddenSize);
  if (blocks > 0) tree.readGists(1, 0, blocks, gists);
  return gists;
}

/** Cosine of every LOD1 gist to the mean embedding of the question. */
export function rankByCosine(gists: Float32Array, question: Float32Array, d: number): Ranks {
  const mean = new Float64Array(d);
  for (let i = 0; i < question.length; i++) mean[i % d]! += question[i]!;
  return Float64Array.from({ length: gists.length / d }, (_, block) => {
    let dot = 0;
    let squares = 0;
    for (let j = 0; j < d; j++) {
      const value = gists[block * d + j]!;
      dot += value * mean[j]!;
      squares += value * value;
    }
    return dot / (Math.sqrt(squares) + 1e-12);
  });
}

/**
 * Training-free attention: every token of the question attends to all gists, softmax(e·g / sqrt(d)), and a block's
 * rank is the attention that it gets.
 */
export function rankByAttention(gists: Float32Array, question: Float32Array, d: number): Ranks {
  const blocks = gists.length / d;
  const ranks = new Float64Array(blocks);
  const weights = new Float64Array(blocks);
  for (let token = 0; token < question.length / d; token++) {
    let highest = -Infinity;
    for (let block = 0; block < blocks; block++) {
      let dot = 0;
      for (let j = 0; j < d; j++) dot += gists[block * d + j]! * question[token * d + j]!;
      weights[block] = dot / Math.sqrt(d);
      highest = Math.max(highest, weights[block]!);
    }
    let total = 0;
    for (let block = 0; block < blocks; block++)
      total += weights[block] = Math.exp(weights[block]! - highest);
    for (let block = 0; block < blocks; block++) ranks[block]! += weights[block]! / total;
  }
  return ranks;
}
