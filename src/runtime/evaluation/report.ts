/**
 * The machine output of evaluations: its schema, its types, and reading it from untrusted text. How the
 * figures come from counts is in cell.ts.
 */
import { z } from 'zod';
import type { Interval, WeightedSum } from './statistics.ts';

export const REPORT_VERSION = 1;

/**
 * Every figure that a cell may carry. `proportion` gets Wilson's interval, the others a bootstrap. `core`
 * figures stand in every cell: a suite that does not measure one says so in `why`.
 */
export const FIGURES = [
  {
    id: 'accuracy',
    label: 'Accuracy',
    unit: '',
    kind: 'proportion',
    core: true,
    sentence: 'Every token of the asked value is the model’s first choice.',
  },
  {
    id: 'routingRecall',
    label: 'Routing recall',
    unit: '',
    kind: 'proportion',
    core: true,
    sentence: 'All blocks that hold the answer are raw (LOD0) when it is produced.',
  },
  {
    id: 'readingAccuracy',
    label: 'Reading accuracy',
    unit: '',
    kind: 'proportion',
    core: true,
    sentence: 'Accuracy among the questions whose blocks were raw.',
  },
  {
    id: 'exactMatch',
    label: 'Exact match',
    unit: '',
    kind: 'proportion',
    core: false,
    sentence: 'Greedy generation gives the whole answer, word for word.',
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
    sentence: '(floor − policy) ÷ (floor − full) of the NLL; the floor is recency, or the span deleted.',
  },
  {
    id: 'regret',
    label: 'Normalised regret',
    unit: '',
    kind: 'ratio',
    core: true,
    sentence: '(policy − oracle) ÷ (random − oracle) of the NLL.',
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
    label: 'Swap rate',
    unit: 'per refocus',
    kind: 'mean',
    core: true,
    sentence: 'Actions per block of the working context and refocus.',
  },
  {
    id: 'flipRate',
    label: 'Flip rate',
    unit: '',
    kind: 'ratio',
    core: false,
    sentence: 'Actions undone within 4 refocuses.',
  },
  {
    id: 'meanResidency',
    label: 'Residency',
    unit: 'refocuses',
    kind: 'mean',
    core: false,
    sentence: 'Refocuses that a span stays at one level of detail.',
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
    sentence: 'NLL read from this key-value cache minus NLL with all its slots run anew.',
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
type CoreFigureId = Extract<(typeof FIGURES)[number], { readonly core: true }>['id'];

/** The figures of one independent unit: the questions that share a history, or one document. */
export interface ClusterCounts {
  /** Unique within its cell, and the same in every run: shards merge by it. */
  readonly cluster: string;
  /** Cases. */
  readonly n: number;
  /** A figure of the cell is Σ sum / Σ weight over its clusters; a mean's weight is its number of cases. */
  readonly figures: Partial<Record<FigureId, WeightedSum>>;
  /** Accuracy by distance from fact to question: `[floor(log2 tokens), questions, right ones]`. */
  readonly distances?: readonly BinCounts[] | undefined;
  /** NLL by position in the history: `[floor(log2 tokens), tokens, sum of nats]`. */
  readonly positions?: readonly BinCounts[] | undefined;
}

export type BinCounts = readonly [log2: number, weight: number, sum: number];

/** One bin of a curve: `2^log2 .. 2^(log2+1)` tokens. */
export interface Bin {
  readonly log2: number;
  readonly n: number;
  readonly value: number;
  readonly ci95: Interval | null;
}

/** What identifies a cell in its suite. */
export interface CellKey {
  readonly task: string;
  readonly policy: string;
  readonly historyTokens: number;
  readonly budgetTokens: number;
}

export type Cell = CellKey & {
  /** Cases. */
  readonly n: number;
  /** Of the accuracy; of the NLL where a suite has no accuracy. */
  readonly ci95: Interval | null;
  readonly intervals: Partial<Record<FigureId, Interval>>;
  /** Why a figure is null, by its name. */
  readonly why: Readonly<Record<string, string>>;
  readonly distances: readonly Bin[];
  readonly positions: readonly Bin[];
  /** What the figures were made of: partial runs are merged by these. */
  readonly clusters: readonly ClusterCounts[];
} & { readonly [F in CoreFigureId]: number | null } & {
  readonly [F in Exclude<FigureId, CoreFigureId>]?: number | null | undefined;
};

export interface Suite {
  readonly suite: string;
  readonly cells: readonly Cell[];
}

export interface EvaluationReport {
  readonly version: typeof REPORT_VERSION;
  readonly model: string;
  readonly seed: number;
  readonly backend: string;
  /** The commit that the code was built from; null where it is not known. */
  readonly commit: string | null;
  readonly suites: readonly Suite[];
}

const count = z.number().int().min(0);
const weightedSum = z.tuple([z.number(), z.number()]);
const share = weightedSum.refine(([n, successes]) => successes >= 0 && successes <= n, {
  error: 'more successes than cases',
});
const interval = z.tuple([z.number(), z.number()]);
const binCounts = z.tuple([z.number().int().min(0).max(64), z.number().min(0), z.number()]);
const bin = z.object({
  log2: z.number().int().min(0).max(64),
  n: z.number().min(0),
  value: z.number(),
  ci95: interval.nullable(),
});

function ofFigures<T extends z.ZodType>(schema: T, figures: readonly FigureDescription[]): Record<string, T> {
  return Object.fromEntries(figures.map(({ id }) => [id, schema]));
}

const clusterSchema = z.object({
  cluster: z.string().max(200),
  n: count,
  figures: z.object(
    Object.fromEntries(
      FIGURES.map(({ id, kind }) => [id, (kind === 'proportion' ? share : weightedSum).optional()]),
    ),
  ),
  distances: z.array(binCounts).max(65).optional(),
  positions: z.array(binCounts).max(65).optional(),
});

const cellSchema = z.object({
  task: z.string().max(200),
  policy: z.string().max(200),
  historyTokens: count,
  budgetTokens: count,
  n: count,
  ci95: interval.nullable(),
  intervals: z.object(ofFigures(interval.optional(), FIGURES)),
  why: z.record(z.string().max(200), z.string().max(2000)),
  distances: z.array(bin).max(65),
  positions: z.array(bin).max(65),
  clusters: z.array(clusterSchema),
  ...ofFigures(
    z.number().nullable(),
    FIGURES.filter(({ core }) => core),
  ),
  ...ofFigures(
    z.number().nullable().optional(),
    FIGURES.filter(({ core }) => !core),
  ),
});

const reportSchema = z.object({
  version: z.literal(REPORT_VERSION),
  model: z.string().min(1).max(200),
  seed: count,
  backend: z.string().max(200),
  commit: z.string().max(200).nullable(),
  suites: z.array(z.object({ suite: z.string().max(200), cells: z.array(cellSchema).max(100_000) })).max(100),
});

export type ReportErrorCode = 'not-json' | 'not-a-report' | 'other-version' | 'not-mergeable';

/** A report that cannot be used: which file, where in it, what was kept. */
export class ReportError extends Error {
  override readonly name = 'ReportError';
  readonly kept = 'Nothing of it was taken over.';
  constructor(
    readonly code: ReportErrorCode,
    message: string,
    readonly tryNext = 'Choose a file that `npm run eval -- --json` wrote.',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Read a report.
 *
 * @param text - untrusted.
 * @param name - the file's name, for the error.
 * @throws {ReportError} naming the file and the field.
 */
export function parseReport(text: string, name: string): EvaluationReport {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReportError('not-json', `${name} is not JSON: ${reason}`, undefined, { cause: error });
  }
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : null;
  if (typeof version === 'number' && version !== REPORT_VERSION) {
    throw new ReportError(
      'other-version',
      `${name} has version ${version} of the report format; this app reads version ${REPORT_VERSION}.`,
    );
  }
  const parsed = reportSchema.safeParse(value);
  // The schema is built from FIGURES, which the type follows; the compiler cannot see that.
  if (parsed.success) return parsed.data as unknown as EvaluationReport;
  const issue = parsed.error.issues[0];
  throw new ReportError(
    'not-a-report',
    `${name} is no evaluation report: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'invalid'}.`,
  );
}
