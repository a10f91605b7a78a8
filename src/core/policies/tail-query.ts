/** The tail as a query for gists: one product per entry. */
import type { SlotView } from '../context/slot-view.ts';

/** `[d]` the mean of the tail's embeddings. */
export function meanTail(view: SlotView): Float64Array {
  const { hiddenSize: d, tailCount, tail } = view;
  const mean = new Float64Array(d);
  for (let t = 0; t < tailCount; t++) {
    for (let j = 0; j < d; j++) mean[j]! += tail[t * d + j]! / tailCount;
  }
  return mean;
}

/** Calls back with every entry's product with the query and the square of its own length. */
export function forEachProduct(
  view: SlotView,
  query: Float64Array,
  visit: (entry: number, dot: number, squares: number) => void,
): void {
  const { hiddenSize: d, blockVectors, entries } = view;
  let slot = 0;
  for (let i = 0; i < entries.length; i++) {
    let dot = 0;
    let squares = 0;
    for (let j = 0; j < d; j++) {
      const value = blockVectors[slot * d + j]!;
      dot += value * query[j]!;
      squares += value * value;
    }
    visit(i, dot, squares);
    slot += entries[i]!.cost;
  }
}
