/**
 * The lines of a records file: a header, and then histories and questions in any order, each history before the first
 * question about it. Plain data; nothing here is a secret of a model.
 */
import { z } from '../../base/zod.ts';
import { layoutEntrySchema, type TelemetryEvent } from '../trace/telemetry.ts';

export const RECORDS_FORMAT = 'megacontext-records';
export const RECORDS_VERSION = 1;

const count = z.number().int().min(0);
const name = z.string().max(200);
const span = z.tuple([count, count]);

export const recordsHeaderSchema = z.object({
  format: z.literal(RECORDS_FORMAT),
  version: z.literal(RECORDS_VERSION),
  /** Of the events in `trace`. */
  traceVersion: count,
  /** ISO 8601. */
  createdAt: z.string().max(100),
  modelId: name,
  modelHash: name,
  backend: name,
  seed: count,
  /** The code's commit; null where it is not known. */
  commit: name.nullable(),
  /** Every parameter of the run; the trace's own reader checks it. */
  config: z.record(z.string().max(100), z.unknown()),
});
export type RecordsHeader = z.infer<typeof recordsHeaderSchema>;

/** The text that questions are about. */
export const recordedHistorySchema = z.object({
  kind: z.literal('history'),
  /** Names it: suite, task, length and index, from which its seed follows. */
  history: name,
  tokens: count,
  /** Text of the tokens `[32 i, 32 i + 32)`. */
  blocks: z.array(z.string()),
});
export type RecordedHistory = z.infer<typeof recordedHistorySchema>;

/** What a list of questions shows of one. */
export const questionSummarySchema = z.object({
  kind: z.literal('question'),
  suite: name,
  task: name,
  policy: name,
  templates: z.enum(['seen', 'trained', 'held-out']).nullable(),
  historyTokens: count,
  budgetTokens: count,
  heads: count,
  history: name,
  /** Of the history's questions, from 0. */
  question: count,
  asked: z.string(),
  /** What the answer must hold; empty for a question that the history does not answer. */
  expected: z.array(z.string()),
  /** Decoded freely. */
  decoded: z.string(),
  isAnswered: z.boolean(),
  /** Teacher-forced: every token of every value is the first choice; null where the reference was not read. */
  isReferenceRead: z.boolean().nullable(),
  /** All gold tokens were raw when the answer began; null where nobody knows them. */
  isRouted: z.boolean().nullable(),
  baseTokens: z.number().min(0),
  ms: z.number().min(0),
});
export type QuestionSummary = z.infer<typeof questionSummarySchema>;

export const questionRecordSchema = questionSummarySchema.extend({
  /** Tokens `[start, end)` of the history that hold the answer; null where nobody knows. */
  gold: z.array(span).nullable(),
  /** What stands there. */
  goldTexts: z.array(z.string()),
  /** The working context when the answer began: `[lod, start, end]`. */
  layout: z.array(layoutEntrySchema),
  /**
   * What the policy gave each entry of the layout last: a score in [-1, 1] of a policy of the page, a baseline's own
   * rank of the best block in it; null where it gave none.
   */
  scores: z.array(z.number().nullable()),
  /** Text of what the turn appended behind the history, cut where blocks of 32 tokens end. */
  prompt: z.array(z.string()),
  /** What it began with and every refocus since; the trace's own reader checks it. */
  trace: z.array(z.unknown()),
});
/** As it is read. */
export type ReadQuestion = z.infer<typeof questionRecordSchema>;
/** As it is written. */
export type QuestionRecord = Omit<ReadQuestion, 'trace'> & { readonly trace: readonly TelemetryEvent[] };

/** What one unit of an evaluation recorded. */
export interface UnitRecords {
  readonly history: RecordedHistory;
  readonly questions: readonly QuestionRecord[];
}

/** A file's lines, without the header. */
export function linesOf({ history, questions }: UnitRecords): string {
  return [history, ...questions].map((line) => `${JSON.stringify(line)}\n`).join('');
}
