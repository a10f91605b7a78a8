/** One question about one history: what is asked, what is right, and where it stands. */
import type { Tokenizer } from '../../../nn/model-folder/tokenizer.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { Span } from '../world/history-writer.ts';
import type { Asked } from '../world/questions.ts';
import type { ExpectedAnswer } from './expected-answer.ts';

/** All that an answering model may see of a question. */
export interface AskedQuestion {
  /** As a user types it. */
  readonly question: string;
  /** What the turn appends as the user: the question with the chat's markup. */
  readonly userIds: Uint32Array;
  /** What the turn appends as the assistant before it answers. */
  readonly assistantIds: Uint32Array;
  /** The question alone: what a retriever searches by. */
  readonly questionIds: Uint32Array;
}

export interface EvaluationCase {
  readonly asked: AskedQuestion;
  /** What the decoded text is held against; null where nothing is to be decoded. */
  readonly expected: ExpectedAnswer | null;
  /** A whole right answer, for teacher-forced reading alone. */
  readonly referenceIds: Uint32Array;
  /** The reference's tokens that have to be right; all of them where the values are not known. */
  readonly values: readonly Span[];
  /** Where the history states what the answer needs; null where nobody knows, or nothing answers. */
  readonly gold: readonly Span[] | null;
  /** The whole passage that it asks about, and what else of the history it needs; absent: its data do not say. */
  readonly passage?: readonly Span[];
}

/** Questions that share one history. */
export interface SharedHistory {
  readonly ids: Uint32Array;
  readonly cases: readonly EvaluationCase[];
  /** From this token on a live policy meets the history block by block, as a chat does; absent: it settles at the end. */
  readonly streamedFrom?: number;
}

/** Teacher-forced: every token of every value is the first choice after the reference's tokens before it. */
export function isReferenceRead({ values }: EvaluationCase, isFirstChoice: Uint8Array): boolean {
  return values.every(({ start, end }) => isFirstChoice.subarray(start, end).every((hit) => hit === 1));
}

/** A question about facts of the world, or about one that the history never states. */
export function caseOf(model: LoadedModel, asked: Asked, gold: readonly Span[]): EvaluationCase {
  const { tokenizer } = model;
  const reference: number[] = [];
  const values: Span[] = [];
  for (const { text, isValue } of asked.pieces) {
    const start = reference.length;
    reference.push(...tokenizer.encode(text));
    if (isValue) values.push({ start, end: reference.length });
  }
  const isAnswerable = asked.statements.length > 0;
  const said = asked.pieces.filter(({ isValue }) => isValue).map(({ text }) => text.trim());
  return {
    asked: questionOf(model, asked.text),
    expected: isAnswerable ? { kind: asked.isList ? 'set' : 'in-order', values: said } : { kind: 'refusal' },
    referenceIds: Uint32Array.from(reference),
    values,
    gold: isAnswerable ? gold : null,
  };
}

/** A question whose reference is one text, every token of which counts when it is read teacher-forced. */
export function caseOfText(
  model: LoadedModel,
  question: string,
  reference: string,
  expected: ExpectedAnswer,
  gold: readonly Span[] | null,
): EvaluationCase {
  const referenceIds = model.tokenizer.encode(` ${reference.trim()}`);
  return {
    asked: questionOf(model, question),
    expected,
    referenceIds,
    values: [{ start: 0, end: referenceIds.length }],
    gold,
  };
}

function questionOf(
  { manifest, tokenizer }: { readonly manifest: LoadedModel['manifest']; readonly tokenizer: Tokenizer },
  question: string,
): AskedQuestion {
  const { userPrefix, userSuffix, assistantPrefix } = manifest.chat;
  return {
    question,
    userIds: tokenizer.encodeTemplate(userPrefix, question, userSuffix),
    assistantIds: tokenizer.encodeTemplate(assistantPrefix),
    questionIds: tokenizer.encode(` ${question}`),
  };
}
