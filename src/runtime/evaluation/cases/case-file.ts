/** Reads anyone's own cases: one JSON object a line, untrusted. Knows no tokens and no file system. */
import { z } from '../../../base/zod.ts';
import { IN_WORDS } from '../../../base/schema-words.ts';

/** A case as text; offsets count UTF-16 units of the history. */
export interface TextCase {
  readonly history: string;
  readonly question: string;
  readonly answer: string;
  /** What the decoded answer must hold, in this order; absent: the whole answer. */
  readonly values?: readonly string[] | undefined;
  /** The values may come in any order. */
  readonly anyOrder?: boolean | undefined;
  readonly gold: readonly (readonly [number, number])[] | null;
}

/** A case that cannot be used: which file, line and field. Nothing was run. */
export class CaseFileError extends Error {
  override readonly name = 'CaseFileError';
  constructor(
    readonly file: string,
    /** From 1. */
    readonly line: number,
    /** Null where the line is no object at all. */
    readonly field: string | null,
    problem: string,
  ) {
    super(
      `${file}, line ${line}${field === null ? '' : `, ${field}`}: ${problem}. Mend or remove the line; nothing was run.`,
    );
  }
}

/** Characters; longer ones are a mistake rather than a history. */
const LONGEST_HISTORY = 64 * 2 ** 20;
const LONGEST_TEXT = 65_536;
const MAX_SPANS = 256;

const text = (most: number) => z.string().max(most, `is longer than ${most} characters`);
const filled = (most: number) => text(most).refine((value) => value.trim() !== '', 'is empty');

const caseSchema = z.strictObject({
  history: filled(LONGEST_HISTORY),
  question: filled(LONGEST_TEXT),
  answer: filled(LONGEST_TEXT),
  values: z.array(filled(LONGEST_TEXT)).min(1, 'is an empty list').max(MAX_SPANS).optional(),
  anyOrder: z.boolean().optional(),
  gold: z
    .array(z.tuple([z.number().int().min(0), z.number().int().min(1)]))
    .min(1, 'is an empty list')
    .max(MAX_SPANS, `has more than ${MAX_SPANS} spans`)
    .optional(),
});

/**
 * @param name - the file's name, for errors.
 * @throws {CaseFileError} at the first line that cannot be used, or if there is none.
 */
export function parseCases(content: string, name: string): TextCase[] {
  const cases: TextCase[] = [];
  for (const [index, line] of content.split('\n').entries()) {
    if (line.trim() !== '') cases.push(parseCase(line, name, index + 1));
  }
  if (cases.length === 0) throw new CaseFileError(name, 1, null, 'there is no case in the file');
  return cases;
}

function parseCase(line: string, name: string, number: number): TextCase {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new CaseFileError(name, number, null, `no JSON (${(error as Error).message})`);
  }
  const parsed = caseSchema.safeParse(value, IN_WORDS);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new CaseFileError(name, number, issue.path.join('.') || null, issue.message);
  }
  const { history, gold } = parsed.data;
  for (const [at, [start, end]] of (gold ?? []).entries()) {
    if (start >= end || end > history.length) {
      const problem = `${start}..${end} is no span of a history of ${history.length} characters`;
      throw new CaseFileError(name, number, `gold.${at}`, problem);
    }
  }
  return { ...parsed.data, gold: gold ?? null };
}
