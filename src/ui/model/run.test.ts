import { describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG, type RunConfig } from '../../core/trace/config.ts';
import { layoutDelta } from '../../core/trace/layout-delta.ts';
import type { ActionRecord, LayoutEntry, TelemetryEventOf } from '../../core/trace/telemetry.ts';
import { sampleAction, sampleRefocus } from '../../core/testing/sample-events.ts';
import { answerFocus, scoreHistory, spanActions } from './block-history.ts';
import { Run } from './run.ts';

const expand = sampleAction();
const collapse: ActionRecord = {
  ...expand,
  kind: 'collapse',
  lod: 1,
  start: 32,
  end: 64,
  toLod: 1,
  costDelta: -31,
  score: -0.4,
};

const first: LayoutEntry[] = [
  [1, 0, 32],
  [0, 32, 64],
];
const second: LayoutEntry[] = [
  [0, 0, 32],
  [1, 32, 64],
  [0, 64, 96],
];

function refocus(
  step: number,
  layout: TelemetryEventOf<'refocus'>['layout'],
  scores: number[],
  actions: ActionRecord[] = [],
): TelemetryEventOf<'refocus'> {
  return sampleRefocus({
    step,
    timeMs: step,
    cursor: 32 + step * 32,
    usedTokens: 65,
    budgetTokens: 128,
    entryCount: 3,
    layout,
    scores,
    actions,
  });
}

function sampleTrace(): Run {
  const trace = new Run();
  trace.append([
    { type: 'latency', head: 0, step: 1, timeMs: 0, stage: 'score', ms: 4 },
    refocus(1, { kind: 'keyframe', entries: first }, [0.1, 0.2]),
    refocus(2, layoutDelta(first, second), [0.5, -0.4, 0.3], [expand, collapse]),
    {
      type: 'deltaNll',
      head: 0,
      step: 2,
      timeMs: 0,
      cursor: 96,
      horizonTokens: 64,
      workingContextNll: 2,
      fullNll: 1.9,
      deltaNll: 0.1,
    },
  ]);
  return trace;
}

describe('run trace', () => {
  it('decodes layouts and sums metrics per step', () => {
    const trace = sampleTrace();
    expect(trace.layoutAt(1)).toEqual(second);
    expect(trace.layoutAt(0)).toEqual(first);
    expect(trace.frameAt(1)).toMatchObject({ expansions: 1, collapses: 1, evictions: 0, scoreMax: 0.5 });
    expect(trace.latenciesAt(0)?.[2]).toBe(4);
    expect(trace.deltaNllAt(1)?.deltaNll).toBe(0.1);
    [0.5, -0.4, 0.3].forEach((score, i) => {
      expect(trace.frameAt(1)!.scores[i]).toBeCloseTo(score, 4);
    });
    expect([trace.indexOfStep(0), trace.indexOfStep(1), trace.indexOfStep(9)]).toEqual([-1, 0, 1]);
  });

  it('knows the thresholds in force where the strategy moved them', () => {
    const trace = sampleTrace();
    const thresholds = { tauExpand: -0.05, tauCollapse: 1 };
    trace.append([{ ...refocus(3, layoutDelta(second, second), [0.1, 0.1, 0.1]), thresholds }]);
    expect([1, 2].map((index) => trace.frameAt(index)?.thresholds)).toEqual([undefined, thresholds]);
  });

  it('knows from which step on other parameters were in force', () => {
    const trace = sampleTrace();
    const session = (config: RunConfig): TelemetryEventOf<'session'> => ({
      type: 'session',
      step: 2,
      timeMs: 0,
      sessionId: 's',
      title: 'S',
      modelId: 'm',
      modelHash: 'h',
      backend: 'cpu',
      config,
    });
    const changed = { ...DEFAULT_RUN_CONFIG, tauExpand: 0.4 };
    trace.append([session(DEFAULT_RUN_CONFIG), session(DEFAULT_RUN_CONFIG)]);
    expect(trace.configChanges).toEqual([]);
    trace.append([session(changed)]);
    expect(trace.configChanges).toEqual([
      { index: trace.frameCount, before: DEFAULT_RUN_CONFIG, after: changed },
    ]);
    // Of several before the same step, the last.
    const other = { ...changed, tauCollapse: 0.4 };
    trace.append([session(other)]);
    expect(trace.configChanges).toEqual([
      { index: trace.frameCount, before: DEFAULT_RUN_CONFIG, after: other },
    ]);
    trace.append([session(DEFAULT_RUN_CONFIG)]);
    expect(trace.configChanges).toEqual([]);
    trace.reset();
    expect(trace.configChanges).toEqual([]);
  });

  it('undoes actions to find the layout that was scored', () => {
    expect(sampleTrace().scoredLayoutAt(1)).toEqual([
      [1, 0, 32],
      [0, 32, 64],
      [0, 64, 96],
    ]);
  });

  it('leaves out a step whose delta does not fit', () => {
    const trace = sampleTrace();
    trace.append([refocus(3, { kind: 'delta', splices: [{ at: 99, remove: 1, insert: [] }] }, [])]);
    expect(trace.frameCount).toBe(2);
  });

  it('finds actions, scores and what an answer changed', () => {
    const trace = sampleTrace();
    expect(trace.nextAction(0, 1)).toBe(1);
    expect(trace.nextAction(1, -1)).toBeNull();
    expect(
      scoreHistory(trace, 0, 32, 1, 10).map(({ score, lod }) => [Number(score.toFixed(1)), lod]),
    ).toEqual([
      [0.1, 1],
      [0.5, 1],
    ]);
    expect(spanActions(trace, 0, 32, 1, 10)).toHaveLength(1);
    expect(spanActions(trace, 32, 64, 1, 10)[0]?.paidFor).toBeNull();
    const trade: ActionRecord[] = [{ ...expand, paidBy: [[1, 32, 64]] }, collapse];
    trace.append([refocus(3, layoutDelta(second, second), [0.1, 0.1, 0.1], trade)]);
    expect(spanActions(trace, 32, 64, 2, 1)[0]?.paidFor).toEqual(trade[0]);
    expect(answerFocus(trace, 70, 100)).toEqual({ expansions: 1, collapses: 1, firstIndex: 1 });
    expect(answerFocus(trace, 500, 600).firstIndex).toBeNull();
  });

  it('tells listeners once per batch and forgets on reset', () => {
    const trace = new Run();
    let told = 0;
    trace.subscribe(() => told++);
    trace.append([refocus(1, { kind: 'keyframe', entries: first }, [])]);
    trace.reset();
    expect([told, trace.frameCount, trace.layoutAt(0)]).toEqual([2, 0, []]);
  });
});
