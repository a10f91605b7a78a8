/** What the baseline policies share: they score entries, and every slot of an entry gets its score. */
import type { Entry } from '../context/working-context.ts';
import type { Scorer } from './scorer.ts';
import type { SlotView } from '../context/slot-view.ts';

/** A scorer from a rule that gives one score per entry. */
export function entryScorer(
  id: string,
  prepare: (view: SlotView) => (entry: Entry, firstSlot: number, index: number) => number,
): Scorer {
  return {
    id,
    score(view) {
      const scoreOf = prepare(view);
      const scores = new Float32Array(view.slotCount);
      let slot = 0;
      view.entries.forEach((entry, index) => {
        scores.fill(scoreOf(entry, slot, index), slot, slot + entry.cost);
        slot += entry.cost;
      });
      return Promise.resolve(scores);
    },
  };
}
