/** How the working context is made, and how the base reads it. */

/** Where the base sees each slot. */
export const POSITION_MODES = ['absolute', 'grouped', 'compact'] as const;
export type PositionMode = (typeof POSITION_MODES)[number];

/** What stands for a gist: its vector, the rarest token of its span, or nothing at all. */
const GIST_INPUTS = ['vector', 'keyword', 'none'] as const;
export type GistInput = (typeof GIST_INPUTS)[number];

/** How the base's key-value cache follows a changed working context. */
export const KV_MODES = ['exact', 'patch'] as const;
export type KvMode = (typeof KV_MODES)[number];

export const CONTEXT = {
  budgetTokens: {
    kind: 'integer',
    label: 'Budget',
    symbol: 'W_max',
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
  },
  recentTokens: {
    kind: 'integer',
    label: 'Recent tokens',
    unit: 'tokens',
    min: 0,
    max: 8192,
    step: 32,
    default: 256,
    sentence: 'The newest tokens that always stay raw (LOD0); the allocator may not collapse them.',
    definition: 'assembly',
    affects: ['window', 'moves', 'scorer'],
    inManifest: 'required',
  },
  lod1WindowTokens: {
    kind: 'integer',
    label: 'LOD1 window',
    unit: 'tokens',
    min: 0,
    max: 1048576,
    step: 1024,
    default: 2048,
    sentence:
      'How far behind the recent tokens the recency assembly uses LOD1 before it turns to coarser gists.',
    definition: 'assembly',
    affects: ['window'],
  },
  positions: {
    kind: 'choice',
    choices: POSITION_MODES,
    label: 'Positions',
    unit: '',
    default: 'absolute',
    sentence:
      'Where the base sees each slot: at its absolute index, with far tokens grouped so that distances stay within the trained context, or numbered within the window.',
    definition: 'positions',
    affects: ['decoder', 'scorer'],
    inManifest: 'optional',
  },
  gistDecay: {
    kind: 'number',
    label: 'Gist decay',
    symbol: 'σ',
    unit: 'spans',
    min: 0,
    max: 4,
    step: 0.05,
    default: 0,
    sentence:
      'Blurs a gist’s position by a Gaussian as wide as its span times this, so that fast rotary frequencies fade; 0 turns it off, raw tokens stay sharp.',
    definition: 'gist-decay',
    affects: ['decoder', 'scorer'],
  },
  gistInput: {
    kind: 'choice',
    choices: GIST_INPUTS,
    label: 'Gist input',
    unit: '',
    default: 'vector',
    sentence:
      'What the base reads where a gist stands: its vector, the rarest token of its span, or nothing at all. A base without a GistNet of its own cannot read vectors.',
    definition: 'gist-input',
    affects: ['decoder', 'scorer'],
    inManifest: 'optional',
  },
  kvMode: {
    kind: 'choice',
    choices: KV_MODES,
    label: 'KV mode',
    unit: '',
    default: 'exact',
    sentence:
      'After a refocus the base runs again from the first changed slot on (exact), or only what was swapped in and a few slots behind it, keeping the rest as it was computed (patch).',
    definition: 'kv-mode',
    affects: ['decoder'],
  },
} as const;
