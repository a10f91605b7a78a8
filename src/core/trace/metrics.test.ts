import { describe, expect, it } from 'vitest';
import { MetricsAccumulator, stepMetrics } from './metrics.ts';
import { sampleAction } from '../testing/sample-events.ts';
import { entryAt, layoutOf } from '../context/working-context.ts';

describe('step metrics', () => {
  const scoredLayout = layoutOf([entryAt(1, 0), entryAt(1, 32), entryAt(1, 64), entryAt(0, 96)]);
  const layout = layoutOf(
    [entryAt(0, 0), entryAt(1, 32), entryAt(1, 64), entryAt(0, 96)],
    Uint32Array.of(0, 2, 2, 4),
  );
  const config = { budgetTokens: 132, tauExpand: 0.2 };

  it('follow their definitions', () => {
    const actions = [
      sampleAction(),
      sampleAction({ start: 32, end: 64, applied: false, reason: 'action-limit' }),
    ];
    const scores = Float32Array.of(0.5, 0.4, 0.1, 0.9);
    expect(stepMetrics({ scoredLayout, scores, layout, actions, config })).toEqual({
      usedTokens: 66,
      entryCount: 4,
      swapRate: 0.25,
      utilisation: 0.5,
      meanResidency: 2,
      coherence: 0.5,
    });
  });

  it('have no coherence when nothing wanted to expand, and survive an empty window', () => {
    const empty = layoutOf([]);
    expect(
      stepMetrics({ scoredLayout: empty, scores: new Float32Array(0), layout: empty, actions: [], config }),
    ).toMatchObject({
      swapRate: 0,
      meanResidency: 0,
      coherence: null,
    });
  });
});

describe('running totals', () => {
  it('count actions, and as flips those undone within four refocuses', () => {
    const totals = new MetricsAccumulator();
    const metrics = {
      usedTokens: 1,
      entryCount: 1,
      swapRate: 0.5,
      utilisation: 1,
      meanResidency: 3,
      coherence: null,
    };
    const collapse = sampleAction({ kind: 'collapse', reason: 'over-budget', costDelta: -31 });
    totals.addRefocus(1, metrics, [sampleAction(), sampleAction({ start: 32, applied: false })]);
    totals.addRefocus(5, { ...metrics, swapRate: 0 }, [collapse], 2);
    totals.addRefocus(10, { ...metrics, swapRate: 0.1 }, [
      sampleAction(),
      sampleAction({ kind: 'evict', start: 320 }),
      sampleAction({ kind: 'readmit', start: 320 }),
    ]);
    expect(totals.totals()).toEqual({
      refocuses: 3,
      expansions: 2,
      collapses: 1,
      evictions: 1,
      readmissions: 1,
      forcedCollapses: 1,
      violations: 2,
      swapRate: expect.closeTo(0.2) as number,
      meanResidency: 3,
      utilisation: 1,
      flipRate: 1 / 3,
    });
  });
});
