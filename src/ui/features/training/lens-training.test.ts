import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readChart, windowForCharts } from '../../widgets/testing/read-chart.ts';
import { drawCalibration, drawLoss } from './draw-training.ts';
import { DEFAULT_FORM, readForm } from './training-form.ts';

describe('the form', () => {
  it('means numbers within range, and names each field that does not', () => {
    expect(readForm(DEFAULT_FORM)).toEqual({
      ok: true,
      options: { states: 36, questions: 36, steps: 60, learningRate: 3e-4, seed: 1 },
    });
    expect(readForm({ ...DEFAULT_FORM, learningRate: '1e−3' })).toMatchObject({ options: { learningRate: 1e-3 } });
    expect(readForm({ ...DEFAULT_FORM, learningRate: '0,01' })).toMatchObject({ options: { learningRate: 0.01 } });
    expect(readForm({ ...DEFAULT_FORM, states: '0x20' }).ok).toBe(false);
    const wrong = readForm({ states: '501', questions: '-1', steps: '2.5', learningRate: '', seed: 'one' });
    expect(wrong).toMatchObject({ ok: false });
    expect(Object.keys(wrong.ok ? {} : wrong.errors)).toEqual(['states', 'questions', 'steps', 'learningRate', 'seed']);
  });
});

describe('the plots', () => {
  beforeAll(() => {
    vi.stubGlobal('window', windowForCharts());
  });
  afterAll(() => {
    vi.unstubAllGlobals();
  });

  it('leave room for the steps to come, and average the last ones', () => {
    const losses = [1, 2, 3].map((step) => ({ step, total: 4 - step, regression: 0, ranking: 0 }));
    const marks = readChart(drawLoss(losses, 10));
    const [steps, trend] = marks.filter(({ mark }) => mark === 'line');
    expect([steps!.at.length, trend!.at.length]).toEqual([3, 3]);
    expect(trend!.at[2]![1]).toBeLessThan(steps!.at[2]![1]);
    const [, frameEnd] = marks.find(({ mark }) => mark === 'frame')!.at.map(([x]) => x).sort((a, b) => a - b);
    const lastTick = marks.filter(({ mark }) => mark === 'x-axis tick label').at(-1)!;
    expect([lastTick.text, lastTick.at[0]![0]]).toEqual(['10', frameEnd]);
    expect(readChart(drawLoss([], 10)).filter(({ mark }) => mark === 'line')).toEqual([]);
  });

  it('show scores from left to right and worth upwards, on one scale for before and after', () => {
    const point = (score: number, detailNats: number, kind: 'expand' | 'collapse' = 'expand') => ({
      score,
      detailNats,
      kind,
      lod: kind === 'collapse' ? 0 : 1,
    });
    const shown = [point(-1, -0.1), point(1, 0.2, 'collapse')];
    const marks = readChart(drawCalibration(shown, [point(0, 0.8)]));
    const [low, high] = marks.filter(({ mark }) => mark === 'dot');
    const [zero] = marks.find(({ mark }) => mark === 'rule')!.at;
    const top = Math.min(...marks.filter(({ mark }) => mark === 'y-grid').flatMap(({ at }) => at.map(([, y]) => y)));
    expect(high!.at[0]![0]).toBeGreaterThan(low!.at[0]![0]);
    expect(low!.at[0]![1]).toBeGreaterThan(zero![1]);
    expect(high!.at[0]![1]).toBeLessThan(zero![1]);
    expect(high!.at[0]![1]).toBeGreaterThan(top + 100);
    expect([low!.colour, high!.colour]).toEqual(['var(--series-0)', 'var(--series-1)']);
  });
});
