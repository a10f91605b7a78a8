/** Every policy that a run can be scored by. Start here to add one: a file of its own, and a line. */
import type { ConfigAffecting, RunConfig } from '../trace/config.ts';
import { changedIds } from '../trace/config.ts';
import type { ParameterId } from '../parameters/parameters.ts';
import type { PolicyId } from '../parameters/policy.ts';
import { attentionPolicy } from './attention.ts';
import { bm25Policy } from './bm25.ts';
import { hybridPolicy } from './hybrid.ts';
import { lensNetPolicy } from './lens-net.ts';
import { manualPolicy } from './manual.ts';
import { oraclePolicy } from './oracle.ts';
import type { Policy, PolicyPorts } from './policy.ts';
import { randomPolicy } from './random.ts';
import { recencyPolicy } from './recency.ts';
import { retrievalPolicy } from './retrieval.ts';
import type { Scorer } from './scorer.ts';

export const POLICIES: { readonly [Id in PolicyId]: Policy & { readonly id: Id } } = {
  lensnet: lensNetPolicy,
  recency: recencyPolicy,
  random: randomPolicy,
  retrieval: retrievalPolicy,
  bm25: bm25Policy,
  hybrid: hybridPolicy,
  attention: attentionPolicy,
  oracle: oraclePolicy,
  manual: manualPolicy,
};

/** The scorer that a configuration asks for. @throws {ConfigError} if its LensNet is not there. */
export function createScorer(config: ConfigAffecting<'scorer'>, ports: PolicyPorts): Scorer {
  return POLICIES[config.policy].create(config, ports);
}

/** Whether a scorer that was made for one configuration does not serve another. */
export function needsNewScorer(before: RunConfig, after: RunConfig): boolean {
  const reads: readonly ParameterId[] = POLICIES[after.policy].reads;
  return changedIds(before, after).some((id) => id === 'policy' || reads.includes(id));
}
