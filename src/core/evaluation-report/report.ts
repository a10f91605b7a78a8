/**
 * The machine output of evaluations: its schema, its types, and reading it from untrusted text. How the
 * figures come from counts is in cell.ts.
 */
import { z } from '../../base/zod.ts';
import { IN_WORDS } from '../../base/schema-words.ts';
import { FIGURES, type FigureDescription, type FigureId, type CoreFigureId } from './figures.ts';
import type { Interval, WeightedSum } from '../../base/statistics.ts';

export const REPORT_VERSION = 2;

/** The figures of one independent unit: the questions that share a history, or one document. */
export interface ClusterCounts {
  /** Unique within its cell, and the same in every run: shards merge by it. */
  readonly cluster: string;
  /** Cases. */
  readonly n: number;
  /** A figure of the cell is Σ sum / Σ weight over its clusters; a mean's weight is its number of cases. */
  readonly figures: Partial<Record<FigureId, WeightedSum>>;
  /** Answered by distance from fact to question: `[floor(log2 tokens), questions, answered ones]`. */
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
  /**
   * In which forms facts are said and asked: `seen`: core ones; `trained`: all that training may show; `held-out`:
   * such as it never shows; null where there is no such split.
   */
  readonly templates: 'seen' | 'trained' | 'held-out' | null;
  readonly historyTokens: number;
  readonly budgetTokens: number;
  /** Working contexts over the one memory. */
  readonly heads: number;
}

export type Cell = CellKey & {
  /** Cases. */
  readonly n: number;
  readonly answeredCi95: Interval | null;
  /** Of the teacher-forced accuracy; of the NLL where a suite has none. */
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
  templates: z.enum(['seen', 'trained', 'held-out']).nullable(),
  historyTokens: count,
  budgetTokens: count,
  heads: count,
  n: count,
  answeredCi95: interval.nullable(),
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
  const parsed = reportSchema.safeParse(value, IN_WORDS);
  // The schema is built from FIGURES, which the type follows; the compiler cannot see that.
  if (parsed.success) return parsed.data as unknown as EvaluationReport;
  const issue = parsed.error.issues[0];
  throw new ReportError(
    'not-a-report',
    `${name} is no evaluation report: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'invalid'}.`,
  );
}
