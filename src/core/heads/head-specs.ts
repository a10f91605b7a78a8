/**
 * What a run's parameters make of each head: its share of the budget, its cue, whether the base reads it. With one
 * head the run's own parameters hold as they are.
 */
import { ConfigError, type RunConfig } from '../trace/config.ts';
import type { HeadCue } from '../parameters/heads.ts';
import { K } from '../tree/ids.ts';

/** Names the staging context in the trace, behind the heads 0 to 7. */
export const STAGING_HEAD = 8;
/** Less than this holds no recent window with history beside it. */
export const MIN_HEAD_TOKENS = 128;
/** A head keeps at least this much of the newest history raw, so that it reads a question whole. */
const MIN_RECENT_TOKENS = 96;
/** Of heads without named cues; chosen so that each of the first looks for something else, not by measurement. */
const CUE_ORDER: readonly HeadCue[] = [
  'plain',
  'part',
  'query',
  'names',
  'aggregation',
  'recency',
  'rare',
  'part',
];
/** Actions that one refocus of staging may take for each of a head's: it is wide, and refocuses rarely. */
const STAGING_ACTIONS = 8;

/** The parameters that heads are made of. */
type HeadsConfig = Pick<RunConfig, 'heads' | 'headCues' | 'mutedHeads' | 'budgetTokens'>;

export interface HeadSpec {
  readonly cue: HeadCue;
  /** How many heads before it have the same cue. */
  readonly ordinal: number;
  /** W_max of its working context, a multiple of K unless it is the only head. */
  readonly budgetTokens: number;
  /** The base does not read it. */
  readonly isMuted: boolean;
}

/** One a head, in order. */
export function headSpecs(config: HeadsConfig): readonly HeadSpec[] {
  const { budgetTokens, heads } = config;
  const muted = new Set(mutedHeads(config));
  const chosen = headCues(config);
  const total = chosen.reduce((sum, { weight }) => sum + weight, 0);
  return chosen.map(({ cue, weight }, head) => ({
    cue,
    ordinal: chosen.slice(0, head).filter((other) => other.cue === cue).length,
    budgetTokens: heads === 1 ? budgetTokens : Math.floor((budgetTokens * weight) / total / K) * K,
    isMuted: muted.has(head),
  }));
}

/** What each head looks for, and its weight in the sharing of the budget; one a head, in order. */
export function headCues({ heads, headCues: list }: Pick<HeadsConfig, 'heads' | 'headCues'>): WeightedCue[] {
  const named = namedCues(list);
  return Array.from({ length: heads }, (_, head) => {
    if (named.length > 0) return named[head % named.length]!;
    return { cue: heads === 1 ? ('plain' as const) : CUE_ORDER[head]!, weight: 1 };
  });
}

/** As the parameter `headCues` says it. */
export function writtenCues(cues: readonly WeightedCue[]): string {
  return cues.map(({ cue, weight }) => (weight === 1 ? cue : `${cue}*${weight}`)).join(', ');
}

/** Numbers of the muted heads, ascending; those that the run does not have are left out. */
export function mutedHeads({ mutedHeads: list, heads }: Pick<HeadsConfig, 'mutedHeads' | 'heads'>): number[] {
  const numbers = list.split(',').flatMap((text) => (text.trim() === '' ? [] : Number(text)));
  return [...new Set(numbers)].filter((head) => head < heads).sort((a, b) => a - b);
}

/** The parameters that a head runs with; the run's own where there is but one. */
export function headConfig(config: RunConfig, head: number): RunConfig {
  if (head === STAGING_HEAD) return stagingConfig(config);
  // Staging has looked below coarse gists for all heads.
  const lookAheadPages = config.stagingBudgetTokens > 0 ? 0 : config.lookAheadPages;
  if (config.heads === 1)
    return lookAheadPages === config.lookAheadPages ? config : { ...config, lookAheadPages };
  const { budgetTokens } = headSpecs(config)[head]!;
  const scaled = Math.floor((config.recentTokens * budgetTokens) / config.budgetTokens / K) * K;
  const recentTokens = Math.min(config.recentTokens, Math.max(MIN_RECENT_TOKENS, scaled));
  return { ...config, budgetTokens, recentTokens, lookAheadPages };
}

/** Those of the staging context. */
function stagingConfig(config: RunConfig): RunConfig {
  return {
    ...config,
    budgetTokens: Math.max(config.stagingBudgetTokens, MIN_HEAD_TOKENS),
    maxActions: Math.min(64, config.maxActions * STAGING_ACTIONS),
    refineSteps: 0,
    lookAheadPages: 0,
  };
}

/** @throws {ConfigError} for heads that the budget has no room for, and where none would be read. */
export function checkHeads(config: HeadsConfig & Pick<RunConfig, 'stagingBudgetTokens'>): void {
  const { heads, budgetTokens, stagingBudgetTokens } = config;
  const specs = headSpecs(config);
  const least = Math.min(...specs.map((spec) => spec.budgetTokens));
  if (heads > 1 && least < MIN_HEAD_TOKENS) {
    const most = Math.max(1, Math.floor(budgetTokens / MIN_HEAD_TOKENS));
    throw new ConfigError(
      'heads',
      `heads = ${heads}: a budget of ${budgetTokens} tokens leaves one of them ${least}, and each needs ${MIN_HEAD_TOKENS}; it has room for ${most} with equal shares.`,
    );
  }
  if (specs.every(({ isMuted }) => isMuted)) {
    throw new ConfigError(
      'mutedHeads',
      `mutedHeads = "${config.mutedHeads}": no head would be left to read.`,
    );
  }
  if (stagingBudgetTokens > 0 && stagingBudgetTokens < budgetTokens) {
    throw new ConfigError(
      'stagingBudgetTokens',
      `stagingBudgetTokens = ${stagingBudgetTokens}: staging must be wider than the budget of ${budgetTokens} tokens.`,
    );
  }
}

export interface WeightedCue {
  readonly cue: HeadCue;
  /** A whole number from 1 to 99. */
  readonly weight: number;
}

/** @param list - as the parameter's pattern has it. */
function namedCues(list: string): readonly WeightedCue[] {
  return list.split(',').flatMap((item) => {
    const [cue = '', weight = '1'] = item.trim().split('*');
    return cue === '' ? [] : [{ cue: cue as HeadCue, weight: Math.max(1, Number(weight)) }];
  });
}
