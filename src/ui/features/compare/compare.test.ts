import { describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { COMPARED_METRICS } from '../../../core/trace/run-comparison-metrics.ts';
import type { TelemetryEvent } from '../../../core/trace/telemetry.ts';
import { RunTrace } from '../../model/run-trace.ts';
import { useCompare } from './compare-store.ts';
import { METRIC_WORDS, differenceWords, divergenceWords } from './compare-words.ts';
import {
  alignBy,
  currentComparison,
  differsAt,
  forgetSources,
  frameOf,
  hasEnded,
  hasFrame,
  showSources,
} from './comparison.ts';

const session = (tauExpand: number): TelemetryEvent => ({
  ...{ type: 'session', step: 0, timeMs: 0, sessionId: 's', title: 't', modelId: 'm', modelHash: 'h' },
  ...{ backend: 'cpu', config: { ...DEFAULT_RUN_CONFIG, tauExpand } },
});

const refocus = (step: number, blocks: number, lod = 0): TelemetryEvent => ({
  ...{ type: 'refocus', head: 0, step, timeMs: 0, cursor: blocks * 32, policy: 'lensnet', windowStart: 0 },
  ...{
    usedTokens: lod === 0 ? blocks * 32 : blocks,
    budgetTokens: 256,
    entryCount: blocks,
    scores: [],
    actions: [],
    swapRate: 0,
  },
  layout: {
    kind: 'keyframe',
    entries: Array.from({ length: blocks }, (_, i) => [lod, i * 32, i * 32 + 32] as [number, number, number]),
  },
  ...{ utilisation: 0, meanResidency: 0, coherence: null, trigger: 'block' },
});

function sourceOf(...events: TelemetryEvent[]) {
  const run = new RunTrace();
  run.append(events);
  return { run: () => run, answers: () => [], texts: null };
}

describe('a comparison', () => {
  it('puts the playhead where the runs part, and keeps the step when the alignment changes', () => {
    const a = sourceOf(session(0.2), refocus(1, 1), refocus(2, 2), refocus(3, 3), refocus(4, 4));
    const b = sourceOf(session(0.2), refocus(1, 1), session(0.5), refocus(2, 2), refocus(3, 3, 1));
    expect([0, 1, 2].map((index) => b.run().configAt(index)?.tauExpand)).toEqual([0.2, 0.5, 0.5]);
    showSources({ a, b });
    expect(currentComparison()?.divergences.map(({ kind, place }) => [kind, place])).toEqual([
      ['parameter', 1],
      ['context', 2],
      ['end', 3],
    ]);
    expect(useCompare.getState()).toMatchObject({ count: 4, place: 1 });
    expect([0, 1, 2, 3].map(differsAt)).toEqual([false, false, true, true]);
    expect([hasEnded('a', 3), hasEnded('b', 3), hasFrame('b', 2), hasFrame('b', 3)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(frameOf('b', 3)?.step).toBe(3);
    alignBy('tokens');
    expect([...currentComparison()!.alignment.keys]).toEqual([32, 64, 96, 128]);
    expect(frameOf('a', useCompare.getState().place)?.step).toBe(2);
    forgetSources();
    expect(currentComparison()).toBeNull();
  });

  it('says differences with their sign, and nothing where there is none', () => {
    expect(differenceWords('swapRate', 0.25)).toBe('+0.250');
    expect(differenceWords('deltaNll', -0.1)).toBe('−0.100');
    expect(differenceWords('expansions', 0)).toBe('=');
    expect(differenceWords('swapRate', 0.0001)).toBe('=');
    expect(differenceWords('coherence', null)).toBe('–');
    for (const id of COMPARED_METRICS) expect(METRIC_WORDS[id].label).not.toBe('');
    expect(divergenceWords({ kind: 'parameter', place: 0, ids: ['tauExpand'] }).detail).toBe(
      'Expand threshold',
    );
    expect(divergenceWords({ kind: 'tokens', place: 0, position: 7, a: ' sea', b: null }).detail).toBe(
      'token 7: “·sea” in A, nothing in B',
    );
  });
});
