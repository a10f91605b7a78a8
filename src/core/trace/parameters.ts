/**
 * Every parameter of a run, once: what may stand in it, what it does, in whose words it is explained, and what a
 * new value makes stale. Validation, defaults, form, command line, links and `docs/parameters.md` follow from here.
 */
import { z } from 'zod';
import { readNumber } from '../../base/read-number.ts';
import { IN_WORDS } from '../../base/schema-words.ts';
import { GIST_INPUTS, POSITION_MODES } from '../context/position-scheme.ts';
import type { DefinitionId } from './definitions.ts';

const POLICY_IDS = [
  'lensnet',
  'recency',
  'random',
  'retrieval',
  'bm25',
  'hybrid',
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

/** How many tokens are read between two refocuses; `block` is K, `end` none before the text ends. */
export const REFOCUS_CADENCES = ['automatic', 'block', '256', '1024', 'end'] as const;
export type RefocusCadence = (typeof REFOCUS_CADENCES)[number];

/** `default` is the session's own LensNet, or the model's; the others ask for an architecture by name. */
export const LENS_VARIANTS = ['default', 'dual-cross-attention', 'transformer', 'perceiver'] as const;
export type LensVariant = (typeof LENS_VARIANTS)[number];

/**
 * Which of the base's heads are read: the mean over all of them, the mean over the last layer's, or for every
 * slot the head that weighs it most, scaled to sum 1.
 */
export const ATTENTION_READINGS = ['mean', 'last-layer', 'strongest-head'] as const;
export type AttentionReading = (typeof ATTENTION_READINGS)[number];

const RECORD_ATTENTION = ['off', ...ATTENTION_READINGS] as const;

/** What a head of Multi-Head Focus looks for beside what the policy asks; `src/core/heads/cues.ts` has them. */
export const HEAD_CUES = ['plain', 'recency', 'query', 'names', 'rare', 'aggregation', 'part'] as const;
export type HeadCue = (typeof HEAD_CUES)[number];

/** Who chooses the heads that the base reads. */
export const ROUTERS = ['static', 'utility-gated', 'learned'] as const;
export type RouterId = (typeof ROUTERS)[number];

/** How the final hidden states of the chosen heads become one. */
export const MERGERS = ['mean', 'confident', 'best-head', 'learned'] as const;
export type MergerId = (typeof MERGERS)[number];

const CUE_LIST = new RegExp(`^\\s*(?:(?:${HEAD_CUES.join('|')})(?:\\*\\d{1,2})?(?:\\s*,\\s*|\\s*$))*$`);
const HEAD_LIST = /^\s*(?:[0-7](?:\s*,\s*|\s*$))*$/;

/** The sections of the form, in order. */
export const PARAMETER_GROUPS = {
  context: 'Working context',
  allocator: 'Focus allocator',
  policy: 'Policy',
  heads: 'Multi-Head Focus',
  memory: 'Memory',
  chat: 'Chat',
  sampling: 'Sampling',
  measurement: 'Measurement',
} as const;
export type ParameterGroup = keyof typeof PARAMETER_GROUPS;

/** What a new value takes hold of. */
export const EFFECTS = {
  window: 'how the working context is fitted into its budget',
  scorer: 'the scorer, where its policy reads the parameter, and what is scored again at a turn’s end',
  moves: 'which moves a refocus makes',
  decoder: 'how the base reads the working context; what is cached otherwise is run again',
  heads: 'how many working contexts there are, what each looks for, and which of them answer',
  answer: 'how the next answer is sampled',
  pruning: 'which detail goes to the cold tier',
  measurement: 'what is measured on the way, and nothing else',
} as const;
export type Effect = keyof typeof EFFECTS;

interface Description {
  readonly label: string;
  /** The symbol of the design documents, where there is one. */
  readonly symbol?: string;
  readonly group: ParameterGroup;
  readonly unit: string;
  /** What it does, for the form and the documentation. */
  readonly sentence: string;
  /** The entry of `definitions.ts` behind it. */
  readonly definition: DefinitionId;
  readonly affects: readonly Effect[];
  /** A model's manifest gives its own default: it must, or it may. */
  readonly inManifest?: 'required' | 'optional';
}

interface Range {
  readonly min: number;
  readonly max: number;
  /** Of the form's slider. */
  readonly step: number;
  readonly default: number;
}

function integer<const Spec extends Description & Range>(spec: Spec) {
  return { kind: 'integer', schema: z.number().int().min(spec.min).max(spec.max), ...spec } as const;
}

function number<const Spec extends Description & Range>(spec: Spec) {
  return { kind: 'number', schema: z.number().min(spec.min).max(spec.max), ...spec } as const;
}

function choice<
  const Choices extends readonly [string, ...string[]],
  const Spec extends Description & { readonly default: Choices[number] },
>(choices: Choices, spec: Spec) {
  return { kind: 'choice', schema: z.enum(choices), choices, ...spec } as const;
}

/** Words of the user's own; empty stands for the model's. */
function text<const Spec extends Description & { readonly maxCharacters: number }>(spec: Spec) {
  return { kind: 'text', schema: z.string().max(spec.maxCharacters), default: '', ...spec } as const;
}

/** Words of a form of their own. @param written - how they are to be written, as a phrase. */
function list<const Spec extends Description & { readonly maxCharacters: number }>(
  pattern: RegExp,
  written: string,
  spec: Spec,
) {
  const schema = z
    .string()
    .max(spec.maxCharacters)
    .regex(pattern, { error: `it takes ${written}` });
  return { kind: 'text', schema, default: '', ...spec } as const;
}

/** The system text that asks for none at all, where the empty one asks for the model's own. */
export const NO_SYSTEM_TEXT = '-';

/** In display order. */
const TABLE = {
  budgetTokens: integer({
    label: 'Budget',
    symbol: 'W_max',
    group: 'context',
    unit: 'tokens',
    min: 64,
    max: 32768,
    step: 32,
    default: 8192,
    sentence:
      'The sum of entry costs in the working context never exceeds this: a raw token costs 1, a gist costs 1.',
    definition: 'working-context',
    affects: ['window', 'moves', 'scorer'],
    inManifest: 'required',
  }),
  recentTokens: integer({
    label: 'Recent tokens',
    group: 'context',
    unit: 'tokens',
    min: 0,
    max: 8192,
    step: 32,
    default: 256,
    sentence: 'The newest tokens that always stay raw (LOD0); the allocator may not collapse them.',
    definition: 'assembly',
    affects: ['window', 'moves', 'scorer'],
    inManifest: 'required',
  }),
  lod1WindowTokens: integer({
    label: 'LOD1 window',
    group: 'context',
    unit: 'tokens',
    min: 0,
    max: 1048576,
    step: 1024,
    default: 2048,
    sentence:
      'How far behind the recent tokens the recency assembly uses LOD1 before it turns to coarser gists.',
    definition: 'assembly',
    affects: ['window'],
  }),
  positions: choice(POSITION_MODES, {
    label: 'Positions',
    group: 'context',
    unit: '',
    default: 'absolute',
    sentence:
      'Where the base sees each slot: at its absolute index, with far tokens grouped so that distances stay within the trained context, or numbered within the window.',
    definition: 'positions',
    affects: ['decoder', 'scorer'],
    inManifest: 'optional',
  }),
  gistDecay: number({
    label: 'Gist decay',
    symbol: 'σ',
    group: 'context',
    unit: 'spans',
    min: 0,
    max: 4,
    step: 0.05,
    default: 0,
    sentence:
      'Blurs a gist’s position by a Gaussian as wide as its span times this, so that fast rotary frequencies fade; 0 turns it off, raw tokens stay sharp.',
    definition: 'gist-decay',
    affects: ['decoder', 'scorer'],
  }),
  gistInput: choice(GIST_INPUTS, {
    label: 'Gist input',
    group: 'context',
    unit: '',
    default: 'vector',
    sentence:
      'What the base reads where a gist stands: its vector, the rarest token of its span, or nothing at all. A base without a GistNet of its own cannot read vectors.',
    definition: 'gist-input',
    affects: ['decoder', 'scorer'],
    inManifest: 'optional',
  }),
  kvMode: choice(KV_MODES, {
    label: 'KV mode',
    group: 'context',
    unit: '',
    default: 'exact',
    sentence:
      'After a refocus the base runs again from the first changed slot on (exact), or only what was swapped in and a few slots behind it, keeping the rest as it was computed (patch).',
    definition: 'kv-mode',
    affects: ['decoder'],
  }),
  tauExpand: number({
    label: 'Expand threshold',
    symbol: 'τ_expand',
    group: 'allocator',
    unit: 'score',
    min: 0,
    max: 1,
    step: 0.01,
    default: 0.2,
    sentence: 'An entry whose score is above this becomes a candidate for expansion.',
    definition: 'score',
    affects: ['moves'],
    inManifest: 'optional',
  }),
  tauCollapse: number({
    label: 'Collapse threshold',
    symbol: 'τ_collapse',
    group: 'allocator',
    unit: 'score',
    min: 0,
    max: 1,
    step: 0.01,
    default: 0.2,
    sentence: 'An entry or sibling group whose score is below minus this becomes a candidate for collapse.',
    definition: 'score',
    affects: ['moves'],
    inManifest: 'optional',
  }),
  maxActions: integer({
    label: 'Actions per refocus',
    symbol: 'N_diff',
    group: 'allocator',
    unit: 'actions',
    min: 0,
    max: 64,
    step: 1,
    default: 4,
    sentence: 'At most this many expansions and collapses are applied in one refocus.',
    definition: 'refocus',
    affects: ['moves'],
    inManifest: 'optional',
  }),
  openNeighbours: integer({
    label: 'Open neighbours',
    group: 'allocator',
    unit: 'blocks',
    min: 0,
    max: 8,
    step: 1,
    default: 0,
    sentence:
      'A block whose score is above τ_expand asks for this many blocks on either side of it as well, as strongly as for itself.',
    definition: 'how-much-to-open',
    affects: ['moves'],
    inManifest: 'optional',
  }),
  openBlocks: integer({
    label: 'Open blocks',
    group: 'allocator',
    unit: 'blocks',
    min: 0,
    max: 1024,
    step: 1,
    default: 0,
    sentence:
      'At most this many blocks outside the recent tokens stand raw, those with the best scores; the others collapse although the budget has room. 0 leaves it to the budget.',
    definition: 'how-much-to-open',
    affects: ['moves'],
    inManifest: 'optional',
  }),
  cooldownSteps: integer({
    label: 'Cooldown',
    group: 'allocator',
    unit: 'refocuses',
    min: 0,
    max: 64,
    step: 1,
    default: 2,
    sentence: 'A span that was expanded or collapsed cannot flip direction for this many refocuses.',
    definition: 'cooldown',
    affects: ['moves'],
    inManifest: 'optional',
  }),
  refineSteps: integer({
    label: 'Refine steps',
    group: 'allocator',
    unit: 'passes',
    min: 0,
    max: 3,
    step: 1,
    default: 1,
    sentence:
      'How often the scorer runs again within one refocus after moves that its scores asked for; what the budget alone forced is no reason.',
    definition: 'refocus',
    affects: ['moves'],
    inManifest: 'optional',
  }),
  refocusCadence: choice(REFOCUS_CADENCES, {
    label: 'Refocus cadence',
    group: 'allocator',
    unit: 'tokens',
    default: 'automatic',
    sentence:
      'How often focus is renewed while text is read: whenever a block of 32 tokens closes, every 256 or 1,024 tokens, or at the end of the text. Automatic takes the block, 256 while more than 16,384 tokens wait and 1,024 while more than 131,072 do; where a pace is set, the block. Questions and answers always go by the block.',
    definition: 'refocus',
    affects: ['moves'],
    inManifest: 'optional',
  }),
  driftDecay: number({
    label: 'Drift memory',
    group: 'allocator',
    unit: 'fraction',
    min: 0,
    max: 1,
    step: 0.01,
    default: 0.9,
    sentence: 'How slowly the moving average of net cost (added minus refunded) forgets.',
    definition: 'drift',
    affects: ['moves'],
  }),
  driftGain: number({
    label: 'Drift correction',
    group: 'allocator',
    unit: 'score per budget',
    min: 0,
    max: 1,
    step: 0.01,
    default: 0.05,
    sentence: 'How strongly net-cost drift biases the next scores toward balance.',
    definition: 'drift',
    affects: ['moves'],
  }),
  strategy: choice(STRATEGY_IDS, {
    label: 'Strategy',
    group: 'allocator',
    unit: '',
    default: 'greedy',
    sentence:
      'How scores become moves: best first (greedy), sampled (stochastic), the best set of moves at once (matching), or greedy with thresholds that follow how full the window is (adaptive).',
    definition: 'strategy',
    affects: ['moves'],
    inManifest: 'optional',
  }),
  utilisationLow: number({
    label: 'Low utilisation',
    group: 'allocator',
    unit: 'fraction of budget',
    min: 0,
    max: 1,
    step: 0.01,
    default: 0.8,
    sentence:
      'Adaptive strategy: below this share of the budget, τ_expand falls until the best of the rest fill it.',
    definition: 'strategy',
    affects: ['moves'],
  }),
  utilisationHigh: number({
    label: 'High utilisation',
    group: 'allocator',
    unit: 'fraction of budget',
    min: 0,
    max: 1,
    step: 0.01,
    default: 0.95,
    sentence:
      'Adaptive strategy: above this share of the budget, τ_expand rises until only the N_diff best still ask to expand.',
    definition: 'strategy',
    affects: ['moves'],
  }),
  tauStep: number({
    label: 'Threshold step',
    group: 'allocator',
    unit: 'score',
    min: 0.01,
    max: 1,
    step: 0.01,
    default: 0.05,
    sentence: 'Adaptive strategy: τ_expand moves in steps of this size.',
    definition: 'strategy',
    affects: ['moves'],
  }),
  tradeMargin: number({
    label: 'Trade margin',
    group: 'allocator',
    unit: 'score',
    min: 0,
    max: 2,
    step: 0.01,
    default: 0.1,
    sentence:
      'Adaptive strategy: in a full window an entry expands only if its score is above that of what collapses for it by more than this.',
    definition: 'strategy',
    affects: ['moves'],
  }),
  strategyTopK: integer({
    label: 'Candidates sampled',
    group: 'allocator',
    unit: 'candidates',
    min: 1,
    max: 256,
    step: 1,
    default: 8,
    sentence: 'Stochastic strategy: it samples among this many best candidates of each queue.',
    definition: 'strategy',
    affects: ['moves'],
  }),
  strategyTemperature: number({
    label: 'Strategy temperature',
    group: 'allocator',
    unit: 'score',
    min: 0,
    max: 5,
    step: 0.05,
    default: 0.2,
    sentence:
      'Stochastic strategy: score differences well below this hardly matter; 0 takes the best first, as greedy does.',
    definition: 'strategy',
    affects: ['moves'],
  }),
  policy: choice(POLICY_IDS, {
    label: 'Policy',
    group: 'policy',
    unit: '',
    default: 'lensnet',
    sentence:
      'Who scores the entries: the learned LensNet, a baseline, or the oracle, which tries every move (small budgets only).',
    definition: 'policy',
    affects: ['scorer'],
    inManifest: 'optional',
  }),
  lensVariant: choice(LENS_VARIANTS, {
    label: 'LensNet variant',
    group: 'policy',
    unit: '',
    default: 'default',
    sentence:
      'Which LensNet scores: the model’s own or the one kept for this session (default), or another architecture, if the model brings its weights.',
    definition: 'lens-variant',
    affects: ['scorer'],
  }),
  questionParts: integer({
    label: 'Question parts',
    group: 'policy',
    unit: 'sentences',
    min: 0,
    max: 16,
    step: 1,
    default: 0,
    sentence:
      'At a turn’s end LensNet also scores the window for this many sentences of a longer question, each alone, and the highest score counts; 0 scores it for the whole tail only.',
    definition: 'question-parts',
    affects: ['scorer'],
    inManifest: 'optional',
  }),
  lookAheadPages: integer({
    label: 'Look-ahead',
    group: 'policy',
    unit: 'pages',
    min: 0,
    max: 65536,
    step: 16,
    default: 0,
    sentence:
      'At a turn’s end LensNet scores collapsed spans by the best LOD1 gist below them, for this many pages of 1,024 tokens; 0 trusts their coarse gists alone.',
    definition: 'question-parts',
    affects: ['scorer'],
    inManifest: 'optional',
  }),
  heads: integer({
    label: 'Heads',
    symbol: 'H',
    group: 'heads',
    unit: 'heads',
    min: 1,
    max: 8,
    step: 1,
    default: 1,
    sentence:
      'Working contexts over the one memory, which share the budget: each is focused for itself, and their readings are merged for every token. Each needs at least 128 tokens of the budget.',
    definition: 'multi-head-focus',
    affects: ['heads', 'window', 'scorer'],
    inManifest: 'optional',
  }),
  headCues: list(
    CUE_LIST,
    `cues of ${HEAD_CUES.join(', ')}, separated by commas, each with its share of the budget if they are to differ, as in “plain*2, names”`,
    {
      label: 'Cues',
      group: 'heads',
      unit: '',
      maxCharacters: 160,
      sentence:
        'What each head looks for, in order and again from the beginning where there are more heads: plain (the policy alone), recency, query (the question’s words), names, rare, aggregation (whatever shares a word with the question), part (one sentence of the question each). “names*2” gives a head twice the share of the budget. Empty: plain for one head; for more plain, part, query, names, aggregation, recency, rare, part.',
      definition: 'head-cue',
      affects: ['heads', 'window', 'scorer'],
      inManifest: 'optional',
    },
  ),
  cueGain: number({
    label: 'Cue gain',
    group: 'heads',
    unit: 'factor',
    min: 0,
    max: 2,
    step: 0.05,
    default: 0.5,
    sentence: 'How much a head’s cue counts beside the policy’s score; both lie between -1 and 1.',
    definition: 'head-cue',
    affects: ['heads', 'scorer'],
    inManifest: 'optional',
  }),
  diversityGain: number({
    label: 'Diversity',
    group: 'heads',
    unit: 'score',
    min: 0,
    max: 1,
    step: 0.05,
    default: 0.3,
    sentence:
      'Taken off a head’s score for a span that heads before it hold raw already, so that they show different detail; 0 lets heads with equal cues be equal.',
    definition: 'head-overlap',
    affects: ['heads', 'scorer'],
    inManifest: 'optional',
  }),
  mutedHeads: list(HEAD_LIST, 'numbers of heads from 0 to 7, separated by commas', {
    label: 'Muted heads',
    group: 'heads',
    unit: '',
    maxCharacters: 32,
    sentence:
      'Heads that the base does not read, by number from 0, separated by commas; they go on focusing and keep their share of the budget.',
    definition: 'multi-head-focus',
    affects: ['heads'],
  }),
  router: choice(ROUTERS, {
    label: 'Router',
    group: 'heads',
    unit: '',
    default: 'static',
    sentence:
      'Which heads the base reads where not all of them: the first ones (static), those whose raw blocks scored highest (utility-gated), or as learned from question and scores, if the model brings the weights.',
    definition: 'head-router',
    affects: ['heads'],
    inManifest: 'optional',
  }),
  headTopK: integer({
    label: 'Heads read',
    symbol: 'k',
    group: 'heads',
    unit: 'heads',
    min: 0,
    max: 8,
    step: 1,
    default: 0,
    sentence: 'How many heads the router chooses at every refocus; 0 takes all.',
    definition: 'head-router',
    affects: ['heads'],
    inManifest: 'optional',
  }),
  merger: choice(MERGERS, {
    label: 'Merger',
    group: 'heads',
    unit: '',
    default: 'confident',
    sentence:
      'How the final hidden states of the heads become one before the LM head: all alike (mean), by how certain each head alone would be of the next token (confident), the head with the highest utility (best-head), or as learned, if the model brings the weights.',
    definition: 'head-merger',
    affects: ['heads'],
    inManifest: 'optional',
  }),
  stagingBudgetTokens: integer({
    label: 'Staging budget',
    group: 'heads',
    unit: 'tokens',
    min: 0,
    max: 100000,
    step: 1024,
    default: 0,
    sentence:
      'Size of the staging context, a wide reservoir that the base never reads: it is refocused block by block now and then, and lends the heads what it saw below their coarse gists; 0 turns it off.',
    definition: 'staging-context',
    affects: ['heads', 'scorer'],
    inManifest: 'optional',
  }),
  stagingEveryTokens: integer({
    label: 'Staging cadence',
    group: 'heads',
    unit: 'tokens',
    min: 32,
    max: 8192,
    step: 32,
    default: 256,
    sentence: 'The staging context is refocused after so many new tokens, and when a question was asked.',
    definition: 'staging-context',
    affects: ['heads'],
    inManifest: 'optional',
  }),
  pruneEverySteps: integer({
    label: 'Prune every',
    group: 'memory',
    unit: 'refocuses',
    min: 0,
    max: 65536,
    step: 32,
    default: 0,
    sentence:
      'Every so many refocuses, what the rules below let go moves to the cold tier by itself; 0 leaves pruning to the panel.',
    definition: 'pruning',
    affects: ['pruning'],
  }),
  pruneIdleSteps: integer({
    label: 'Idle before pruning',
    group: 'memory',
    unit: 'refocuses',
    min: 0,
    max: 1000000,
    step: 16,
    default: 256,
    sentence:
      'Detail may go only when it has not stood in the working context, or been made, for so many refocuses.',
    definition: 'pruning',
    affects: ['pruning'],
  }),
  pruneHalfLifeSteps: integer({
    label: 'Half-life of an access',
    group: 'memory',
    unit: 'refocuses',
    min: 1,
    max: 1000000,
    step: 16,
    default: 128,
    sentence: 'After so many refocuses an access counts half when it is weighed what stays.',
    definition: 'pruning',
    affects: ['pruning'],
  }),
  pruneKeepAccesses: number({
    label: 'Accesses that keep',
    group: 'memory',
    unit: 'accesses',
    min: 0,
    max: 1000,
    step: 0.5,
    default: 1,
    sentence: 'Detail with more accesses than this, halved by their age, stays.',
    definition: 'pruning',
    affects: ['pruning'],
  }),
  pruneMaxDeltaNll: number({
    label: 'Highest ΔNLL to prune',
    group: 'memory',
    unit: 'nats/token',
    min: 0,
    max: 1,
    step: 0.005,
    default: 0.01,
    sentence:
      'Detail whose loss was measured to cost more than this stays; what was never measured is not held back by it.',
    definition: 'pruning',
    affects: ['pruning'],
  }),
  pruneMaxShare: number({
    label: 'Highest share pruned',
    group: 'memory',
    unit: '',
    min: 0,
    max: 0.9,
    step: 0.05,
    default: 0.5,
    sentence: 'At most this share of the nodes of a level is in the cold tier.',
    definition: 'pruning',
    affects: ['pruning'],
  }),
  systemText: text({
    label: 'System text',
    group: 'chat',
    unit: '',
    maxCharacters: 8000,
    sentence:
      'What the model is told before anything else, written as its chat template wants it; empty: the template’s own, a single “-”: none. It stands at the history’s beginning and is kept raw; one that is changed later is written before the next question.',
    definition: 'chat-template',
    affects: ['answer'],
  }),
  stopTexts: text({
    label: 'Stop texts',
    group: 'chat',
    unit: '',
    maxCharacters: 512,
    sentence:
      'An answer ends before the first of these, one a line, a line break written \\n; empty: the model’s own.',
    definition: 'chat-template',
    affects: ['answer'],
  }),
  temperature: number({
    label: 'Temperature',
    group: 'sampling',
    unit: '',
    min: 0,
    max: 5,
    step: 0.05,
    default: 0,
    sentence: '0 picks the most likely token (greedy); higher values flatten the distribution.',
    definition: 'sampling',
    affects: ['answer'],
  }),
  topK: integer({
    label: 'Top-k',
    group: 'sampling',
    unit: 'tokens',
    min: 0,
    max: 65536,
    step: 1,
    default: 0,
    sentence: 'Sample among the k most likely tokens only; 0 turns it off.',
    definition: 'sampling',
    affects: ['answer'],
  }),
  topP: number({
    label: 'Top-p',
    group: 'sampling',
    unit: 'probability',
    min: 0,
    max: 1,
    step: 0.01,
    default: 1,
    sentence: 'Sample among the smallest set of tokens whose probability reaches p; 1 turns it off.',
    definition: 'sampling',
    affects: ['answer'],
  }),
  repetitionPenalty: number({
    label: 'Repetition penalty',
    group: 'sampling',
    unit: 'factor',
    min: 0.5,
    max: 3,
    step: 0.05,
    default: 1,
    sentence: 'Divides the logits of tokens generated already in this answer; 1 turns it off.',
    definition: 'sampling',
    affects: ['answer'],
  }),
  maxNewTokens: integer({
    label: 'Longest answer',
    group: 'sampling',
    unit: 'tokens',
    min: 1,
    max: 4096,
    step: 1,
    default: 64,
    sentence: 'Generation stops after this many tokens if no stop text came first.',
    definition: 'sampling',
    affects: ['answer'],
  }),
  deltaNllEverySteps: integer({
    label: 'Measure ΔNLL',
    group: 'measurement',
    unit: 'refocuses',
    min: 0,
    max: 1000,
    step: 1,
    default: 0,
    sentence:
      'Every so many refocuses, ΔNLL@64 of the working context against the full raw history is measured; 0 turns it off.',
    definition: 'delta-nll',
    affects: ['measurement'],
  }),
  recordAttention: choice(RECORD_ATTENTION, {
    label: 'Record attention',
    group: 'measurement',
    unit: '',
    default: 'off',
    sentence:
      'Notes for every generated token how much the base attended to each block: the mean of all its heads, of the last layer’s, or the strongest head of each slot. Costs about half as much time again a token, and some hundred bytes each in the trace.',
    definition: 'attention',
    affects: ['decoder'],
  }),
  seed: integer({
    label: 'Seed',
    group: 'measurement',
    unit: '',
    min: 0,
    max: 2147483647,
    step: 1,
    default: 1,
    sentence: 'Drives sampling, the random policy and synthetic data; the same seed gives the same run.',
    definition: 'seed',
    affects: ['scorer', 'moves', 'answer'],
  }),
} as const;

type Table = typeof TABLE;
export type ParameterId = keyof Table;

/** The schema of every parameter, by its id. */
export type ParameterSchemas = { readonly [Id in ParameterId]: Table[Id]['schema'] };

/** Ids of the parameters that have an effect. */
export type ParameterAffecting<Of extends Effect> = {
  [Id in ParameterId]: Of extends Table[Id]['affects'][number] ? Id : never;
}[ParameterId];

/** Ids of the parameters for which a model's manifest must, or may, give its own default. */
export type ManifestParameter<Of extends 'required' | 'optional'> = {
  [Id in ParameterId]: Table[Id] extends { readonly inManifest: Of } ? Id : never;
}[ParameterId];

interface Named extends Description {
  readonly id: ParameterId;
  readonly schema: z.ZodType<string | number>;
}

export interface NumericParameter extends Named, Range {
  readonly kind: 'integer' | 'number';
}

interface ChoiceParameter extends Named {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default: string;
}

export interface TextParameter extends Named {
  readonly kind: 'text';
  readonly maxCharacters: number;
  readonly default: string;
}

/** One parameter as forms, command lines and documentation read it. */
export type Parameter = NumericParameter | ChoiceParameter | TextParameter;

/** Every parameter, in display order. */
export const PARAMETERS: readonly Parameter[] = Object.entries(TABLE).map(([id, parameter]): Parameter => ({
  id: id as ParameterId,
  ...parameter,
}));

/** Undefined for a name that no parameter has. */
export function parameterNamed(name: string): Parameter | undefined {
  return PARAMETERS.find(({ id }) => id === name);
}

export type ParameterReading =
  { readonly ok: true; readonly value: number | string } | { readonly ok: false; readonly message: string };

/**
 * A parameter's value from text, as it stands in a form, a link or on a command line; a number may be written in
 * any way that `readNumber` knows. `message` says what is wrong with it otherwise, as a phrase.
 */
export function readParameter(parameter: Parameter, text: string): ParameterReading {
  if (parameter.kind === 'choice') {
    if (parameter.choices.includes(text)) return { ok: true, value: text };
    return { ok: false, message: `“${text}” is none of ${parameter.choices.join(', ')}` };
  }
  if (parameter.kind === 'text') {
    const { maxCharacters } = parameter;
    const { success, error } = parameter.schema.safeParse(text, IN_WORDS);
    if (success) return { ok: true, value: text };
    if (text.length <= maxCharacters) return { ok: false, message: error.issues[0]!.message };
    return { ok: false, message: `it has ${text.length} characters; at most ${maxCharacters} are taken` };
  }
  const { kind, min, max } = parameter;
  return readNumber(text, { min, max, whole: kind === 'integer' });
}
