/**
 * Mean-pooled token embeddings of 64-token chunks, cosine to the question's mean: the retriever of a namesake
 * project, and the plainest dense one. The base's own input embeddings, nothing trained. Chunks start at every
 * second block.
 */
import { K } from '../../../core/tree/ids.ts';
import type { BaselineHistory, BlockRanker } from './baseline.ts';

const CHUNK_BLOCKS = 2;

export function createEmbeddingRanker({ model, tree }: BaselineHistory): BlockRanker {
  const { base } = model;
  const d = base.hiddenSize;
  const blocks = tree.closedBlockCount;
  const chunkTokens = CHUNK_BLOCKS * K;
  const chunks = Math.ceil(blocks / CHUNK_BLOCKS);
  const means = Array.from({ length: chunks }, (_, chunk) => {
    const start = chunk * chunkTokens;
    return unitMean(base.embed(tree.tokens(start, Math.min(start + chunkTokens, blocks * K))), d);
  });
  return {
    rank: ({ questionIds }) => {
      const query = unitMean(base.embed(questionIds), d);
      const scores = means.map((mean) => mean.reduce((dot, value, j) => dot + value * query[j]!, 0));
      return Float64Array.from({ length: blocks }, (_, block) => scores[Math.floor(block / CHUNK_BLOCKS)]!);
    },
  };
}

/** `[d]` of length 1. */
function unitMean(rows: Float32Array, d: number): Float64Array {
  const mean = new Float64Array(d);
  for (let i = 0; i < rows.length; i++) mean[i % d]! += rows[i]!;
  const length = Math.sqrt(mean.reduce((sum, value) => sum + value * value, 0)) + 1e-12;
  return mean.map((value) => value / length);
}
