/** Rankings of 32-token blocks by a question: what retrieval without a lens would expand first. Pure. */
import { K } from '../../../core/tree/ids.ts';
import type { Rng } from '../../../base/rng.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { Span } from '../world/history-writer.ts';

/** `[blocks]` higher is more wanted; -Infinity is never expanded. */
export type Ranks = Float64Array;

/** BM25's usual constants. */
const K1 = 1.2;
const B = 0.75;

/**
 * BM25 (Robertson and Zaragoza 2009) of the question's tokens over the raw tokens of every block. All blocks have
 * one length, so b only scales.
 */
export function rankByBm25(tree: GistTree, blocks: number, question: Uint32Array): Ranks {
  const terms = [...new Set(question)];
  const termOf = new Map(terms.map((id, term) => [id, term]));
  const frequencies = new Uint8Array(blocks * terms.length);
  const holding = new Uint32Array(terms.length);
  const ids = tree.tokens(0, blocks * K);
  for (let i = 0; i < ids.length; i++) {
    const term = termOf.get(ids[i]!);
    if (term === undefined) continue;
    const at = Math.floor(i / K) * terms.length + term;
    if (frequencies[at] === 0) holding[term]!++;
    frequencies[at]!++;
  }
  const weights = terms.map((_, term) =>
    Math.log((blocks - holding[term]! + 0.5) / (holding[term]! + 0.5) + 1),
  );
  return Float64Array.from({ length: blocks }, (_, block) => {
    let score = 0;
    for (let term = 0; term < terms.length; term++) {
      const frequency = frequencies[block * terms.length + term]!;
      if (frequency > 0) score += (weights[term]! * frequency * (K1 + 1)) / (frequency + K1 * (1 - B + B));
    }
    return score;
  });
}

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

export function rankByRecency(blocks: number): Ranks {
  return Float64Array.from({ length: blocks }, (_, block) => block);
}

export function rankAtRandom(blocks: number, rng: Rng): Ranks {
  return Float64Array.from({ length: blocks }, () => rng.nextFloat());
}

/** The blocks that hold what the answer needs, and no others. */
export function rankByGold(blocks: number, gold: readonly Span[]): Ranks {
  return Float64Array.from({ length: blocks }, (_, block) =>
    gold.some(({ start, end }) => start < (block + 1) * K && block * K < end) ? 1 : -Infinity,
  );
}
