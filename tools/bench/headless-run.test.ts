import { expect, it } from 'vitest';
import type { TelemetryEvent } from '../../src/core/trace/telemetry.ts';
import { costsOf } from './headless-run.ts';

const took = (
  stage: 'score' | 'allocate' | 'decode' | 'ingest' | 'telemetry',
  ms: number,
): TelemetryEvent => ({
  type: 'latency',
  step: 1,
  timeMs: 0,
  head: 0,
  stage,
  ms,
});

it('tells what focus cost from what decoding did, without prefill and what came before the answer', () => {
  const events = [
    took('score', 50),
    took('decode', 900),
    took('decode', 4),
    took('decode', 6),
    took('score', 20),
    took('allocate', 2),
    took('decode', 14),
    took('decode', 5),
  ];
  const focusMs = [20 + 2 + (14 - 5)];
  expect(costsOf(events)).toEqual({
    decodeMs: [4, 6, 5],
    focusMs,
    scoreMs: [22],
    focusShare: focusMs[0]! / (4 * 5),
  });
});

it('counts what makes room between two refocuses to their share', () => {
  const moved = { type: 'action' } as TelemetryEvent;
  const events = [
    took('decode', 900),
    took('decode', 5),
    took('ingest', 1),
    moved,
    took('ingest', 2),
    took('telemetry', 50),
    took('decode', 9),
    took('decode', 5),
  ];
  expect(costsOf(events)).toEqual({
    decodeMs: [5, 5],
    focusMs: [],
    scoreMs: [],
    focusShare: (2 + (9 - 5)) / (3 * 5),
  });
});

it('counts from the first refocus that had to make room, where that is asked for', () => {
  const refocused = (reason: string): TelemetryEvent => ({ type: 'refocus', actions: [{ reason }] }) as never;
  const events = [
    took('decode', 5),
    took('score', 1),
    refocused('expand-best'),
    took('decode', 6),
    took('score', 20),
    refocused('over-budget'),
    took('decode', 14),
    took('decode', 4),
  ];
  expect(costsOf(events, true)).toMatchObject({ decodeMs: [4], focusMs: [20 + (14 - 4)] });
});
