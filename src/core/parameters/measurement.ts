/** What is measured and noted on the way, and the seed. */

/**
 * Which of the base's heads are read: the mean over all of them, the mean over the last layer's, or for every
 * slot the head that weighs it most, scaled to sum 1.
 */
export const ATTENTION_READINGS = ['mean', 'last-layer', 'strongest-head'] as const;
export type AttentionReading = (typeof ATTENTION_READINGS)[number];

const RECORD_ATTENTION = ['off', ...ATTENTION_READINGS] as const;

export const MEASUREMENT = {
  deltaNllEverySteps: {
    kind: 'integer',
    label: 'Measure ΔNLL',
    unit: 'refocuses',
    min: 0,
    max: 1000,
    step: 1,
    default: 0,
    sentence:
      'Every so many refocuses, ΔNLL@64 of the working context against the full raw history is measured; 0 turns it off.',
    definition: 'delta-nll',
    affects: ['measurement'],
  },
  recordAttention: {
    kind: 'choice',
    choices: RECORD_ATTENTION,
    label: 'Record attention',
    unit: '',
    default: 'off',
    sentence:
      'Notes for every generated token how much the base attended to each block: the mean of all its heads, of the last layer’s, or the strongest head of each slot. Costs about half as much time again a token, and some hundred bytes each in the trace.',
    definition: 'attention',
    affects: ['decoder'],
  },
  seed: {
    kind: 'integer',
    label: 'Seed',
    unit: '',
    min: 0,
    max: 2147483647,
    step: 1,
    default: 1,
    sentence: 'Drives sampling, the random policy and synthetic data; the same seed gives the same run.',
    definition: 'seed',
    affects: ['scorer', 'moves', 'answer'],
  },
} as const;
