import { describe, expect, it, vi } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { COMPARED_METRICS } from '../../../core/trace/run-comparison-metrics.ts';
import type { TelemetryEvent } from '../../../core/trace/telemetry.ts';
import type { Command } from '../../../runtime/engine/protocol/protocol.ts';
import { Commands } from '../../commands/commands.ts';
import { createModel } from '../../model/model.ts';
import { fakeEngine } from '../../model/testing/fake-engine.ts';
import { Run } from '../../model/run.ts';
import { METRIC_WORDS, differenceWords, divergenceWords } from './compare-words.ts';
import { Compare } from './compare.ts';
import { Comparison } from './comparison.ts';
import { PlacedSource } from './placed-run.ts';

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
  const run = new Run();
  run.append(events);
  return { run, provenance: [], answers: () => [], texts: null };
}

/** What the engine answers about the two stored sessions. */
function readRun(command: Command): unknown {
  const runs: Record<string, readonly TelemetryEvent[]> = {
    one: [session(0.2), refocus(1, 1), refocus(2, 2), refocus(3, 3), refocus(4, 4)],
    two: [session(0.2), refocus(1, 1), session(0.5), refocus(2, 2), refocus(3, 3, 1)],
  };
  return command.kind === 'readRun' ? { events: runs[command.sessionId], chat: [] } : [];
}

describe('a comparison', () => {
  const a = sourceOf(session(0.2), refocus(1, 1), refocus(2, 2), refocus(3, 3), refocus(4, 4));
  const b = sourceOf(session(0.2), refocus(1, 1), session(0.5), refocus(2, 2), refocus(3, 3, 1));

  it('finds where the runs part, by step and by tokens', () => {
    expect([0, 1, 2].map((index) => b.run.configAt(index)?.tauExpand)).toEqual([0.2, 0.5, 0.5]);
    const byStep = new Comparison({ a, b }, 'step');
    expect(byStep.divergences.map(({ kind, place }) => [kind, place])).toEqual([
      ['parameter', 1],
      ['context', 2],
      ['end', 3],
    ]);
    expect(byStep.count).toBe(4);
    expect([0, 1, 2, 3].map((place) => byStep.differsAt(place))).toEqual([false, false, true, true]);
    expect([byStep.hasEnded('a', 3), byStep.hasEnded('b', 3)]).toEqual([false, true]);
    expect([byStep.hasFrame('b', 2), byStep.hasFrame('b', 3)]).toEqual([true, false]);
    expect(byStep.frameOf('b', 3)?.step).toBe(3);
    const byTokens = new Comparison({ a, b }, 'tokens');
    expect([0, 1, 2, 3].map((place) => byTokens.keyOf(place))).toEqual([32, 64, 96, 128]);
    expect(byTokens.placeOfStep('a', 2)).toBe(1);
    expect(byTokens.placeOfStep('b', 9)).toBe(-1);
  });

  it('tells which entries one run holds alone, and how wide the wider context is', () => {
    const comparison = new Comparison({ a, b }, 'step');
    expect(comparison.holds('b', 1, [0, 0, 32])).toBe(true);
    expect(comparison.holds('b', 2, [0, 0, 32])).toBe(false);
    expect(comparison.holds('b', 2, [1, 0, 32])).toBe(true);
    expect(comparison.slotsAt(2)).toBe(256);
  });

  it('gives each side to a timeline by places: empty rows behind its end, steps as labels only where they are even', () => {
    let comparison: Comparison | null = null;
    const side = new PlacedSource(
      'b',
      () => comparison,
      () => () => undefined,
    );
    expect([side.run.frameCount, side.run.layoutAt(0)]).toEqual([0, []]);
    comparison = new Comparison({ a, b }, 'step');
    const { run } = side;
    expect(side.run).toBe(run);
    expect([run.frameCount, run.cursor]).toEqual([4, 128]);
    expect([0, 1, 2, 3].map((place) => run.layoutAt(place).length)).toEqual([1, 2, 3, 0]);
    expect([2, 3].map((place) => run.frameAt(place)?.step)).toEqual([3, undefined]);
    expect(run.stepAt(3)).toEqual({ step: 4 });
    comparison = new Comparison({ a, b }, 'tokens');
    expect(side.run).not.toBe(run);
    expect(side.run.stepAt(3)).toBeUndefined();
  });

  it('shows any head of a run against any of the other’s', async () => {
    const several = (step: number) => [
      refocus(step, step),
      { ...refocus(step, step, 1), head: 1 } as TelemetryEvent,
    ];
    const engine = fakeEngine((command) =>
      command.kind === 'readRun'
        ? {
            events: [
              {
                ...session(0.2),
                config: { ...DEFAULT_RUN_CONFIG, heads: command.sessionId === 'one' ? 1 : 2 },
              },
              ...[1, 2, 3].flatMap((step) =>
                command.sessionId === 'one' ? [refocus(step, step)] : several(step),
              ),
            ],
            chat: [],
          }
        : [],
    );
    const compare = new Compare({ model: createModel(engine.port), commands: new Commands() });
    compare.openSessions('one', 'two');
    await vi.waitFor(() => {
      expect(compare.comparison?.count).toBe(3);
    });
    const lodsOf = (side: 'a' | 'b') => compare.views[side].source.run.layoutAt(2).map(([lod]) => lod);
    expect([lodsOf('a'), lodsOf('b')]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(compare.comparison?.differsAt(2)).toBe(false);
    compare.showHead('b', 1);
    expect([lodsOf('a'), lodsOf('b')]).toEqual([
      [0, 0, 0],
      [1, 1, 1],
    ]);
    expect(compare.comparison?.differsAt(2)).toBe(true);
    expect(compare.views.b.source.run.frameAt(2)?.usedTokens).toBe(3);
    compare.swapSides();
    expect([lodsOf('a'), lodsOf('b')]).toEqual([
      [1, 1, 1],
      [0, 0, 0],
    ]);
    await compare.choose('a', { id: 'session:one', title: 'One' });
    expect(compare.store.getState().heads).toEqual({ a: 0, b: 0 });
  });

  it('puts the playhead where the runs part, and keeps the step when sides or alignment change', async () => {
    const model = createModel(fakeEngine(readRun).port);
    const compare = new Compare({ model, commands: new Commands() });
    const { playhead, views } = compare;
    compare.openSessions('one', 'two');
    await vi.waitFor(() => {
      expect(compare.comparison?.count).toBe(4);
    });
    expect(playhead.state).toMatchObject({ count: 4, index: 1 });
    compare.commands.run('forward');
    expect([playhead.state.index, views.b.shownIndex]).toEqual([2, 2]);
    compare.swapSides();
    expect(playhead.state.index).toBe(2);
    expect(compare.comparison?.hasEnded('a', 3)).toBe(true);
    compare.alignBy('tokens');
    expect(compare.comparison?.keyOf(playhead.state.index)).toBe(96);
    compare.commands.run('play');
    expect(playhead.state.playing).toBe(true);
    compare.close();
    expect(playhead.state).toMatchObject({ playing: false, count: 0 });
    expect(compare.comparison).toBeNull();
  });

  it('says differences with their sign, and nothing where there is none', () => {
    expect(differenceWords('swapRate', 0.25)).toBe('+0.250');
    expect(differenceWords('deltaNll', -0.1)).toBe('−0.100');
    expect(differenceWords('expansions', 0)).toBe('=');
    expect(differenceWords('swapRate', 0.0001)).toBe('=');
    expect(differenceWords('coherence', null)).toBeNull();
    for (const id of COMPARED_METRICS) expect(METRIC_WORDS[id].label).not.toBe('');
    expect(divergenceWords({ kind: 'parameter', place: 0, ids: ['tauExpand'] }).detail).toBe(
      'Expand threshold',
    );
    expect(divergenceWords({ kind: 'tokens', place: 0, position: 7, a: ' sea', b: null }).detail).toBe(
      'token 7: “·sea” in A, nothing in B',
    );
  });
});
