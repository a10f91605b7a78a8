/** Other tools read what is exported: the structure that they demand is checked here, not only our own words. */
import { expect, test } from 'vitest';
import { z } from '../../../base/zod.ts';
import type { ActionRecord, TelemetryEvent } from '../telemetry.ts';
import { sampleAction, SAMPLE_HEADER as header, sampleRefocus } from '../../testing/sample-events.ts';
import { chromeTrace } from './chrome-trace.ts';
import { csvOf } from '../../../base/table.ts';
import { metricsTable } from './metrics-table.ts';

const expand = sampleAction();
const refused: ActionRecord = {
  ...expand,
  start: 32,
  end: 64,
  applied: false,
  reason: 'no-budget',
  missingTokens: 7,
};
const refocus = (step: number, scores: number[], actions: ActionRecord[], policy = 'lensnet') =>
  sampleRefocus({
    step,
    timeMs: step * 10,
    cursor: step * 32,
    policy,
    usedTokens: 33,
    entryCount: 2,
    scores,
    actions,
    swapRate: 0.5,
    utilisation: 33 / 64,
  });
const events: readonly TelemetryEvent[] = [
  { type: 'latency', head: 0, step: 1, timeMs: 8, stage: 'score', ms: 3.25 },
  refocus(1, [-1, 0, 0.25], [expand, refused]),
  { type: 'latency', head: 0, step: 1, timeMs: 12, stage: 'telemetry', ms: 1 },
  { type: 'latency', head: 0, step: 1, timeMs: 14, stage: 'telemetry', ms: 1.5 },
  refocus(2, [], [], '=1+"a",b'),
  {
    type: 'deltaNll',
    head: 0,
    step: 2,
    timeMs: 21,
    cursor: 64,
    horizonTokens: 64,
    workingContextNll: 2,
    fullNll: 1.9,
    patchExtraNll: 0.004,
    deltaNll: 0.1,
  },
  {
    type: 'violation',
    head: 0,
    step: 2,
    timeMs: 22,
    check: 'budget',
    message: 'over',
    action: 'rolled-back',
  },
  {
    type: 'decode',
    head: 0,
    step: 2,
    timeMs: 23,
    tokenId: 7,
    index: 65,
    text: '"é\n',
    logProbability: -1,
    entropy: 2,
  },
];

const joined = async (pieces: AsyncIterable<string>) => {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
};

/** The documented fields of each phase that we use. */
const common = { name: z.string(), ts: z.number().min(0), pid: z.number().int(), tid: z.number().int() };
const documented = z.object({
  displayTimeUnit: z.enum(['ms', 'ns']),
  otherData: z.record(z.string(), z.unknown()),
  traceEvents: z.array(
    z.discriminatedUnion('ph', [
      z.object({
        ...common,
        ph: z.literal('X'),
        dur: z.number().min(0),
        cat: z.string(),
        args: z.object({}),
      }),
      z.object({
        ...common,
        ph: z.literal('i'),
        s: z.enum(['g', 'p', 't']),
        cat: z.string(),
        args: z.object({}),
      }),
      z.object({ ...common, ph: z.literal('C'), args: z.record(z.string(), z.number()) }),
      z.object({
        ...common,
        ph: z.literal('M'),
        name: z.enum(['process_name', 'thread_name', 'thread_sort_index']),
        args: z.looseObject({ name: z.string().optional(), sort_index: z.number().optional() }),
      }),
    ]),
  ),
});

test('the Chrome trace follows the Trace Event Format: stages last, actions are instants, metrics count', async () => {
  const file = documented.parse(JSON.parse(await joined(chromeTrace(header, events))));
  const { traceEvents } = file;
  expect(file.otherData).toMatchObject({ modelId: 'tiny', seed: 1 });
  const threads = new Map(
    traceEvents.flatMap((event) =>
      event.ph === 'M' && event.name === 'thread_name' ? [[event.tid, event.args.name] as const] : [],
    ),
  );
  for (const event of traceEvents) {
    if (event.ph === 'X' || event.ph === 'i') expect(threads.has(event.tid)).toBe(true);
  }
  const stages = traceEvents.flatMap((event) =>
    event.ph === 'X' ? [{ track: threads.get(event.tid), ts: event.ts, dur: event.dur }] : [],
  );
  expect(stages).toEqual([
    { track: 'score', ts: 4750, dur: 3250 },
    { track: 'telemetry', ts: 11000, dur: 1000 },
    { track: 'telemetry', ts: 12500, dur: 1500 },
  ]);
  const instants = traceEvents.filter((event) => event.ph === 'i').map(({ name }) => name);
  expect(instants).toEqual(['expand to LOD0', 'refused: expand to LOD0', 'violation: budget', '"é\n']);
  const used = traceEvents.flatMap((event) =>
    event.ph === 'C' && event.name === 'budget use' ? [event.args] : [],
  );
  expect(used).toEqual(Array.from({ length: 2 }, () => ({ usedTokens: 33, freeTokens: 31 })));
  expect(traceEvents.find(({ name }) => name === 'ΔNLL')).toMatchObject({ ph: 'C', args: { nats: 0.1 } });
});

test('an empty run is a whole file too', async () => {
  expect(documented.safeParse(JSON.parse(await joined(chromeTrace(header, [])))).success).toBe(true);
  expect(csvOf(await metricsTable([])).split('\r\n')).toHaveLength(2);
});

test('the CSV has one line a step, whatever the order of its events, and no formula', async () => {
  const lines = csvOf(await metricsTable(events))
    .trimEnd()
    .split('\r\n');
  const names = lines[0]!.split(',');
  expect(lines).toHaveLength(3);
  const first = Object.fromEntries(lines[1]!.split(',').map((cell, i) => [names[i]!, cell]));
  expect(first).toMatchObject({
    step: '1',
    cursorTokens: '32',
    expansions: '1',
    refusedActions: '1',
    scoreMin: '-1',
    scoreMean: '-0.25',
    scoreMax: '0.25',
    coherence: '',
    deltaNll: '',
    scoreMs: '3.25',
    telemetryMs: '2.5',
    decodeMs: '',
    violations: '0',
  });
  expect(lines[2]).toContain(`,"'=1+""a"",b",`);
  expect(lines[2]).toMatch(/,0\.1,2,1\.9,0\.004,,,,,,,1$/);
});
