/** The LensNet policy: the learned scorer. The net itself stands in `src/nn/lens-net`. */
import { definePolicy } from './policy.ts';

export const lensNetPolicy = definePolicy({
  id: 'lensnet',
  sentence: 'The learned LensNet, which reads the newest tokens and all entries at once.',
  reads: ['lensVariant'],
  looksAgain: true,
  needsLensNet: true,
  create: ({ lensVariant }, { lensNet }) => lensNet(lensVariant),
});
