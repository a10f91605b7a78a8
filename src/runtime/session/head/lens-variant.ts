/**
 * Which of a model's LensNets scores, as the parameter `lensVariant` asks, and what happens where the model does
 * not have it. Owns no net.
 */
import { ConfigError, type RunConfig, applyConfigChanges } from '../../../core/trace/config.ts';
import type { LensVariant } from '../../../core/trace/parameters.ts';
import type { LensNet, LoadedModel } from '../../../nn/ports.ts';

/**
 * The LensNet of a variant; borrowed.
 *
 * @param own - what `default` stands for: the model's own net, or the one kept for the session.
 * @throws {ConfigError} if the model does not have the variant; the message names those that it has.
 */
export function lensNetOf(model: LoadedModel, variant: LensVariant, own: LensNet): LensNet {
  const net = findLensNet(model, variant, own);
  if (net !== undefined) return net;
  throw new ConfigError('lensVariant', `lensVariant = ${JSON.stringify(variant)}: ${whatIsThere(model)}.`);
}

/**
 * Merge changes into a configuration that this model is to run with.
 *
 * @throws {ConfigError} as `applyConfigChanges` does, and for a LensNet that the model does not have; the
 * configuration given is unchanged.
 */
export function applyModelChanges(
  model: LoadedModel,
  config: RunConfig,
  changes: Readonly<Record<string, unknown>>,
): RunConfig {
  const changed = applyConfigChanges(config, changes);
  lensNetOf(model, changed.lensVariant, model.lensNet);
  return changed;
}

/**
 * Recorded parameters as far as this model can follow them: `default` stands in for a LensNet that it lacks.
 *
 * @returns `note`: the sentence that says so, or null where the parameters are as they were.
 */
export function withKnownLens<C extends Partial<RunConfig>>(
  model: LoadedModel,
  config: C,
): { readonly config: C; readonly note: string | null } {
  const { lensVariant = 'default' } = config;
  if (findLensNet(model, lensVariant, model.lensNet) !== undefined) return { config, note: null };
  return {
    config: { ...config, lensVariant: 'default' },
    note: `The LensNet variant ${lensVariant} was asked for, but ${whatIsThere(model)}: the default scores instead.`,
  };
}

function findLensNet(model: LoadedModel, variant: LensVariant, own: LensNet): LensNet | undefined {
  if (variant === 'default') return own;
  return variant === model.manifest.lensNet.variant ? model.lensNet : model.otherLensNets.get(variant);
}

/** What `lensVariant` may ask of this model; the model's own comes first, behind `default`. */
export function lensVariantsOf({ manifest, otherLensNets }: LoadedModel): readonly LensVariant[] {
  return ['default', manifest.lensNet.variant, ...otherLensNets.keys()];
}

function whatIsThere(model: LoadedModel): string {
  return `${model.title} has ${lensVariantsOf(model).slice(1).join(', ')} and no other`;
}
