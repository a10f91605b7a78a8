/** Reads lines of a records file of unknown origin: what each is, or which line is wrong and what to do. Pure. */
import { IN_WORDS } from '../../base/schema-words.ts';
import type { z } from '../../base/zod.ts';
import {
  type QuestionSummary,
  questionRecordSchema,
  questionSummarySchema,
  type ReadQuestion,
  type RecordedHistory,
  recordedHistorySchema,
  RECORDS_FORMAT,
  RECORDS_VERSION,
  type RecordsHeader,
  recordsHeaderSchema,
} from './record.ts';

/** A records file that cannot be read: which line, what was kept, what to do. */
export class RecordsError extends Error {
  override readonly name = 'RecordsError';
  readonly kept = 'What was shown before.';
  constructor(
    message: string,
    readonly tryNext = 'Choose a file that `npm run eval -- --records` wrote.',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** @param fileName - for the error. @throws {RecordsError} */
export function readHeader(text: string, fileName: string): RecordsHeader {
  const value = objectOf(text, 1, fileName);
  if (value['format'] !== RECORDS_FORMAT)
    throw new RecordsError(`${fileName} is no file of question records.`);
  const { version } = value;
  if (typeof version === 'number' && version > RECORDS_VERSION) {
    throw new RecordsError(
      `${fileName} has version ${version} of the records format; this page reads version ${RECORDS_VERSION}.`,
      'Reload the page to get its newest version.',
    );
  }
  return checked(recordsHeaderSchema, value, 1, fileName);
}

/** What the list needs of a line behind the header. @throws {RecordsError} */
export function readLine(
  text: string,
  line: number,
  fileName: string,
): Pick<RecordedHistory, 'kind' | 'history'> | QuestionSummary {
  const value = objectOf(text, line, fileName);
  return value['kind'] === 'history'
    ? checked(recordedHistorySchema.pick({ kind: true, history: true }), value, line, fileName)
    : checked(questionSummarySchema, value, line, fileName);
}

/** @throws {RecordsError} */
export function readHistory(text: string, line: number, fileName: string): RecordedHistory {
  return checked(recordedHistorySchema, objectOf(text, line, fileName), line, fileName);
}

/** All of a question. @throws {RecordsError} */
export function readQuestion(text: string, line: number, fileName: string): ReadQuestion {
  const question = checked(questionRecordSchema, objectOf(text, line, fileName), line, fileName);
  if (question.scores.length !== question.layout.length) {
    throw new RecordsError(`${fileName}, line ${line}: scores: there must be one for each entry of layout.`);
  }
  return question;
}

function objectOf(text: string, line: number, fileName: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RecordsError(`${fileName}, line ${line}: this is no JSON.`, undefined, { cause: error });
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new RecordsError(`${fileName}, line ${line}: this is no JSON object.`);
}

function checked<T>(schema: z.ZodType<T>, value: unknown, line: number, fileName: string): T {
  const parsed = schema.safeParse(value, IN_WORDS);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RecordsError(
    `${fileName}, line ${line}: ${issue?.path.join('.') || 'the line'}: ${issue?.message ?? 'invalid'}.`,
  );
}
