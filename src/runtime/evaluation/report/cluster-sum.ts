/** Adds up the counts of what belongs to one independent unit, such as several places in one document. Pure. */
import type { CellCounts } from './cell.ts';
import type { FigureId } from '../../../core/evaluation-report/figures.ts';
import type { WeightedSum } from '../../../base/statistics.ts';

/** Add the second one's clusters to those of the same name in the first; reasons are kept. */
export function withCounts(first: CellCounts | undefined, second: CellCounts): CellCounts {
  if (first === undefined) return second;
  const clusters = [...first.clusters];
  for (const added of second.clusters) {
    const at = clusters.findIndex(({ cluster }) => cluster === added.cluster);
    if (at < 0) {
      clusters.push(added);
      continue;
    }
    const known = clusters[at]!;
    const figures: Partial<Record<FigureId, WeightedSum>> = { ...known.figures };
    for (const [id, [weight, sum]] of Object.entries(added.figures) as [FigureId, WeightedSum][]) {
      const [otherWeight, otherSum] = figures[id] ?? [0, 0];
      figures[id] = [otherWeight + weight, otherSum + sum];
    }
    const positions = [...(known.positions ?? []), ...(added.positions ?? [])];
    clusters[at] = { ...known, n: known.n + added.n, figures, positions };
  }
  return { ...first, clusters, why: { ...first.why, ...second.why } };
}
