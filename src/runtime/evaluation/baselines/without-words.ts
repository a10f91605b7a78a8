/** An ablation of LensNet: the same weights, told that no words are shared. */
import { LEXICAL_FEATURES } from '../../../core/lexical/history-words.ts';
import type { LensNet, LoadedModel } from '../../../nn/ports.ts';

/** The model with LensNets whose lexical features are always 0; borrows all of the model. */
export function withoutWords(model: LoadedModel): LoadedModel {
  const { lensNet, otherLensNets, stagingLensNet } = model;
  return {
    ...model,
    lensNet: lensNet && deaf(lensNet),
    otherLensNets: new Map([...otherLensNets].map(([variant, net]) => [variant, deaf(net)])),
    ...(stagingLensNet && { stagingLensNet: deaf(stagingLensNet) }),
  };
}

function deaf(net: LensNet): LensNet {
  return {
    id: net.id,
    version: net.version,
    tailTokens: net.tailTokens,
    readsWords: false,
    score: (view) => net.score({ ...view, lexical: new Float32Array(view.slotCount * LEXICAL_FEATURES) }),
    dispose: () => undefined,
  };
}
