/** One shared history through every policy, as counts of cells: what the suites that ask questions do. */
import { answerAll, GIST_SHARE, whyUnavailable } from './answering.ts';
import type { CellCounts } from '../report/cell.ts';
import type { SharedHistory } from '../cases/evaluation-case.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import type { EvaluationPolicyId } from '../baselines/policies.ts';
import { cellOfAnswers, cellWithout } from './answer-counts.ts';
import { NoRoomError } from '../world/no-room-error.ts';
import { bytesPerMillionTokens } from './memory-cost.ts';
import { recordsOf } from './question-records.ts';
import { type EvaluationOptions, type EvaluationUnit, unitKey, type UnitPorts } from '../plan/suite.ts';

/** @throws {NoRoomError} if the history ends before a fact that a question needs. */
export async function answerCells(
  unit: EvaluationUnit,
  history: SharedHistory,
  { config, policies, readsReference = true }: EvaluationOptions,
  seed: number,
  ports: UnitPorts,
): Promise<readonly CellCounts[]> {
  const { task, historyTokens } = unit;
  const { cases, ids } = history;
  const isCut = cases.some(({ gold }) => gold?.some(({ end }) => end > ids.length) === true);
  if (isCut) throw new NoRoomError(`The facts of ${cases.length} questions do not fit.`);
  const hasGold = history.cases.every(({ gold }) => gold !== null);
  const hasPassage = cases.every(({ passage }) => passage !== undefined);
  const reasons = new Map<EvaluationPolicyId, string>();
  for (const policy of policies) {
    const { budgetTokens } = config;
    const reason = whyUnavailable(policy, historyTokens, budgetTokens, hasGold, ports.model, hasPassage);
    if (reason !== null) reasons.set(policy, reason);
  }
  const able = policies.filter((policy) => !reasons.has(policy));
  const { model, gistCache, step } = ports;
  const tree = await rememberHistory(model, history.ids, gistCache, (share) => step(share * GIST_SHARE));
  const answers = await answerAll(history, tree, able, config, seed, ports, 0, null, readsReference);
  const keyOf = (policy: EvaluationPolicyId) => {
    const { budgetTokens } = config;
    return { task, policy, templates: unit.templates, historyTokens, budgetTokens, heads: 1 };
  };
  const answered = able.map((policy) => [keyOf(policy), answers.get(policy)!] as const);
  ports.keep?.(recordsOf(unit, history, answered, model.tokenizer));
  return policies.map((policy) => {
    const key = keyOf(policy);
    const reason = reasons.get(policy);
    return reason === undefined
      ? withMemory(cellOfAnswers(key, policy, unitKey(unit), answers, reasons), policy, model)
      : cellWithout(key, reason);
  });
}

/** The cell with what the policy keeps of a history, the same for every question. */
function withMemory(cell: CellCounts, policy: EvaluationPolicyId, model: UnitPorts['model']): CellCounts {
  const bytes = bytesPerMillionTokens(policy, model);
  const clusters = cell.clusters.map((cluster) => {
    const { n, figures } = cluster;
    return { ...cluster, figures: { ...figures, bytesPerMillionTokens: [n, n * bytes] as const } };
  });
  return { ...cell, clusters };
}
