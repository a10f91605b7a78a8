import { expect, it } from 'vitest';
import { cellOf, type CellCounts } from '../report/cell.ts';
import { withDifferences } from './heads-suite.ts';

/** @param answered - of ten questions, by history. */
const cell = (policy: string, answered: Readonly<Record<string, number>>): CellCounts => ({
  task: 'multi-key',
  policy,
  templates: 'seen',
  historyTokens: 4096,
  budgetTokens: 1024,
  heads: 1,
  clusters: Object.entries(answered).map(([cluster, right]) => ({
    cluster,
    n: 10,
    figures: { answered: [10, right] },
  })),
});

it('holds what is answered against one window, history by history', () => {
  const one = cell('one window', { a: 6, b: 2, c: 9 });
  const [same, more, apart] = withDifferences([
    one,
    cell('2 heads', { a: 8, b: 4, c: 9 }),
    cell('4 heads', { d: 1 }),
  ]);
  expect(same).toBe(one);
  const figures = cellOf('heads', more!);
  expect(figures.answeredAgainstOneWindow).toBeCloseTo(4 / 30, 9);
  expect(figures.intervals.answeredAgainstOneWindow![0]).toBeGreaterThanOrEqual(0);
  expect(cellOf('heads', apart!).answeredAgainstOneWindow).toBeUndefined();
});
