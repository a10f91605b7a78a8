/**
 * Every knob of a run, its schema and its description. The parameter panel, the command line and the
 * trace header all read this one table, so a knob is described once.
 */
import { z } from 'zod';

export const POLICY_IDS = [
  'lensnet',
  'recency',
  'random',
  'retrieval',
  'bm25',
  'attention',
  'oracle',
  'manual',
] as const;
export type PolicyId = (typeof POLICY_IDS)[number];

export const STRATEGY_IDS = ['greedy', 'stochastic', 'matching', 'adaptive'] as const;
export type StrategyId = (typeof STRATEGY_IDS)[number];

export const POSITION_MODES = ['absolute', 'grouped', 'compact'] as const;
export type PositionMode = (typeof POSITION_MODES)[number];

export const runConfigSchema = z.strictObject({
  budgetTokens: z.number().int().min(64).max(32768),
  recentTokens: z.number().int().min(0).max(8192),
  lod1WindowTokens: z.number().int().min(0).max(1_048_576),
  positions: z.enum(POSITION_MODES),
  gistDecay: z.number().min(0).max(4),
  tauExpand: z.number().min(0).max(1),
  tauCollapse: z.number().min(0).max(1),
  maxActions: z.number().int().min(0).max(64),
  cooldownSteps: z.number().int().min(0).max(64),
  refineSteps: z.number().int().min(0).max(3),
  driftDecay: z.number().min(0).max(1),
  driftGain: z.number().min(0).max(1),
  strategy: z.enum(STRATEGY_IDS),
  utilisationLow: z.number().min(0).max(1),
  utilisationHigh: z.number().min(0).max(1),
  tauStep: z.number().min(0.01).max(1),
  tradeMargin: z.number().min(0).max(2),
  strategyTopK: z.number().int().min(1).max(256),
  strategyTemperature: z.number().min(0).max(5),
  policy: z.enum(POLICY_IDS),
  temperature: z.number().min(0).max(5),
  topK: z.number().int().min(0).max(65536),
  topP: z.number().min(0).max(1),
  repetitionPenalty: z.number().min(0.5).max(3),
  maxNewTokens: z.number().int().min(1).max(4096),
  deltaNllEverySteps: z.number().int().min(0).max(1000),
  seed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1),
});

/** The parameters of one run. Changes apply at the next refocus. */
export type RunConfig = z.infer<typeof runConfigSchema>;
export type ParameterId = keyof RunConfig;

export const DEFAULT_RUN_CONFIG: RunConfig = {
  budgetTokens: 8192,
  recentTokens: 256,
  lod1WindowTokens: 2048,
  positions: 'absolute',
  gistDecay: 0,
  tauExpand: 0.2,
  tauCollapse: 0.2,
  maxActions: 4,
  cooldownSteps: 2,
  refineSteps: 1,
  driftDecay: 0.9,
  driftGain: 0.05,
  strategy: 'greedy',
  utilisationLow: 0.8,
  utilisationHigh: 0.95,
  tauStep: 0.05,
  tradeMargin: 0.1,
  strategyTopK: 8,
  strategyTemperature: 0.2,
  policy: 'lensnet',
  temperature: 0,
  topK: 0,
  topP: 1,
  repetitionPenalty: 1,
  maxNewTokens: 64,
  deltaNllEverySteps: 0,
  seed: 1,
};

export type ParameterGroup = 'context' | 'allocator' | 'policy' | 'sampling' | 'measurement';

export interface ParameterDescription {
  readonly id: ParameterId;
  readonly label: string;
  /** The symbol of the design documents, where there is one. */
  readonly symbol?: string;
  readonly group: ParameterGroup;
  readonly unit: string;
  readonly sentence: string;
  readonly kind: 'integer' | 'number' | 'choice';
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly choices?: readonly string[];
}

/** One description per knob, in display order. Ranges repeat the schema's; a test holds them equal. */
export const PARAMETERS: readonly ParameterDescription[] = [
  {
    id: 'budgetTokens',
    label: 'Budget',
    symbol: 'W_max',
    group: 'context',
    unit: 'tokens',
    kind: 'integer',
    min: 64,
    max: 32768,
    step: 32,
    sentence:
      'The sum of entry costs in the working context never exceeds this: a raw token costs 1, a gist costs 1.',
  },
  {
    id: 'recentTokens',
    label: 'Recent tokens',
    group: 'context',
    unit: 'tokens',
    kind: 'integer',
    min: 0,
    max: 8192,
    step: 32,
    sentence: 'The newest tokens that always stay raw (LOD0); the allocator may not collapse them.',
  },
  {
    id: 'lod1WindowTokens',
    label: 'LOD1 window',
    group: 'context',
    unit: 'tokens',
    kind: 'integer',
    min: 0,
    max: 1048576,
    step: 1024,
    sentence:
      'How far behind the recent tokens the recency assembly uses LOD1 before it turns to coarser gists.',
  },
  {
    id: 'positions',
    label: 'Positions',
    group: 'context',
    unit: '',
    kind: 'choice',
    choices: POSITION_MODES,
    sentence:
      'Where the base sees each slot: at its absolute index, with far tokens grouped so that distances stay within the trained context, or numbered within the window.',
  },
  {
    id: 'gistDecay',
    label: 'Gist decay',
    symbol: 'σ',
    group: 'context',
    unit: 'deviations of the span',
    kind: 'number',
    min: 0,
    max: 4,
    step: 0.05,
    sentence:
      'Blurs a gist’s position by a Gaussian as wide as its span times this, so that fast rotary frequencies fade; 0 turns it off, raw tokens stay sharp.',
  },
  {
    id: 'tauExpand',
    label: 'Expand threshold',
    symbol: 'τ_expand',
    group: 'allocator',
    unit: 'score',
    kind: 'number',
    min: 0,
    max: 1,
    step: 0.01,
    sentence: 'An entry whose score is above this becomes a candidate for expansion.',
  },
  {
    id: 'tauCollapse',
    label: 'Collapse threshold',
    symbol: 'τ_collapse',
    group: 'allocator',
    unit: 'score',
    kind: 'number',
    min: 0,
    max: 1,
    step: 0.01,
    sentence: 'An entry or sibling group whose score is below minus this becomes a candidate for collapse.',
  },
  {
    id: 'maxActions',
    label: 'Actions per refocus',
    symbol: 'N_diff',
    group: 'allocator',
    unit: 'actions',
    kind: 'integer',
    min: 0,
    max: 64,
    step: 1,
    sentence: 'At most this many expansions and collapses are applied in one refocus.',
  },
  {
    id: 'cooldownSteps',
    label: 'Cooldown',
    group: 'allocator',
    unit: 'refocuses',
    kind: 'integer',
    min: 0,
    max: 64,
    step: 1,
    sentence: 'A span that was expanded or collapsed cannot flip direction for this many refocuses.',
  },
  {
    id: 'refineSteps',
    label: 'Refine steps',
    group: 'allocator',
    unit: 'passes',
    kind: 'integer',
    min: 0,
    max: 3,
    step: 1,
    sentence:
      'How often the scorer runs again within one refocus after its actions changed the working context.',
  },
  {
    id: 'driftDecay',
    label: 'Drift memory',
    group: 'allocator',
    unit: 'fraction',
    kind: 'number',
    min: 0,
    max: 1,
    step: 0.01,
    sentence: 'How slowly the moving average of net cost (added minus refunded) forgets.',
  },
  {
    id: 'driftGain',
    label: 'Drift correction',
    group: 'allocator',
    unit: 'score per budget',
    kind: 'number',
    min: 0,
    max: 1,
    step: 0.01,
    sentence: 'How strongly net-cost drift biases the next scores toward balance.',
  },
  {
    id: 'strategy',
    label: 'Strategy',
    group: 'allocator',
    unit: '',
    kind: 'choice',
    choices: STRATEGY_IDS,
    sentence:
      'How scores become moves: best first (greedy), sampled (stochastic), the best set of moves at once (matching), or greedy with thresholds that follow how full the window is (adaptive).',
  },
  {
    id: 'utilisationLow',
    label: 'Low utilisation',
    group: 'allocator',
    unit: 'fraction of budget',
    kind: 'number',
    min: 0,
    max: 1,
    step: 0.01,
    sentence:
      'Adaptive strategy: below this share of the budget, τ_expand falls until the best of the rest fill it.',
  },
  {
    id: 'utilisationHigh',
    label: 'High utilisation',
    group: 'allocator',
    unit: 'fraction of budget',
    kind: 'number',
    min: 0,
    max: 1,
    step: 0.01,
    sentence:
      'Adaptive strategy: above this share of the budget, τ_expand rises until only the N_diff best still ask to expand.',
  },
  {
    id: 'tauStep',
    label: 'Threshold step',
    group: 'allocator',
    unit: 'score',
    kind: 'number',
    min: 0.01,
    max: 1,
    step: 0.01,
    sentence: 'Adaptive strategy: τ_expand moves in steps of this size.',
  },
  {
    id: 'tradeMargin',
    label: 'Trade margin',
    group: 'allocator',
    unit: 'score',
    kind: 'number',
    min: 0,
    max: 2,
    step: 0.01,
    sentence:
      'Adaptive strategy: in a full window an entry expands only if its score is above that of what collapses for it by more than this.',
  },
  {
    id: 'strategyTopK',
    label: 'Candidates sampled',
    group: 'allocator',
    unit: 'candidates',
    kind: 'integer',
    min: 1,
    max: 256,
    step: 1,
    sentence: 'Stochastic strategy: it samples among this many best candidates of each queue.',
  },
  {
    id: 'strategyTemperature',
    label: 'Strategy temperature',
    group: 'allocator',
    unit: 'score',
    kind: 'number',
    min: 0,
    max: 5,
    step: 0.05,
    sentence:
      'Stochastic strategy: score differences well below this hardly matter; 0 takes the best first, as greedy does.',
  },
  {
    id: 'policy',
    label: 'Policy',
    group: 'policy',
    unit: '',
    kind: 'choice',
    choices: POLICY_IDS,
    sentence:
      'Who scores the entries: the learned LensNet, a baseline, or the oracle, which tries every move (small budgets only).',
  },
  {
    id: 'temperature',
    label: 'Temperature',
    group: 'sampling',
    unit: '',
    kind: 'number',
    min: 0,
    max: 5,
    step: 0.05,
    sentence: '0 picks the most likely token (greedy); higher values flatten the distribution.',
  },
  {
    id: 'topK',
    label: 'Top-k',
    group: 'sampling',
    unit: 'tokens',
    kind: 'integer',
    min: 0,
    max: 65536,
    step: 1,
    sentence: 'Sample among the k most likely tokens only; 0 turns it off.',
  },
  {
    id: 'topP',
    label: 'Top-p',
    group: 'sampling',
    unit: 'probability',
    kind: 'number',
    min: 0,
    max: 1,
    step: 0.01,
    sentence: 'Sample among the smallest set of tokens whose probability reaches p; 1 turns it off.',
  },
  {
    id: 'repetitionPenalty',
    label: 'Repetition penalty',
    group: 'sampling',
    unit: 'factor',
    kind: 'number',
    min: 0.5,
    max: 3,
    step: 0.05,
    sentence: 'Divides the logits of tokens generated already in this answer; 1 turns it off.',
  },
  {
    id: 'maxNewTokens',
    label: 'Longest answer',
    group: 'sampling',
    unit: 'tokens',
    kind: 'integer',
    min: 1,
    max: 4096,
    step: 1,
    sentence: 'Generation stops after this many tokens if no stop text came first.',
  },
  {
    id: 'deltaNllEverySteps',
    label: 'Measure ΔNLL',
    group: 'measurement',
    unit: 'refocuses',
    kind: 'integer',
    min: 0,
    max: 1000,
    step: 1,
    sentence:
      'Every so many refocuses, ΔNLL@64 of the working context against the full raw history is measured; 0 turns it off.',
  },
  {
    id: 'seed',
    label: 'Seed',
    group: 'measurement',
    unit: '',
    kind: 'integer',
    min: 0,
    max: 2147483647,
    step: 1,
    sentence: 'Drives sampling, the random policy and synthetic data; the same seed gives the same run.',
  },
];

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(
    readonly parameter: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Merge changes into a configuration.
 *
 * @throws {ConfigError} for an unknown parameter or a value out of range; the message names both, and the
 * configuration given is unchanged.
 */
export function applyConfigChanges(config: RunConfig, changes: Readonly<Record<string, unknown>>): RunConfig {
  for (const key of Object.keys(changes)) {
    if (!Object.hasOwn(DEFAULT_RUN_CONFIG, key)) {
      throw new ConfigError(
        key,
        `Unknown parameter "${key}". Known: ${Object.keys(DEFAULT_RUN_CONFIG).join(', ')}.`,
      );
    }
  }
  const parsed = runConfigSchema.safeParse({ ...config, ...changes });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const parameter = String(issue.path[0] ?? 'config');
  throw new ConfigError(parameter, `${parameter} = ${JSON.stringify(changes[parameter])}: ${issue.message}.`);
}
