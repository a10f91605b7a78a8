import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { K } from '../../../core/tree/ids.ts';
import { armsOf, budgetOfEqualCompute, DEFAULT_HEAD_ARMS, HEAD_ARMS, ONE_WINDOW } from './head-arms.ts';

/** The shipped tiny base, about. */
const TINY = {
  parameters: 1_640_000,
  vocabularySize: 2048,
  hiddenSize: 128,
  layers: 4,
  attention: { heads: 4, kvHeads: 2, headDim: 32 },
};

/** Operations of one window, as the docstring of `budgetOfEqualCompute` counts them. */
function operations(
  slots: number,
  { parameters, vocabularySize, hiddenSize, layers, attention }: typeof TINY,
) {
  const weights = 2 * (parameters - vocabularySize * hiddenSize);
  return weights * slots + 2 * layers * attention.heads * attention.headDim * slots ** 2;
}

it('gives several windows the total budget whose cost is nearest to one window’s, in whole blocks a head', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 8, max: 1024 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 0, max: 1_000_000_000 }),
      (blocks, heads, weights) => {
        const shape = { ...TINY, parameters: TINY.vocabularySize * TINY.hiddenSize + 1 + weights };
        const budget = blocks * K;
        const total = budgetOfEqualCompute(budget, heads, shape);
        expect(total % (K * heads)).toBe(0);
        const cost = (each: number) => heads * operations(each, shape);
        // Between the middles to its neighbours, so that none of them is nearer.
        expect(cost(total / heads - K / 2)).toBeLessThanOrEqual(operations(budget, shape) * (1 + 1e-9));
        expect(cost(total / heads + K / 2)).toBeGreaterThanOrEqual(operations(budget, shape) * (1 - 1e-9));
      },
    ),
  );
  expect(budgetOfEqualCompute(1024, 1, TINY)).toBe(1024);
});

it('gives a quarter’s window as much as each of four heads has, with room beside what is recent', () => {
  const armAt = (budgetTokens: number, recentTokens: number, id: string) =>
    armsOf({ ...DEFAULT_RUN_CONFIG, budgetTokens, recentTokens }, TINY).find((arm) => arm.id === id)!;
  expect(armAt(4096, 256, 'one window, a quarter').changes).toMatchObject({
    budgetTokens: 1024,
    recentTokens: 256,
    questionParts: 0,
  });
  expect(armAt(1024, 256, 'one window, a quarter, by parts').changes).toMatchObject({
    budgetTokens: 256,
    recentTokens: 128,
    questionParts: 8,
  });
});

it('runs a few arms where none are named, the one that others are held against first', () => {
  expect(new Set(HEAD_ARMS).size).toBe(HEAD_ARMS.length);
  expect(HEAD_ARMS).toEqual(expect.arrayContaining([...DEFAULT_HEAD_ARMS]));
  expect(HEAD_ARMS[0]).toBe(ONE_WINDOW);
});
