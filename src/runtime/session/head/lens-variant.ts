/**
 * Which of a model's LensNets scores, as the parameter `lensVariant` asks, and what happens where the model does
 * not have it. Owns no net.
 */
import { ConfigError, type RunConfig, applyConfigChanges } from '../../../core/trace/config.ts';
import { checkHeads } from '../../../core/heads/head-specs.ts';
import { POLICIES } from '../../../core/policies/registry.ts';
import type { LensVariant, PolicyId } from '../../../core/parameters/policy.ts';
import { checkLearnedHeads, withKnownHeads } from './learned-heads.ts';
import { chatWords } from '../chat-words/chat-words.ts';
import type { LensNet, LoadedModel } from '../../../nn/ports.ts';
import type { LensNetVariant } from '../../../nn/model-folder/manifest.ts';

/** A LensNet that a session keeps instead of the model's of its variant; borrowed. */
export interface KeptLens {
  readonly net: LensNet;
  readonly variant: LensNetVariant;
}

/**
 * The LensNet of a variant; borrowed.
 *
 * @param kept - scores wherever its variant is asked for, by name or as the default; null where none is kept.
 * @throws {ConfigError} if the model does not have the variant; the message names those that it has.
 */
export function lensNetOf(model: LoadedModel, variant: LensVariant, kept: KeptLens | null): LensNet {
  const net = findLensNet(model, variant, kept);
  if (net !== null) return net;
  throw new ConfigError('lensVariant', `lensVariant = ${JSON.stringify(variant)}: ${whatIsThere(model)}.`);
}

/**
 * Merge changes into a configuration that this model is to run with.
 *
 * @throws {ConfigError} as `applyConfigChanges` does, and for a LensNet that the model does not have or a system
 * text that its chat template does not take, heads that the budget has no room for, and learned parts of heads that
 * the model lacks; the configuration given is unchanged.
 */
export function applyModelChanges(
  model: LoadedModel,
  config: RunConfig,
  changes: Readonly<Record<string, unknown>>,
): RunConfig {
  const changed = applyConfigChanges(config, changes);
  const isNamed = changed.lensVariant !== 'default';
  if (isNamed || needsLensNet(changed.policy)) lensNetOf(model, changed.lensVariant, null);
  chatWords(model, changed);
  checkHeads(changed);
  checkLearnedHeads(model, changed);
  return changed;
}

/**
 * Recorded parameters as far as this model can follow them: `default` stands in for a LensNet that it lacks, rules for
 * what heads would have learned.
 *
 * @returns `note`: sentences that say so, or null where the parameters are as they were.
 */
export function withKnownWeights<C extends Partial<RunConfig>>(
  model: LoadedModel,
  config: C,
): { readonly config: C; readonly note: string | null } {
  const lens = withKnownLens(model, config);
  const heads = withKnownHeads(model, lens.config);
  const notes = [lens.note, heads.note].filter((note) => note !== null);
  return { config: heads.config, note: notes.length === 0 ? null : notes.join(' ') };
}

function withKnownLens<C extends Partial<RunConfig>>(
  model: LoadedModel,
  config: C,
): { readonly config: C; readonly note: string | null } {
  const { lensVariant = 'default' } = config;
  if (model.lensNet === null && config.policy !== undefined && needsLensNet(config.policy)) {
    const { policy } = config;
    return {
      config: { ...config, policy: WITHOUT_LENS_NET, lensVariant: 'default' },
      note: `The policy ${policy} was asked for, but ${whatIsThere(model)}: ${WITHOUT_LENS_NET} scores instead.`,
    };
  }
  if (lensVariant === 'default' || findLensNet(model, lensVariant, null) !== null)
    return { config, note: null };
  return {
    config: { ...config, lensVariant: 'default' },
    note: `The LensNet variant ${lensVariant} was asked for, but ${whatIsThere(model)}: the default scores instead.`,
  };
}

/** As `lensNetOf`, but null where there is none. */
export function findLensNet(model: LoadedModel, variant: LensVariant, kept: KeptLens | null): LensNet | null {
  const wanted = variantOf(model, variant);
  if (wanted === null) return null;
  if (wanted === kept?.variant) return kept.net;
  if (wanted === model.manifest.lensNet?.variant) return model.lensNet;
  return model.otherLensNets.get(wanted) ?? null;
}

/** The architecture that the parameter asks for; null where the model has no LensNet to be the default. */
export function variantOf({ manifest }: LoadedModel, variant: LensVariant): LensNetVariant | null {
  return variant === 'default' ? (manifest.lensNet?.variant ?? null) : variant;
}

/** Scores where a model has no LensNet. */
const WITHOUT_LENS_NET: PolicyId = 'bm25';

function needsLensNet(policy: PolicyId): boolean {
  return POLICIES[policy].needsLensNet;
}

/** What `lensVariant` may ask of this model; the model's own comes first, behind `default`. */
export function lensVariantsOf({ manifest, otherLensNets }: LoadedModel): readonly LensVariant[] {
  const { lensNet } = manifest;
  return ['default', ...(lensNet === undefined ? [] : [lensNet.variant]), ...otherLensNets.keys()];
}

function whatIsThere(model: LoadedModel): string {
  const variants = lensVariantsOf(model).slice(1);
  if (variants.length === 0) return `${model.title} has no LensNet`;
  return `${model.title} has ${variants.join(', ')} and no other`;
}
