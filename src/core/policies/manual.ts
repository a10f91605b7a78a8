/** The manual policy: only the researcher's pins ask for anything; all else stays as it is. */
import { entryScorer } from './entry-scorer.ts';
import { definePolicy } from './policy.ts';

export const manualPolicy = definePolicy({
  id: 'manual',
  sentence: 'Nothing but what the researcher pinned asks for detail.',
  reads: [],
  create: (_, { pins }) =>
    entryScorer('manual', () => {
      const spans = pins();
      return (entry) => (spans.some((pin) => pin.start < entry.end && entry.start < pin.end) ? 1 : 0);
    }),
});
