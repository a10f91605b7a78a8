/** Runs the oracle policy on the base model: every legal move is measured on the newest tokens. */
import type { RunConfig } from '../../../core/trace/config.ts';
import { createOracleScorer } from '../../../core/policies/oracle.ts';
import type { Scorer } from '../../../core/policies/ports.ts';
import { positionSchemeOf } from '../../../core/context/position-scheme.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { layoutOf } from '../../../core/context/working-context.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { Decoder } from '../decoding/decoder.ts';

/** A cache of its own serves each refocus and is let go after it. */
export function createBaseOracle(model: LoadedModel, tree: GistTree, config: RunConfig): Scorer {
  const scheme = positionSchemeOf(config, model.manifest.trainedContextTokens);
  return {
    id: 'oracle',
    async score(view) {
      const decoder = new Decoder(model.base, tree);
      decoder.setPositions(scheme);
      const oracle = createOracleScorer({
        tree,
        config,
        measureNll: ({ entries, cursor }, queryStart) => {
          const context = layoutOf(entries.filter(({ end }) => end <= queryStart));
          return decoder.scoreContinuation(context, tree.tokens(queryStart, cursor), config.budgetTokens);
        },
      });
      try {
        return await oracle.score(view);
      } finally {
        decoder.dispose();
      }
    },
  };
}
