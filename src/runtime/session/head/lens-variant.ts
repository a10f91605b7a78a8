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

/**
 * The LensNet of a variant; borrowed.
 *
 * @param own - what `default` stands for: the model's own net, or the one kept for the session.
 * @throws {ConfigError} if the model does not have the variant; the message names those that it has.
 */
export function lensNetOf(model: LoadedModel, variant: LensVariant, own: LensNet | null): LensNet {
  const net = findLensNet(model, variant, own);
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
  if (isNamed || needsLensNet(changed.policy)) lensNetOf(model, changed.lensVariant, model.lensNet);
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
  if (lensVariant === 'default' || findLensNet(model, lensVariant, model.lensNet) !== null)
    return { config, note: null };
  return {
    config: { ...config, lensVariant: 'default' },
    note: `The LensNet variant ${lensVariant} was asked for, but ${whatIsThere(model)}: the default scores instead.`,
  };
}

/** As `lensNetOf`, but null where there is none. */
export function findLensNet(model: LoadedModel, variant: LensVariant, own: LensNet | null): LensNet | null {
  if (variant === 'default') return own;
  if (variant === model.manifest.lensNet?.variant) return model.lensNet;
  return model.otherLensNets.get(variant) ?? null;
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
