/** Every knob of a run: its schema and its default. `parameters.ts` describes each to people. */
import { z } from 'zod';
import { POSITION_MODES } from '../context/position-scheme.ts';
import { ATTENTION_READINGS } from './attention-record.ts';

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

/** How the base's key-value cache follows a changed working context. */
export const KV_MODES = ['exact', 'patch'] as const;
export type KvMode = (typeof KV_MODES)[number];

/** `default` is the session's own LensNet, or the model's; the others ask for an architecture by name. */
export const LENS_VARIANTS = ['default', 'dual-cross-attention', 'transformer', 'perceiver'] as const;
export type LensVariant = (typeof LENS_VARIANTS)[number];

export const RECORD_ATTENTION = ['off', ...ATTENTION_READINGS] as const;

export const runConfigSchema = z.strictObject({
  budgetTokens: z.number().int().min(64).max(32768),
  recentTokens: z.number().int().min(0).max(8192),
  lod1WindowTokens: z.number().int().min(0).max(1_048_576),
  positions: z.enum(POSITION_MODES),
  gistDecay: z.number().min(0).max(4),
  kvMode: z.enum(KV_MODES),
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
  lensVariant: z.enum(LENS_VARIANTS),
  questionParts: z.number().int().min(0).max(16),
  lookAheadPages: z.number().int().min(0).max(65536),
  temperature: z.number().min(0).max(5),
  topK: z.number().int().min(0).max(65536),
  topP: z.number().min(0).max(1),
  repetitionPenalty: z.number().min(0.5).max(3),
  maxNewTokens: z.number().int().min(1).max(4096),
  deltaNllEverySteps: z.number().int().min(0).max(1000),
  recordAttention: z.enum(RECORD_ATTENTION),
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
  kvMode: 'exact',
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
  lensVariant: 'default',
  questionParts: 0,
  lookAheadPages: 0,
  temperature: 0,
  topK: 0,
  topP: 1,
  repetitionPenalty: 1,
  maxNewTokens: 64,
  deltaNllEverySteps: 0,
  recordAttention: 'off',
  seed: 1,
};

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
