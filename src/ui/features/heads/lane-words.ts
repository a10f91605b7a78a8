/** What stands beside and under the lanes of heads, in words. Pure. */
import { meanOf } from '../../../base/statistics.ts';
import { noveltyOf, overlapMatrix } from '../../../core/heads/coverage.ts';
import { headSpecs } from '../../../core/heads/head-specs.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import type { RunFrames } from '../../model/shown-run.ts';
import { formatCount, formatDuration, formatPercent, formatPlural } from '../../words/format.ts';
import { headName } from '../../words/heads.ts';

/** @param config - in force at the step; null where the run does not say. */
export function laneName(head: number, config: RunConfig | null): string {
  const cue = config && head < config.heads ? headSpecs(config)[head]!.cue : null;
  return cue === null ? headName(head) : `${headName(head)}, ${cue}`;
}

/** Which heads are read, and how sure the router was. */
export function routingWords(routing: TelemetryEventOf<'router'> | undefined): string {
  if (!routing) return 'All heads are read.';
  const { chosen, utilities, router, confidence, ms } = routing;
  const read = `${chosen.length === 1 ? 'Head' : 'Heads'} ${chosen.join(', ')} of ${utilities.length} read`;
  const scores = utilities.map((utility) => utility.toFixed(2)).join(', ');
  return `${read} (${router}, confidence ${formatPercent(confidence)}, ${formatDuration(ms)}); utilities ${scores}.`;
}

/** @param held - of each head, the blocks that it holds raw beyond its recent window. */
export function coverageWords(held: readonly ReadonlySet<number>[]): string {
  const matrix = overlapMatrix(held);
  const pairs = matrix.flatMap((row, head) => row.slice(0, head));
  if (pairs.length === 0) return '';
  const mean = pairs.reduce((sum, overlap) => sum + overlap, 0) / pairs.length;
  const most = Math.max(...pairs);
  const novelty = noveltyOf(held).map((share) => `${Math.round(share * 100)}%`);
  return `Overlap ${Math.round(mean * 100)}% on average, ${Math.round(most * 100)}% at most; held by one head alone: ${novelty.join(', ')}.`;
}

/** @param run - what it served from the run's beginning up to the step. */
export function stagingWords(
  staging: TelemetryEventOf<'staging'> | undefined,
  run: ReturnType<RunFrames['stagingUseUpTo']>,
): string {
  if (!staging) return '';
  const all = run.hits + run.misses;
  const soFar = all === 0 ? '' : `; ${formatPercent(run.hits / all)} hits of ${formatCount(all)} so far`;
  const { hits, misses, ageTokens, usedTokens, refocusMs, servedTokens } = staging;
  const share = servedTokens > 0 ? `, ${((1000 * refocusMs) / servedTokens).toFixed(0)} µs a token` : '';
  return `Staging holds ${formatPlural(usedTokens, 'slot')}, ${formatCount(ageTokens)} tokens old: ${formatPlural(hits, 'hit')}, ${formatPlural(misses, 'miss', 'misses')}${share}${soFar}.`;
}

/** At how many of the routed steps a head was read. */
export function readWords(head: number, { byHead, steps }: ReturnType<RunFrames['readsUpTo']>): string {
  return steps === 0 ? '–' : `${formatCount(byHead.get(head) ?? 0)} of ${formatCount(steps)}`;
}

/**
 * @param gains - nats a token, one a measurement.
 * @param config - in force at the step, which says why there may be none; null where the run does not say.
 */
export function gainWords(
  gains: readonly number[],
  config: Pick<RunConfig, 'deltaNllEverySteps'> | null,
): string {
  if (gains.length === 0 && config?.deltaNllEverySteps === 0) return 'ΔNLL is not measured';
  return gains.length === 0 ? 'not measured yet' : `${meanGain(gains).toFixed(3)} (n = ${gains.length})`;
}

/** @param slots - that the base reads of the head. */
export function gainPerSlotsWords(gains: readonly number[], slots: number): string {
  return gains.length === 0 || slots === 0 ? '–' : ((1000 * meanGain(gains)) / slots).toFixed(3);
}

const meanGain = (gains: readonly number[]) => meanOf(Float64Array.from(gains));
