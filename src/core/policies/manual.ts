/** The manual policy: only the researcher's pins ask for anything; all else stays as it is. */
import type { PinnedSpan } from '../context/working-context.ts';
import type { Scorer } from './ports.ts';
import { entryScorer } from './entry-scorer.ts';

/** @param pins - read anew at every refocus. */
export function createManualScorer(pins: () => readonly PinnedSpan[]): Scorer {
  return entryScorer('manual', () => {
    const spans = pins();
    return (entry) => (spans.some((pin) => pin.start < entry.end && entry.start < pin.end) ? 1 : 0);
  });
}
