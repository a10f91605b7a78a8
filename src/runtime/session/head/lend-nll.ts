/** What the oracle asks of the base: how well it predicts the newest tokens with one layout or another before them. */
import type { PolicyPorts } from '../../../core/policies/policy.ts';
import { positionSchemeOf } from '../../../core/context/position-scheme.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { layoutOf } from '../../../core/context/working-context.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { Decoder } from '../decoding/decoder.ts';

/** A cache of its own serves each refocus and is let go after it. */
export function lendNll(model: LoadedModel, tree: GistTree): PolicyPorts['withNll'] {
  return async (config, use) => {
    const decoder = new Decoder(model.base, tree);
    decoder.setPositions(positionSchemeOf(config, model.manifest.trainedContextTokens));
    try {
      return await use(({ entries, cursor }, queryStart) => {
        const context = layoutOf(entries.filter(({ end }) => end <= queryStart));
        return decoder.scoreContinuation(context, tree.tokens(queryStart, cursor), config.budgetTokens);
      });
    } finally {
      decoder.dispose();
    }
  };
}
