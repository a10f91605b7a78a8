import { expect, it } from 'vitest';
import { availableChoices } from './available-choices.ts';

const model = {
  lensVariants: ['default', 'perceiver'] as const,
  learnedHeads: { router: [4], merger: [] },
  hasStagingLens: false,
};

it('offers what the model has for so many heads, and everything that asks for nothing', () => {
  expect(availableChoices('lensVariant', 1, model)).toEqual(['default', 'perceiver']);
  expect(availableChoices('router', 4, model)).toEqual(['static', 'utility-gated', 'learned']);
  expect(availableChoices('router', 2, model)).toEqual(['static', 'utility-gated']);
  expect(availableChoices('router', 1, model)).toContain('learned');
  expect(availableChoices('merger', 4, model)).toEqual(['mean', 'confident', 'best-head']);
  expect(availableChoices('merger', 1, model)).not.toContain('learned');
  expect(availableChoices('stagingLens', 4, model)).toEqual(['own']);
  expect(availableChoices('stagingLens', 4, { ...model, hasStagingLens: true })).toContain('lensnet-g');
  expect(availableChoices('policy', 4, model)).toBeUndefined();
  expect(availableChoices('router', 4, undefined)).toBeUndefined();
});
