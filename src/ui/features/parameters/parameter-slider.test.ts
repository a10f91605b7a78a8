import { describe, expect, it } from 'vitest';
import { PARAMETERS, parameterNamed, type NumericParameter } from '../../../core/parameters/parameters.ts';
import { sliderOf, valueOfSlider } from './parameter-slider.ts';

const budget = parameterNamed('budgetTokens') as NumericParameter;

describe('the slider of a parameter', () => {
  it('round-trips slider positions at both ends and in between', () => {
    for (const candidate of PARAMETERS) {
      if (candidate.kind === 'choice' || candidate.kind === 'text') continue;
      const { min, max, step } = candidate;
      expect(valueOfSlider(candidate, 0)).toBe(min);
      expect(valueOfSlider(candidate, 1000)).toBe(max);
      const middle = Number((min + Math.round((max - min) / 3 / step) * step).toFixed(6));
      expect(valueOfSlider(candidate, sliderOf(candidate, middle))).toBeCloseTo(middle, 5);
    }
  });

  it('keeps the slider on its track for values out of range', () => {
    expect(sliderOf(budget, 7)).toBe(0);
    expect(sliderOf(budget, 1e9)).toBe(1000);
  });
});
