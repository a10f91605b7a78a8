/** The ways to read that the suite `heads` compares: what each changes of the run's parameters. Pure. */
import { DEFAULT_RUN_CONFIG, type RunConfig } from '../../../core/trace/config.ts';
import { K } from '../../../core/tree/ids.ts';
import type { LanguageModel } from '../../../nn/ports.ts';

/** How many heads are compared with one. */
const HEAD_COUNTS = [2, 4, 8] as const;
/** Where cues, mergers, router and staging are varied. */
const VARIED = 4;
/** Of staging, in budgets. */
const STAGING_BUDGETS = 4;
const QUARTERS = 4;
/** Sentences that one window scores each for itself where its question is asked part by part. */
const PARTS = 8;

/** What all others are held against. */
export const ONE_WINDOW = 'one window';
const BY_PARTS = `${ONE_WINDOW}, by parts`;

/** What says how many operations a base takes. */
type ComputeShape = Pick<
  LanguageModel,
  'parameters' | 'vocabularySize' | 'hiddenSize' | 'layers' | 'attention'
>;

/** One way to read. */
export interface Arm {
  readonly id: string;
  readonly heads: number;
  readonly changes: Partial<RunConfig>;
}

/** The arms of a run. @param base - for what equal compute is. */
export function armsOf(config: RunConfig, base: ComputeShape): readonly Arm[] {
  const one = { heads: 1, stagingBudgetTokens: 0 } as const;
  const stagingBudgetTokens = STAGING_BUDGETS * config.budgetTokens;
  const quarter = quarterOf(config);
  const several = HEAD_COUNTS.flatMap((heads): Arm[] => {
    const own = { heads, headTopK: 0, stagingBudgetTokens: 0 };
    const budgetTokens = budgetOfEqualCompute(config.budgetTokens, heads, base);
    return [
      { id: `${heads} heads`, heads, changes: own },
      { id: `${heads} heads, equal compute`, heads, changes: { ...own, budgetTokens } },
    ];
  });
  const own = { heads: VARIED, headTopK: 0, stagingBudgetTokens: 0 };
  const varied: Arm[] = [
    { id: `${VARIED} heads, a part each`, heads: VARIED, changes: { ...own, headCues: 'part' } },
    {
      id: `${VARIED} heads, diversity alone`,
      heads: VARIED,
      changes: { ...own, headCues: 'plain', diversityGain: 0.6 },
    },
    { id: `${VARIED} heads, merged by mean`, heads: VARIED, changes: { ...own, merger: 'mean' } },
    { id: `${VARIED} heads, the best one`, heads: VARIED, changes: { ...own, merger: 'best-head' } },
    {
      id: `${VARIED} heads, half routed`,
      heads: VARIED,
      changes: { ...own, router: 'utility-gated', headTopK: VARIED / 2 },
    },
    { id: `${VARIED} heads, staged`, heads: VARIED, changes: { ...own, stagingBudgetTokens } },
    {
      id: `${VARIED} heads, staged by LensNet-G`,
      heads: VARIED,
      changes: { ...own, stagingBudgetTokens, stagingLens: 'lensnet-g' },
    },
    { id: `${VARIED} heads, adapted`, heads: VARIED, changes: { ...own, headCues: 'learned' } },
    {
      id: `${VARIED} heads, half routed as learned`,
      heads: VARIED,
      changes: { ...own, router: 'learned', headTopK: VARIED / 2 },
    },
    { id: `${VARIED} heads, merged as learned`, heads: VARIED, changes: { ...own, merger: 'learned' } },
  ];
  return [
    { id: ONE_WINDOW, heads: 1, changes: { ...one, questionParts: 0 } },
    { id: BY_PARTS, heads: 1, changes: { ...one, questionParts: PARTS } },
    { id: `${ONE_WINDOW}, staged`, heads: 1, changes: { ...one, questionParts: PARTS, stagingBudgetTokens } },
    {
      id: `${ONE_WINDOW}, staged by LensNet-G`,
      heads: 1,
      changes: { ...one, questionParts: PARTS, stagingBudgetTokens, stagingLens: 'lensnet-g' },
    },
    { id: `${ONE_WINDOW}, a quarter`, heads: 1, changes: { ...one, ...quarter, questionParts: 0 } },
    {
      id: `${ONE_WINDOW}, a quarter, by parts`,
      heads: 1,
      changes: { ...one, ...quarter, questionParts: PARTS },
    },
    ...several,
    ...varied,
  ];
}

/** One window as wide as each of four heads; where it holds less than two recent windows, half of it is recent. */
function quarterOf({
  budgetTokens,
  recentTokens,
}: RunConfig): Pick<RunConfig, 'budgetTokens' | 'recentTokens'> {
  const tokens = Math.floor(budgetTokens / QUARTERS / K) * K;
  return { budgetTokens: tokens, recentTokens: Math.min(recentTokens, Math.floor(tokens / 2 / K) * K) };
}

/**
 * The total budget, to the nearest that gives each head whole blocks, with which reading several windows takes the base as many operations as one of `budgetTokens`:
 * 2 · weights a slot, and for attention 2 · layers · width · slots² a window. What a decoded token costs comes on top.
 */
export function budgetOfEqualCompute(
  budgetTokens: number,
  heads: number,
  { parameters, vocabularySize, hiddenSize, layers, attention }: ComputeShape,
): number {
  const perSlot = 2 * (parameters - vocabularySize * hiddenSize);
  const perPair = 2 * layers * attention.heads * attention.headDim;
  const each = (perSlot * budgetTokens + perPair * budgetTokens ** 2) / heads;
  const slots = (Math.sqrt(perSlot ** 2 + 4 * perPair * each) - perSlot) / (2 * perPair);
  return Math.round(slots / K) * K * heads;
}

/** Names of all arms: the same whatever the parameters. */
export const HEAD_ARMS: readonly string[] = armsOf(DEFAULT_RUN_CONFIG, {
  parameters: 2,
  vocabularySize: 1,
  hiddenSize: 1,
  layers: 1,
  attention: { heads: 1, kvHeads: 1, headDim: 1 },
}).map(({ id }) => id);

/** Those that run where none are named. */
export const DEFAULT_HEAD_ARMS: readonly string[] = [ONE_WINDOW, BY_PARTS, '2 heads', '4 heads'];
