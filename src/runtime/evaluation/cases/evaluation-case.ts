/** One question about one history, as tokens: what is asked, what is right, and where it stands. */
import type { LoadedModel } from '../../../nn/ports.ts';
import type { Tokenizer } from '../../../nn/model-folder/tokenizer.ts';
import type { Span } from '../world/history-writer.ts';
import type { Asked } from '../world/questions.ts';

export interface EvaluationCase {
  /** What the turn appends as the user: the question with the chat's markup. */
  readonly userIds: Uint32Array;
  /** What the turn appends as the assistant before it answers. */
  readonly assistantIds: Uint32Array;
  /** The question alone: what a retriever searches by. */
  readonly questionIds: Uint32Array;
  readonly answerIds: Uint32Array;
  /** The answer's tokens that have to be right; all of them where the values are not known. */
  readonly values: readonly Span[];
  /** Where the history states what the answer needs; null where nobody knows. */
  readonly gold: readonly Span[] | null;
}

/** Questions that share one history. */
export interface SharedHistory {
  readonly ids: Uint32Array;
  readonly cases: readonly EvaluationCase[];
  /** From this token on the lens meets the history block by block, as a chat does; absent: it settles at the end. */
  readonly streamedFrom?: number;
}

/** Every token of every value is the first choice. */
export function isRightAnswer({ values }: EvaluationCase, isFirstChoice: Uint8Array): boolean {
  return values.every(({ start, end }) => isFirstChoice.subarray(start, end).every((hit) => hit === 1));
}

export function caseOf(model: LoadedModel, asked: Asked, gold: readonly Span[]): EvaluationCase {
  const { tokenizer } = model;
  const answer: number[] = [];
  const values: Span[] = [];
  for (const { text, isValue } of asked.pieces) {
    const start = answer.length;
    answer.push(...tokenizer.encode(text));
    if (isValue) values.push({ start, end: answer.length });
  }
  return {
    ...promptOf(model, asked.text),
    questionIds: tokenizer.encode(` ${asked.text}`),
    answerIds: Uint32Array.from(answer),
    values,
    gold,
  };
}

/** A question of a case file: its answer is one text, and every token of it counts. */
export function caseOfText(
  model: LoadedModel,
  { question, answer }: { readonly question: string; readonly answer: string },
  gold: readonly Span[] | null,
): EvaluationCase {
  const { tokenizer } = model;
  const answerIds = tokenizer.encode(` ${answer.trim()}`);
  return {
    ...promptOf(model, question),
    questionIds: tokenizer.encode(` ${question}`),
    answerIds,
    values: [{ start: 0, end: answerIds.length }],
    gold,
  };
}

function promptOf(
  { manifest, tokenizer }: { readonly manifest: LoadedModel['manifest']; readonly tokenizer: Tokenizer },
  question: string,
): Pick<EvaluationCase, 'userIds' | 'assistantIds'> {
  const { userPrefix, userSuffix, assistantPrefix } = manifest.chat;
  return {
    userIds: tokenizer.encode(userPrefix + question + userSuffix),
    assistantIds: tokenizer.encode(assistantPrefix),
  };
}
