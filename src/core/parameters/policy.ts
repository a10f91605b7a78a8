/** Who scores the entries, and what LensNet is asked. */

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

/** `default` is the session's own LensNet, or the model's; the others ask for an architecture by name. */
export const LENS_VARIANTS = ['default', 'dual-cross-attention', 'transformer', 'perceiver'] as const;
export type LensVariant = (typeof LENS_VARIANTS)[number];

export const POLICY = {
  policy: {
    kind: 'choice',
    choices: POLICY_IDS,
    label: 'Policy',
    unit: '',
    default: 'lensnet',
    sentence:
      'Who scores the entries: the learned LensNet, a baseline, or the oracle, which tries every move (small budgets only).',
    definition: 'policy',
    affects: ['scorer'],
    inManifest: 'optional',
  },
  lensVariant: {
    kind: 'choice',
    choices: LENS_VARIANTS,
    label: 'LensNet variant',
    unit: '',
    default: 'default',
    sentence:
      'Which LensNet scores: the model’s own or the one kept for this session (default), or another architecture, if the model brings its weights. A head with the cue learned is scored by its own adapter instead, a staging context with lensnet-g by that.',
    definition: 'lens-variant',
    affects: ['scorer'],
  },
  scoredTokens: {
    kind: 'integer',
    label: 'Scored tokens',
    unit: 'tokens a block',
    min: 1,
    max: 32,
    step: 1,
    default: 8,
    sentence:
      'LensNet reads every token of a raw block but scores so many of them, at equal distances, whose mean is the block’s score; 32 scores all. Gists keep the same scores either way.',
    definition: 'score',
    affects: ['scorer'],
    inManifest: 'optional',
  },
  questionParts: {
    kind: 'integer',
    label: 'Question parts',
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
  },
  lookAheadPages: {
    kind: 'integer',
    label: 'Look-ahead',
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
  },
} as const;
