import { describe, expect, it } from 'vitest';
import { PLOT, layOutCalibration, layOutLoss } from './plot-layout.ts';
import { DEFAULT_FORM, readForm } from './training-form.ts';

describe('the form', () => {
  it('means numbers within range, and names each field that does not', () => {
    expect(readForm(DEFAULT_FORM)).toEqual({
      ok: true,
      options: { states: 36, steps: 60, learningRate: 3e-4, seed: 1 },
    });
    const wrong = readForm({ states: '8', steps: '2.5', learningRate: '', seed: 'one' });
    expect(wrong).toMatchObject({ ok: false });
    expect(Object.keys(wrong.ok ? {} : wrong.errors)).toEqual(['states', 'steps', 'learningRate', 'seed']);
  });
});

describe('the plots', () => {
  it('leave room for the steps to come, and average the last ones', () => {
    const losses = [1, 2, 3].map((step) => ({ step, total: 4 - step, regression: 0, ranking: 0 }));
    const { steps, trend, xTicks } = layOutLoss(losses, 10);
    expect(steps.split('L')).toHaveLength(3);
    expect(xTicks.at(-1)).toEqual({ at: PLOT.right, label: '10' });
    const lastY = (path: string): number => Number(path.split(',').at(-1));
    expect(lastY(trend)).toBeLessThan(lastY(steps));
    expect(layOutLoss([], 10).steps).toBe('');
  });

  it('show scores from left to right and worth upwards, on one scale for before and after', () => {
    const point = (score: number, detailNats: number) => ({ score, detailNats, kind: 'expand' as const });
    const { marks, zero } = layOutCalibration([point(-1, -0.1), point(1, 0.2)], [point(0, 0.8)]);
    expect(marks.map(({ x }) => x)).toEqual([PLOT.left, PLOT.right]);
    expect(marks[0]!.y).toBeGreaterThan(zero);
    expect(marks[1]!.y).toBeGreaterThan(PLOT.top + 100);
  });
});
