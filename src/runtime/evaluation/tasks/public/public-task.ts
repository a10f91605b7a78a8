/** What a public task is: one history and its questions from `(length, seed, tokenizer)` and, for some, data. */
import type { Rng } from '../../../../base/rng.ts';
import type { LoadedModel } from '../../../../nn/ports.ts';
import { caseOfText, type SharedHistory } from '../../cases/evaluation-case.ts';
import type { ExpectedAnswer } from '../../cases/expected-answer.ts';
import type { Span } from '../../world/history-writer.ts';
import type { PublicData } from '../../cases/public-data.ts';

export interface PublicTask {
  readonly id: string;
  readonly sentence: string;
  /** What of a data folder it needs. */
  readonly needs: readonly (keyof PublicData)[];
  /** How many questions one history can serve; by definition one for most. */
  readonly questionsPerHistory: number;
  write(
    options: { readonly historyTokens: number; readonly questions: number },
    model: LoadedModel,
    data: PublicData,
    rng: Rng,
  ): SharedHistory;
}

/** A history with one question about it. */
export function oneQuestion(
  model: LoadedModel,
  ids: Uint32Array,
  question: string,
  expected: ExpectedAnswer,
  gold: readonly Span[] | null,
): SharedHistory {
  const reference = expected.kind === 'refusal' ? 'The text does not say.' : referenceOf(expected);
  return { ids, cases: [caseOfText(model, question, reference, expected, gold)] };
}

function referenceOf({ kind, values }: Extract<ExpectedAnswer, { readonly values: unknown }>): string {
  return kind === 'text' ? (values[0] ?? '') : values.join(', ');
}
