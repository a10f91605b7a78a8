/** Headers, actions and refocuses for tests that care about a few of their fields. */
import { DEFAULT_RUN_CONFIG } from '../trace/config.ts';
import {
  TRACE_FORMAT,
  TRACE_VERSION,
  type ActionRecord,
  type TelemetryEventOf,
  type TraceHeader,
} from '../trace/telemetry.ts';

/** Of a trace of this version. */
export const SAMPLE_HEADER: TraceHeader = {
  format: TRACE_FORMAT,
  version: TRACE_VERSION,
  createdAt: '2026-01-02T03:04:05.000Z',
  modelId: 'tiny',
  modelHash: 'abc',
  backend: 'cpu',
  seed: 1,
  config: DEFAULT_RUN_CONFIG,
};

/** An expansion of the first block that was wanted and applied, but for the given changes. */
export function sampleAction(changes: Partial<ActionRecord> = {}): ActionRecord {
  return {
    kind: 'expand',
    lod: 1,
    start: 0,
    end: 32,
    toLod: 0,
    score: 0.5,
    rank: 1,
    costDelta: 31,
    reason: 'score-above-tau',
    applied: true,
    pass: 0,
    ...changes,
  };
}

/** A refocus that left one raw block in half the budget, but for the given changes. */
export function sampleRefocus(
  changes: Partial<TelemetryEventOf<'refocus'>> = {},
): TelemetryEventOf<'refocus'> {
  return {
    type: 'refocus',
    head: 0,
    step: 1,
    timeMs: 1,
    cursor: 32,
    policy: 'lensnet',
    windowStart: 0,
    usedTokens: 32,
    budgetTokens: 64,
    entryCount: 1,
    layout: { kind: 'keyframe', entries: [[0, 0, 32]] },
    scores: [],
    actions: [],
    swapRate: 0,
    utilisation: 0.5,
    meanResidency: 1,
    coherence: null,
    trigger: 'block',
    ...changes,
  };
}
