/**
 * Question records as logs of Inspect (UK AI Security Institute, inspect.aisi.org.uk), one a task, policy and length,
 * in its JSON log format, version 2. Its viewer opens them. Pure.
 */
import { keyOf } from './cell.ts';
import type { QuestionRecord } from '../../../core/question-records/record.ts';

export interface InspectLog {
  readonly fileName: string;
  readonly log: unknown;
}

/** @param created - ISO date and time. */
export function inspectLogs(
  records: readonly QuestionRecord[],
  { model, created }: { readonly model: string; readonly created: string },
): InspectLog[] {
  const groups = new Map<string, QuestionRecord[]>();
  for (const record of records) {
    const key = `${record.suite} ${keyOf(record)}`;
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return [...groups.values()].map((group, index) => logOf(group, model, created, index));
}

function logOf(group: readonly QuestionRecord[], model: string, created: string, index: number): InspectLog {
  const { suite, task, policy, templates, historyTokens, budgetTokens, heads } = group[0]!;
  const name = [
    suite,
    task,
    policy,
    historyTokens,
    ...(templates === 'seen' || templates === null ? [] : [templates]),
  ].join('-');
  const id = `evaluation-${index}`;
  const share = group.filter(({ isAnswered }) => isAnswered).length / group.length;
  const log = {
    version: 2,
    status: 'success',
    eval: {
      run_id: id,
      created,
      task: name,
      task_id: id,
      task_version: 0,
      model: `megacontext/${model}`,
      dataset: { name: suite, samples: group.length, sample_ids: group.map(idOf) },
      config: {},
      metadata: { policy, historyTokens, budgetTokens, heads, templates },
    },
    plan: { name: 'plan', steps: [], config: {} },
    results: {
      total_samples: group.length,
      completed_samples: group.length,
      scores: [
        {
          name: 'answered',
          scorer: 'answered',
          params: {},
          metrics: { accuracy: { name: 'accuracy', value: share, params: {} } },
        },
      ],
    },
    stats: { started_at: created, completed_at: created, model_usage: {} },
    samples: group.map((record) => sampleOf(record, model)),
  };
  return { fileName: `${created.replace(/[:.]/g, '-')}_${name}_${id}.json`, log };
}

function idOf({ history, question }: QuestionRecord): string {
  return `${history}/${question}`;
}

function sampleOf(record: QuestionRecord, model: string) {
  const { asked, expected, decoded, isAnswered, isReferenceRead, isRouted, gold, layout, baseTokens, ms } =
    record;
  const raw = layout.filter(([lod]) => lod === 0).map(([, start, end]) => [start, end]);
  return {
    id: idOf(record),
    epoch: 1,
    input: asked,
    target: [...expected],
    messages: [
      { role: 'user', content: asked },
      { role: 'assistant', content: decoded },
    ],
    output: {
      model: `megacontext/${model}`,
      choices: [{ message: { role: 'assistant', content: decoded }, stop_reason: 'stop' }],
    },
    scores: { answered: { value: isAnswered ? 'C' : 'I', answer: decoded } },
    metadata: { isRouted, isReferenceRead, gold, raw, baseTokens, ms },
    store: {},
    events: [],
    model_usage: {},
  };
}
