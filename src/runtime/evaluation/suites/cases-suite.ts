/** Suite `cases`: anyone's own questions about their own histories. */
import type { LoadedModel } from '../../../nn/ports.ts';
import type { Tokenizer } from '../../../nn/model-folder/tokenizer.ts';
import { hashUint32 } from '../../../base/rng.ts';
import { answerCells } from '../answering/answer-cells.ts';
import type { TextCase } from '../cases/case-file.ts';
import { caseOfText, type SharedHistory } from '../cases/evaluation-case.ts';
import type { Span } from '../world/history-writer.ts';
import { DEFAULT_POLICIES } from '../baselines/policies.ts';
import {
  EvaluationError,
  type EvaluationOptions,
  type EvaluationSuite,
  type EvaluationUnit,
} from '../plan/suite.ts';

export const casesSuite: EvaluationSuite = {
  id: 'cases',
  tasks: [{ id: 'cases', sentence: 'Questions and histories of a case file.' }],
  defaultTasks: ['cases'],
  defaultSamples: Number.MAX_SAFE_INTEGER,
  policies: DEFAULT_POLICIES,

  plan(options, { tokenizer }) {
    const groups = groupsOf(options);
    if (groups.length === 0) throw new EvaluationError('The suite cases needs a file of cases.');
    // One cell a policy: it is named after the longest of its histories.
    const historyTokens = Math.max(...groups.map(([first]) => tokenizer.encode(first!.history).length));
    return groups.map((group, index): EvaluationUnit => ({
      suite: 'cases',
      task: 'cases',
      templates: null,
      historyTokens,
      index,
      n: group.length,
    }));
  },

  run(unit, options, ports) {
    const group = groupsOf(options)[unit.index]!;
    return answerCells(
      unit,
      historyOf(group, ports.model),
      options,
      hashUint32(options.seed, unit.index),
      ports,
    );
  },
};

/** The histories of a case file with their questions. */
export function historiesOf(cases: readonly TextCase[], model: LoadedModel): SharedHistory[] {
  return groupsOf({ cases, samples: cases.length }).map((group) => historyOf(group, model));
}

/** Neighbouring cases with the same history share it. */
function groupsOf({ cases = [], samples }: Pick<EvaluationOptions, 'cases' | 'samples'>): TextCase[][] {
  const groups: TextCase[][] = [];
  for (const item of cases.slice(0, samples)) {
    const last = groups.at(-1);
    if (last?.[0]!.history === item.history) last.push(item);
    else groups.push([item]);
  }
  return groups;
}

function historyOf(group: readonly TextCase[], model: LoadedModel): SharedHistory {
  const ids = model.tokenizer.encode(group[0]!.history);
  const ends = charEnds(ids, model.tokenizer);
  const cases = group.map((item) =>
    caseOfText(
      model,
      item.question,
      item.answer,
      { kind: item.anyOrder === true ? 'set' : 'in-order', values: item.values ?? [item.answer] },
      item.gold?.map(([start, end]) => tokenSpan(start, end, ends)) ?? null,
    ),
  );
  return { ids, cases };
}

/** `[n]` how many characters of the text are complete after each token. */
function charEnds(ids: Uint32Array, tokenizer: Tokenizer): Uint32Array {
  const decoder = tokenizer.createStreamDecoder();
  let length = 0;
  return Uint32Array.from(ids, (id) => (length += decoder.push(id).length));
}

/** The tokens that hold any of the characters `start..end-1`. */
function tokenSpan(start: number, end: number, ends: Uint32Array): Span {
  const first = ends.findIndex((charEnd) => charEnd > start);
  const last = ends.findIndex((charEnd) => charEnd >= end);
  return { start: first < 0 ? ends.length - 1 : first, end: last < 0 ? ends.length : last + 1 };
}
