/** One shared history through every policy, as counts of cells: what the suites that ask questions do. */
import { answerAll, type Answered, GIST_SHARE, whyUnavailable } from './answering.ts';
import type { CellCounts } from '../report/cell.ts';
import type { QuestionRecord } from '../report/question-record.ts';
import type { CellKey } from '../../../core/evaluation-report/report.ts';
import type { SharedHistory } from '../cases/evaluation-case.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import type { EvaluationPolicyId } from '../baselines/policies.ts';
import { cellOfAnswers, cellWithout } from './answer-counts.ts';
import { NoRoomError } from '../world/no-room-error.ts';
import { type EvaluationOptions, type EvaluationUnit, unitKey, type UnitPorts } from '../plan/suite.ts';

/** @throws {NoRoomError} if the history ends before a fact that a question needs. */
export async function answerCells(
  unit: EvaluationUnit,
  history: SharedHistory,
  { config, policies }: EvaluationOptions,
  seed: number,
  ports: UnitPorts,
): Promise<readonly CellCounts[]> {
  const { task, historyTokens } = unit;
  const { cases, ids } = history;
  const isCut = cases.some(({ gold }) => gold?.some(({ end }) => end > ids.length) === true);
  if (isCut) throw new NoRoomError(`The facts of ${cases.length} questions do not fit.`);
  const hasGold = history.cases.every(({ gold }) => gold !== null);
  const reasons = new Map<EvaluationPolicyId, string>();
  for (const policy of policies) {
    const reason = whyUnavailable(policy, historyTokens, config.budgetTokens, hasGold, ports.model);
    if (reason !== null) reasons.set(policy, reason);
  }
  const able = policies.filter((policy) => !reasons.has(policy));
  const { model, gistCache, step } = ports;
  const tree = await rememberHistory(model, history.ids, gistCache, (share) => step(share * GIST_SHARE));
  const answers = await answerAll(history, tree, able, config, seed, ports);
  return policies.map((policy) => {
    const { budgetTokens } = config;
    const key = { task, policy, templates: unit.templates, historyTokens, budgetTokens, heads: 1 };
    const reason = reasons.get(policy);
    if (reason !== undefined) return cellWithout(key, reason);
    const cell = cellOfAnswers(key, policy, unitKey(unit), answers, reasons);
    return { ...cell, records: answers.get(policy)!.map((answer, i) => recordOf(key, unit, i, answer)) };
  });
}

function recordOf(key: CellKey, unit: EvaluationUnit, question: number, answer: Answered): QuestionRecord {
  const { expected, gold, asked } = answer.case;
  return {
    ...key,
    suite: unit.suite,
    history: unitKey(unit),
    question,
    asked: asked.question,
    expected: expected === null || expected.kind === 'refusal' ? [] : expected.values,
    decoded: answer.decoded?.text ?? '',
    isAnswered: answer.verdict?.isAnswered ?? false,
    isReferenceRead: answer.isReferenceRead,
    isRouted: answer.isRouted,
    gold: gold?.map(({ start, end }) => [start, end] as const) ?? null,
    layout: answer.layout.entries.map(({ lod, start, end }) => [lod, start, end] as const),
    baseTokens: answer.baseTokens,
    ms: answer.ms,
  };
}
