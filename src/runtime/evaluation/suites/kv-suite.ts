/**
 * Suite `kv`: what it costs to patch the key-value cache. One conversation over each history: a question comes,
 * focus settles, the answer is read from three caches that saw the same refocuses, and then it is said, so that
 * what a patched cache keeps grows old as in a session.
 */
import { INITIAL_ALLOCATOR_STATE } from '../../../core/allocator/pass/allocator-state.ts';
import { assembleByRecency } from '../../../core/allocator/assembly.ts';
import { K } from '../../../core/tree/ids.ts';
import { hashUint32, Rng } from '../../../base/rng.ts';
import { Decoder } from '../../session/decoding/decoder.ts';
import { MultiHeadFocus } from '../../session/head/multi-head-focus.ts';
import { TelemetryRecorder } from '../../session/telemetry/telemetry-recorder.ts';
import { TURN_END_REFOCUSES } from '../../session/chat/turn.ts';
import { GIST_SHARE } from '../answering/answering.ts';
import type { CellCounts } from '../report/cell.ts';
import { type EvaluationCase, isReferenceRead } from '../cases/evaluation-case.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import { SETTLE_REFOCUSES } from '../answering/live-run.ts';
import { meanOf } from '../../../base/statistics.ts';
import { questionsPerHistory, writeRecallHistory } from '../tasks/recall-tasks.ts';
import {
  EvaluationError,
  type EvaluationSuite,
  type EvaluationUnit,
  unitKey,
  type UnitPorts,
} from '../plan/suite.ts';

const TASK = 'conversation';
/** How the cache follows; each stands in the report as a policy. */
const CACHES = ['fresh', 'exact', 'patch'] as const;
type CacheId = (typeof CACHES)[number];
const NOT_MEASURED = 'The suite compares caches of one working context.';

/** What one cache said of one question. */
interface CacheReading {
  readonly nll: number;
  readonly isRight: boolean;
  readonly ranSlots: number;
}

export const kvSuite: EvaluationSuite = {
  id: 'kv',
  tasks: [
    {
      id: TASK,
      sentence:
        'Questions one after another on one history, read from a cache that is patched, exact, or made fresh.',
    },
  ],
  defaultTasks: [TASK],
  defaultSamples: 100,
  policies: [],

  plan(options) {
    const units: EvaluationUnit[] = [];
    for (const historyTokens of options.lengths) {
      const each = questionsPerHistory('multi-key', historyTokens, options.config.recentTokens);
      if (each === 0) {
        throw new EvaluationError(
          `kv at ${historyTokens} tokens: there is no room for a question. Raise --lengths.`,
        );
      }
      for (let index = 0, left = options.samples; left > 0; index++, left -= each) {
        units.push({
          suite: 'kv',
          task: TASK,
          templates: 'seen',
          historyTokens,
          index,
          n: Math.min(left, each),
        });
      }
    }
    return units;
  },

  async run(unit, options, ports) {
    const { historyTokens, index, n } = unit;
    const { config } = options;
    const rng = new Rng(hashUint32(options.seed, historyTokens, index));
    const place = { historyTokens, recentTokens: config.recentTokens, questions: n, index };
    const history = writeRecallHistory('multi-key', place, ports.model, rng);
    const { model, clock, gistCache, step } = ports;
    const remembered = await rememberHistory(model, history.ids, gistCache, (share) =>
      step(share * GIST_SHARE),
    );
    const tree = remembered.fork();
    const { layout } = assembleByRecency(tree, config, K);
    const start = { tree, heads: [{ layout, allocator: INITIAL_ALLOCATOR_STATE }] };
    const focus = new MultiHeadFocus(start, model, new TelemetryRecorder(clock), config);
    const caches = new Map(CACHES.map((id) => [id, new Decoder(model.base, tree)]));
    for (const [id, cache] of caches) {
      const kvMode = id === 'patch' ? 'patch' : 'exact';
      cache.configure({ ...config, kvMode, recordAttention: 'off' }, model.manifest.trainedContextTokens);
    }
    const readings: Record<CacheId, CacheReading[]> = { fresh: [], exact: [], patch: [] };
    try {
      await refocusUntilStill(focus, 'block', SETTLE_REFOCUSES, () => step(GIST_SHARE));
      for (const cache of caches.values()) await cache.sync(focus.head().layout, config.budgetTokens);
      for (const [done, item] of history.cases.entries()) {
        const pause = (): Promise<void> => step(GIST_SHARE + ((1 - GIST_SHARE) * done) / n);
        await takeQuestion(focus, item, pause);
        for (const id of CACHES) {
          readings[id].push(await read(caches.get(id)!, id, focus, item, config.budgetTokens, pause));
        }
        await sayAnswer(focus, item, pause);
        for (const id of ['exact', 'patch'] as const) {
          await caches.get(id)!.sync(focus.head().layout, config.budgetTokens);
        }
      }
    } finally {
      for (const cache of caches.values()) cache.dispose();
    }
    return CACHES.map((policy): CellCounts => {
      const key = {
        task: TASK,
        policy,
        templates: 'seen',
        historyTokens,
        budgetTokens: config.budgetTokens,
        heads: 1,
      } as const;
      return cellOfReadings(key, unitKey(unit), readings[policy], readings.fresh);
    });
  },
};

async function refocusUntilStill(
  focus: MultiHeadFocus,
  trigger: 'block' | 'turn-end',
  most: number,
  pause: UnitPause,
): Promise<void> {
  await focus.settle(most, async () => {
    await pause();
    return focus.refocus(trigger);
  });
}

type UnitPause = () => ReturnType<UnitPorts['step']>;
const ORIGIN = { documentId: 'turn', title: '', wallClockMs: 0 };

async function takeQuestion(focus: MultiHeadFocus, item: EvaluationCase, pause: UnitPause): Promise<void> {
  await focus.appendByBlocks(item.asked.userIds, { ...ORIGIN, role: 'user' }, pause);
  await focus.appendByBlocks(item.asked.assistantIds, { ...ORIGIN, role: 'assistant' }, pause);
  await refocusUntilStill(focus, 'turn-end', TURN_END_REFOCUSES, pause);
}

async function sayAnswer(focus: MultiHeadFocus, item: EvaluationCase, pause: UnitPause): Promise<void> {
  await focus.appendByBlocks(item.referenceIds, { ...ORIGIN, role: 'assistant' }, pause);
}

async function read(
  cache: Decoder,
  id: CacheId,
  focus: MultiHeadFocus,
  item: EvaluationCase,
  budgetTokens: number,
  pause: UnitPause,
): Promise<CacheReading> {
  if (id === 'fresh') cache.reset();
  await pause();
  const { ranSlots } = await cache.sync(focus.head().layout, budgetTokens);
  const { nll, isFirstChoice } = await cache.readContinuation(
    focus.head().layout,
    item.referenceIds,
    budgetTokens,
  );
  return { nll: meanOf(nll), isRight: isReferenceRead(item, isFirstChoice), ranSlots };
}

function cellOfReadings(
  key: Omit<CellCounts, 'clusters' | 'why'>,
  cluster: string,
  readings: readonly CacheReading[],
  fresh: readonly CacheReading[],
): CellCounts {
  const n = readings.length;
  const sum = (value: (reading: CacheReading, index: number) => number): readonly [number, number] => [
    n,
    readings.reduce((total, reading, index) => total + value(reading, index), 0),
  ];
  const figures = {
    accuracy: sum((reading) => Number(reading.isRight)),
    nll: sum(({ nll }) => nll),
    extraNll: sum(({ nll }, index) => nll - fresh[index]!.nll),
    ranSlots: sum(({ ranSlots }) => ranSlots),
  };
  const why = Object.fromEntries(
    [
      'routingRecall',
      'readingGivenRouted',
      'answered',
      'againstFull',
      'f1',
      'deltaNll',
      'gapRecovered',
      'regret',
      'swapRate',
    ].map((id) => [id, NOT_MEASURED]),
  );
  return { ...key, clusters: [{ cluster, n, figures }], why };
}
