/** Multi-Head Focus: how many working contexts, what each looks for, which are read and how they are merged. */

/** What a head of Multi-Head Focus looks for beside what the policy asks; `src/core/heads/cues.ts` has them. */
export const HEAD_CUES = [
  'plain',
  'recency',
  'query',
  'names',
  'rare',
  'aggregation',
  'part',
  'learned',
] as const;
export type HeadCue = (typeof HEAD_CUES)[number];

/** Who chooses the heads that the base reads. */
export const ROUTERS = ['static', 'utility-gated', 'learned'] as const;
export type RouterId = (typeof ROUTERS)[number];

/** How the final hidden states of the chosen heads become one. */
export const MERGERS = ['mean', 'confident', 'best-head', 'learned'] as const;
export type MergerId = (typeof MERGERS)[number];

/** Whose scores the staging context follows. */
export const STAGING_LENSES = ['own', 'lensnet-g'] as const;

const CUE_LIST = new RegExp(`^\\s*(?:(?:${HEAD_CUES.join('|')})(?:\\*\\d{1,2})?(?:\\s*,\\s*|\\s*$))*$`);
const HEAD_LIST = /^\s*(?:[0-7](?:\s*,\s*|\s*$))*$/;

export const HEADS = {
  heads: {
    kind: 'integer',
    label: 'Heads',
    symbol: 'H',
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
  },
  headCues: {
    kind: 'text',
    pattern: CUE_LIST,
    written: `cues of ${HEAD_CUES.join(', ')}, separated by commas, each with its share of the budget if they are to differ, as in “plain*2, names”`,
    label: 'Cues',
    unit: '',
    maxCharacters: 160,
    sentence:
      'What each head looks for, in order and again from the beginning where there are more heads: plain (the policy alone), recency, query (the question’s words), names, rare, aggregation (whatever shares a word with the question), part (one sentence of the question each), learned (the head’s own adapter on LensNet, if the model brings one). “names*2” gives a head twice the share of the budget. Empty: plain for one head; for more plain, part, query, names, aggregation, recency, rare, part.',
    definition: 'head-cue',
    affects: ['heads', 'window', 'scorer'],
    inManifest: 'optional',
  },
  cueGain: {
    kind: 'number',
    label: 'Cue gain',
    unit: 'factor',
    min: 0,
    max: 2,
    step: 0.05,
    default: 0.5,
    sentence: 'How much a head’s cue counts beside the policy’s score; both lie between -1 and 1.',
    definition: 'head-cue',
    affects: ['heads', 'scorer'],
    inManifest: 'optional',
  },
  diversityGain: {
    kind: 'number',
    label: 'Diversity',
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
  },
  mutedHeads: {
    kind: 'text',
    pattern: HEAD_LIST,
    written: 'numbers of heads from 0 to 7, separated by commas',
    label: 'Muted heads',
    unit: '',
    maxCharacters: 32,
    sentence:
      'Heads that the base does not read, by number from 0, separated by commas; they go on focusing and keep their share of the budget. Numbers that the run has no heads for change nothing.',
    definition: 'multi-head-focus',
    affects: ['heads'],
  },
  router: {
    kind: 'choice',
    choices: ROUTERS,
    label: 'Router',
    unit: '',
    default: 'static',
    sentence:
      'Which heads the base reads where not all of them: the first ones (static), those whose raw blocks scored highest (utility-gated), or as learned from question and scores, if the model brings the weights. While all are read (Heads read is 0) it chooses nothing: then a learned one only says what each head is worth to the mergers best-head and learned, the others change no answer.',
    definition: 'head-router',
    affects: ['heads'],
    inManifest: 'optional',
  },
  headTopK: {
    kind: 'integer',
    label: 'Heads read',
    symbol: 'k',
    unit: 'heads',
    min: 0,
    max: 8,
    step: 1,
    default: 0,
    sentence:
      'How many heads the router chooses at every refocus; 0 takes all, as does any number that is not below those that are not muted.',
    definition: 'head-router',
    affects: ['heads'],
    inManifest: 'optional',
  },
  merger: {
    kind: 'choice',
    choices: MERGERS,
    label: 'Merger',
    unit: '',
    default: 'confident',
    sentence:
      'How the final hidden states of the heads that are read become one: all alike (mean), by how certain each head alone would be of the next token (confident), the head with the highest utility (best-head), or as learned, if the model brings the weights. One head alone has nothing to merge.',
    definition: 'head-merger',
    affects: ['heads'],
    inManifest: 'optional',
  },
  stagingBudgetTokens: {
    kind: 'integer',
    label: 'Staging budget',
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
  },
  stagingLens: {
    kind: 'choice',
    choices: STAGING_LENSES,
    label: 'Staging LensNet',
    unit: '',
    default: 'own',
    sentence:
      'Who scores the staging context where LensNet does: the LensNet that scores the heads (own), or the one that was trained on staging contexts (lensnet-g), if the model brings it. Without a staging context, and under policies without LensNet, it changes nothing.',
    definition: 'staging-context',
    affects: ['heads', 'scorer'],
    inManifest: 'optional',
  },
  stagingEveryTokens: {
    kind: 'integer',
    label: 'Staging cadence',
    unit: 'tokens',
    min: 32,
    max: 8192,
    step: 32,
    default: 256,
    sentence:
      'The staging context is refocused after so many new tokens, and when a question was asked until that moves nothing.',
    definition: 'staging-context',
    affects: ['heads'],
    inManifest: 'optional',
  },
} as const;
