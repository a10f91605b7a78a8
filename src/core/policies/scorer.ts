/** What the allocator asks of the outside: a scorer. */
import type { SlotView } from '../context/slot-view.ts';

/** Scores every slot in [-1, 1]; core reduces slots to entries by their mean. */
export interface Scorer {
  readonly id: string;
  score(view: SlotView): Promise<Float32Array>;
}
