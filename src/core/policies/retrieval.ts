/** The retrieval policy: cosine of each block's gist to the tail, which is what RAG by embedding would do. */
import type { Scorer, SlotView } from '../ports.ts';
import { entryScorer } from './entry-scorer.ts';

/**
 * Scores are `tanh((z - 1) / 2)`, z = an entry's cosine in standard deviations above the mean entry. At the
 * default thresholds the entries more than 1.4 deviations above the mean expand, the best few of a hundred, and
 * those less than 0.6 above it collapse. All entries alike score 0.
 */
export function createRetrievalScorer(): Scorer {
  return entryScorer('retrieval', (view) => {
    const cosines = tailCosines(view);
    const { mean, deviation } = moments(cosines);
    if (deviation < 1e-6) return () => 0;
    return (_entry, _firstSlot, index) => Math.tanh(((cosines[index]! - mean) / deviation - 1) / 2);
  });
}

/** `[entries]` cosine of each entry's block vector to the mean of the tail's embeddings. */
function tailCosines(view: SlotView): Float64Array {
  const d = view.hiddenSize;
  const query = new Float64Array(d);
  for (let t = 0; t < view.tailCount; t++) {
    for (let j = 0; j < d; j++) query[j]! += view.tail[t * d + j]!;
  }
  const queryNorm = Math.hypot(...query);
  const cosines = new Float64Array(view.entries.length);
  let slot = 0;
  for (let i = 0; i < cosines.length; i++) {
    let dot = 0;
    let squares = 0;
    for (let j = 0; j < d; j++) {
      const value = view.blockVectors[slot * d + j]!;
      dot += value * query[j]!;
      squares += value * value;
    }
    cosines[i] = dot / (Math.sqrt(squares) * queryNorm + 1e-12);
    slot += view.entries[i]!.cost;
  }
  return cosines;
}

function moments(values: Float64Array): { readonly mean: number; readonly deviation: number } {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let variance = 0;
  for (const value of values) variance += (value - mean) ** 2 / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}
