/** Which choices of a parameter the model has what they ask for. Pure. */
import { MERGERS, ROUTERS, STAGING_LENSES } from '../../../core/parameters/heads.ts';
import type { ParameterId } from '../../../core/parameters/parameters.ts';
import type { ModelReport } from '../../../runtime/engine/protocol/protocol.ts';

type Brought = Pick<ModelReport, 'lensVariants' | 'learnedHeads' | 'hasStagingLens'>;

/** Of the parameters some of whose choices ask for weights. */
const AVAILABLE: Partial<Record<ParameterId, (model: Brought, heads: number) => readonly string[]>> = {
  lensVariant: ({ lensVariants }) => lensVariants,
  router: ({ learnedHeads }, heads) =>
    ROUTERS.filter((router) => router !== 'learned' || areFor(learnedHeads.router, heads)),
  merger: ({ learnedHeads }, heads) =>
    MERGERS.filter((merger) => merger !== 'learned' || areFor(learnedHeads.merger, heads)),
  stagingLens: ({ hasStagingLens }) =>
    STAGING_LENSES.filter((lens) => lens !== 'lensnet-g' || hasStagingLens),
};

/**
 * @param heads - of the run.
 * @param model - undefined before one is loaded.
 * @returns undefined where nothing is known to be missing.
 */
export function availableChoices(
  id: ParameterId,
  heads: number,
  model: Brought | undefined,
): readonly string[] | undefined {
  return model && AVAILABLE[id]?.(model, heads);
}

/** What is learned is learned for one number of heads; a single one misses nothing of what the model has at all. */
function areFor(counts: readonly number[], heads: number): boolean {
  return heads === 1 ? counts.length > 0 : counts.includes(heads);
}
