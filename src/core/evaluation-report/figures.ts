/** What evaluations measure: the name, unit and kind of every figure that a report may carry. */

/**
 * Every figure that a cell may carry. `proportion` gets Wilson's interval, the others a bootstrap. `core`
 * figures stand in every cell: a suite that does not measure one says so in `why`.
 */
export const FIGURES = [
  {
    id: 'answered',
    label: 'Answered',
    unit: '',
    kind: 'proportion',
    core: true,
    sentence: 'Decoded freely, the text holds every expected value in order; lists as a set.',
  },
  {
    id: 'accuracy',
    label: 'Teacher-forced',
    unit: '',
    kind: 'proportion',
    core: true,
    sentence:
      'Diagnostic: every token of the asked values is the first choice after the reference’s own words before it.',
  },
  {
    id: 'routingRecall',
    label: 'Routing recall',
    unit: '',
    kind: 'proportion',
    core: true,
    sentence: 'All blocks that hold the answer are raw (LOD0) when it begins.',
  },
  {
    id: 'readingGivenRouted',
    label: 'Reading given routed',
    unit: '',
    kind: 'proportion',
    core: true,
    sentence: 'Answered among the questions whose blocks were raw.',
  },
  {
    id: 'againstFull',
    label: 'Against full context',
    unit: '',
    kind: 'ratio',
    core: true,
    sentence: 'Answered ÷ answered with the whole history in context; above 1 where more distracts.',
  },
  {
    id: 'f1',
    label: 'F1',
    unit: '',
    kind: 'mean',
    core: true,
    sentence: 'Free answers: SQuAD’s F1 over words, after its normalisation.',
  },
  {
    id: 'exactMatch',
    label: 'Exact match',
    unit: '',
    kind: 'proportion',
    core: false,
    sentence: 'Free answers: equal to a right one after SQuAD’s normalisation.',
  },
  {
    id: 'refused',
    label: 'Refused',
    unit: '',
    kind: 'proportion',
    core: false,
    sentence: 'The answer says that the text does not say.',
  },
  {
    id: 'nll',
    label: 'NLL',
    unit: 'nats/token',
    kind: 'mean',
    core: true,
    sentence: 'Mean negative log-likelihood of the expected tokens.',
  },
  {
    id: 'deltaNll',
    label: 'ΔNLL',
    unit: 'nats/token',
    kind: 'mean',
    core: true,
    sentence: 'NLL with the working context minus NLL with the full raw history.',
  },
  {
    id: 'gapRecovered',
    label: 'Gap recovered',
    unit: '',
    kind: 'ratio',
    core: true,
    sentence:
      '(floor − policy) ÷ (floor − full) of the NLL; the floor is newest-blocks, or the span deleted; in a stream, its slots given to recent raw tokens.',
  },
  {
    id: 'againstDeletion',
    label: 'Against deletion',
    unit: 'nats/token',
    kind: 'mean',
    core: false,
    sentence:
      'NLL with gists of one level, keywords in their place or nothing, minus NLL with those slots given to recent raw tokens instead.',
  },
  {
    id: 'regret',
    label: 'Normalised regret',
    unit: '',
    kind: 'ratio',
    core: true,
    sentence: '(policy − answer-oracle) ÷ (random-blocks − answer-oracle) of the NLL.',
  },
  {
    id: 'spearman',
    label: 'Score calibration',
    unit: '',
    kind: 'mean',
    core: true,
    sentence: 'Spearman correlation of the scores with measured counterfactual gains, within a context.',
  },
  {
    id: 'spearmanPooled',
    label: 'Calibration, pooled',
    unit: '',
    kind: 'mean',
    core: false,
    sentence: 'The same over the moves of all contexts of a history together.',
  },
  {
    id: 'spearmanWorthwhile',
    label: 'Calibration, moves that matter',
    unit: '',
    kind: 'mean',
    core: false,
    sentence:
      'The same, pooled, over the moves that stand out: worth 3 robust deviations of all moves, at least 0.02 nats, either way.',
  },
  {
    id: 'worthAgreement',
    label: 'Agreement of the gains',
    unit: '',
    kind: 'mean',
    core: false,
    sentence:
      'Spearman of the gains on one half of the answer’s tokens and on the other, within a context: near 0 they are noise, and no score can follow them.',
  },
  {
    id: 'swapRate',
    label: 'Swap rate, turn end',
    unit: 'per refocus',
    kind: 'mean',
    core: true,
    sentence: 'Actions per block of the working context and refocus, from the question to its answer.',
  },
  {
    id: 'flipRate',
    label: 'Flip rate, turn end',
    unit: '',
    kind: 'ratio',
    core: false,
    sentence: 'Actions undone within 4 refocuses, from the question to its answer.',
  },
  {
    id: 'meanResidency',
    label: 'Residency, turn end',
    unit: 'refocuses',
    kind: 'mean',
    core: false,
    sentence: 'Refocuses that a span stays at one level of detail, up to the answer.',
  },
  {
    id: 'utilisation',
    label: 'Utilisation',
    unit: '',
    kind: 'mean',
    core: false,
    sentence: 'Tokens used ÷ budget.',
  },
  {
    id: 'coherence',
    label: 'Coherence',
    unit: '',
    kind: 'ratio',
    core: false,
    sentence: 'Share of the entries scored above the expand threshold that got expanded.',
  },
  {
    id: 'refocusLatency',
    label: 'Refocus latency',
    unit: 'refocuses',
    kind: 'mean',
    core: false,
    sentence:
      'Refocuses after the question until the blocks that hold the answer are raw, where they ever are.',
  },
  {
    id: 'latencyTokens',
    label: 'Tokens until focused',
    unit: 'tokens',
    kind: 'mean',
    core: false,
    sentence: 'Tokens of the question until the blocks that hold the answer are raw, where they ever are.',
  },
  {
    id: 'extraNll',
    label: 'Extra NLL',
    unit: 'nats/token',
    kind: 'mean',
    core: false,
    sentence: 'NLL read from this key-value cache minus NLL with all its slots run afresh.',
  },
  {
    id: 'ranSlots',
    label: 'Slots run',
    unit: 'slots',
    kind: 'mean',
    core: false,
    sentence: 'Slots that the base runs until the cache has followed a question’s refocuses.',
  },
  {
    id: 'streamSwapRate',
    label: 'Swap rate, streaming',
    unit: 'per refocus',
    kind: 'mean',
    core: false,
    sentence: 'Swap rate while the history comes in block by block.',
  },
  {
    id: 'streamFlipRate',
    label: 'Flip rate, streaming',
    unit: '',
    kind: 'ratio',
    core: false,
    sentence: 'Actions undone within 4 refocuses while the history comes in block by block.',
  },
  {
    id: 'streamResidency',
    label: 'Residency, streaming',
    unit: 'refocuses',
    kind: 'mean',
    core: false,
    sentence: 'Refocuses that a span stays at one level of detail while the history comes in.',
  },
  {
    id: 'stagingHitRate',
    label: 'Staging hits',
    unit: '',
    kind: 'ratio',
    core: false,
    sentence:
      'Expansions of heads, from the question to its answer, into what the staging context holds as fine or finer.',
  },
  {
    id: 'baseTokensPerQuestion',
    label: 'Base tokens',
    unit: 'tokens/question',
    kind: 'mean',
    core: false,
    sentence:
      'Tokens that the base reads for one question, its share of what is read once a history included.',
  },
  {
    id: 'msPerQuestion',
    label: 'Time',
    unit: 'ms/question',
    kind: 'mean',
    core: false,
    sentence: 'Wall time of focusing and decoding; contexts that share a prefix share its forward.',
  },
  {
    id: 'bytesPerMillionTokens',
    label: 'Memory',
    unit: 'bytes/million tokens',
    kind: 'mean',
    core: false,
    sentence:
      'Bytes that are kept of a million tokens of history: their ids, and gists where the policy reads any.',
  },
  {
    id: 'probeEntity',
    label: 'Probe: entity',
    unit: '',
    kind: 'proportion',
    core: false,
    sentence: 'A linear probe names the entity from the gist alone.',
  },
  {
    id: 'probeRelation',
    label: 'Probe: relation',
    unit: '',
    kind: 'proportion',
    core: false,
    sentence: 'A linear probe names the relation from the gist alone.',
  },
  {
    id: 'probeValue',
    label: 'Probe: value',
    unit: '',
    kind: 'proportion',
    core: false,
    sentence: 'A linear probe names the value from the gist alone.',
  },
  {
    id: 'pairwiseCosine',
    label: 'Pairwise cosine',
    unit: '',
    kind: 'mean',
    core: false,
    sentence: 'Mean cosine between gists of different blocks; near 1 they have collapsed.',
  },
  {
    id: 'effectiveRank',
    label: 'Effective rank',
    unit: 'dimensions',
    kind: 'mean',
    core: false,
    sentence: 'Exponential of the entropy of the gists’ normalised singular values.',
  },
] as const satisfies readonly FigureDescription[];

export interface FigureDescription {
  readonly id: string;
  readonly label: string;
  readonly unit: string;
  readonly kind: 'proportion' | 'mean' | 'ratio';
  readonly core: boolean;
  readonly sentence: string;
}

export type FigureId = (typeof FIGURES)[number]['id'];
export type CoreFigureId = Extract<(typeof FIGURES)[number], { readonly core: true }>['id'];
