/** Makes records of answered questions, with the text that stands behind their tokens. */
import { cutAtBlocks } from '../../../core/question-records/history-text.ts';
import type { QuestionRecord, RecordedHistory, UnitRecords } from '../../../core/question-records/record.ts';
import type { CellKey } from '../../../core/evaluation-report/report.ts';
import type { Tokenizer } from '../../../nn/model-folder/tokenizer.ts';
import type { SharedHistory } from '../cases/evaluation-case.ts';
import { type EvaluationUnit, unitKey } from '../plan/suite.ts';
import type { Answered } from './answering.ts';
import { baselineTrace, liveTrace, rounded } from './question-trace.ts';

/** @param byKey - the answers of each cell, in the order of the cases. */
export function recordsOf(
  unit: EvaluationUnit,
  { ids }: SharedHistory,
  byKey: readonly (readonly [CellKey, readonly Answered[]])[],
  tokenizer: Tokenizer,
): UnitRecords {
  const pieces = piecesOf(ids, tokenizer);
  const history: RecordedHistory = {
    kind: 'history',
    history: unitKey(unit),
    tokens: ids.length,
    blocks: cutAtBlocks(pieces, 0),
  };
  const questions = byKey.flatMap(([key, answers]) =>
    answers.map((answer, question) => recordOf(key, unit, question, answer, pieces, tokenizer)),
  );
  return { history, questions };
}

function recordOf(
  key: CellKey,
  unit: EvaluationUnit,
  question: number,
  answer: Answered,
  pieces: readonly string[],
  tokenizer: Tokenizer,
): QuestionRecord {
  const { expected, gold, asked } = answer.case;
  const { layout, scores, live } = answer;
  const prompt = [asked.userIds, asked.assistantIds].flatMap((ids) => piecesOf(ids, tokenizer));
  const beginning = {
    historyTokens: pieces.length,
    asked,
    policy: key.policy,
    budgetTokens: key.budgetTokens,
  };
  return {
    kind: 'question',
    ...key,
    suite: unit.suite,
    history: unitKey(unit),
    question,
    asked: asked.question,
    expected: expected === null || expected.kind === 'refusal' ? [] : [...expected.values],
    decoded: answer.decoded?.text ?? '',
    isAnswered: answer.verdict?.isAnswered ?? false,
    isReferenceRead: answer.isReferenceRead,
    isRouted: answer.isRouted,
    gold: gold?.map(({ start, end }) => [start, end]) ?? null,
    goldTexts: gold?.map(({ start, end }) => pieces.slice(start, end).join('')) ?? [],
    layout: layout.entries.map(({ lod, start, end }) => [lod, start, end]),
    scores: scores.map((score) => (score === null ? null : rounded(score))),
    prompt: cutAtBlocks(prompt, pieces.length),
    trace:
      live === null
        ? baselineTrace(beginning, layout, scores)
        : liveTrace(beginning, live.opening, live.events),
    baseTokens: answer.baseTokens,
    ms: answer.ms,
  };
}

/** `[n]` what each token adds to the text. */
function piecesOf(ids: Uint32Array, tokenizer: Tokenizer): string[] {
  const decoder = tokenizer.createStreamDecoder();
  return Array.from(ids, (id) => decoder.push(id));
}
