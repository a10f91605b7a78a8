/** What scoring takes, by sizes alone. */
import type { LensInput, LensWork } from './ports.ts';

/** Multiplications of a pass. @param tailTokens - how many the net reads at most. */
export function lensMultiplications(
  work: LensWork,
  tailTokens: number,
  { slotCount, scoredSlots, tailCount }: Pick<LensInput, 'slotCount' | 'scoredSlots' | 'tailCount'>,
): number {
  return (
    slotCount * work.slotMultiplications +
    (scoredSlots?.length ?? slotCount) * work.scoredMultiplications +
    Math.min(tailCount, tailTokens) * work.tailMultiplications
  );
}
