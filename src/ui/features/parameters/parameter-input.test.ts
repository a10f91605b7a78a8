import { describe, expect, it } from 'vitest';
import { PARAMETERS } from '../../../core/trace/parameters.ts';
import { readParameter, sliderOf, valueOfSlider } from './parameter-input.ts';

const parameter = (id: string) => PARAMETERS.find((candidate) => candidate.id === id)!;

describe('parameter input', () => {
  it('accepts what is in range, with or without separators', () => {
    expect(readParameter(parameter('budgetTokens'), '1,024')).toEqual({ ok: true, value: 1024 });
    expect(readParameter(parameter('tauExpand'), ' 0.35 ')).toEqual({ ok: true, value: 0.35 });
  });

  it('says what is wrong with the rest', () => {
    expect(readParameter(parameter('budgetTokens'), 'lots')).toEqual({
      ok: false,
      message: '“lots” is not a number.',
    });
    expect(readParameter(parameter('budgetTokens'), '')).toMatchObject({ ok: false });
    expect(readParameter(parameter('budgetTokens'), '12.5')).toMatchObject({
      message: 'Only whole numbers.',
    });
    expect(readParameter(parameter('tauExpand'), '1.2')).toMatchObject({ message: 'Between 0 and 1.' });
  });

  it('round-trips slider positions at both ends and in between', () => {
    for (const candidate of PARAMETERS) {
      if (candidate.kind === 'choice') continue;
      const { min = 0, max = 1, step = 1 } = candidate;
      expect(valueOfSlider(candidate, 0)).toBe(min);
      expect(valueOfSlider(candidate, 1000)).toBe(max);
      const middle = Number((min + Math.round((max - min) / 3 / step) * step).toFixed(6));
      expect(valueOfSlider(candidate, sliderOf(candidate, middle))).toBeCloseTo(middle, 5);
    }
  });

  it('keeps the slider on its track for values out of range', () => {
    expect(sliderOf(parameter('budgetTokens'), 7)).toBe(0);
    expect(sliderOf(parameter('budgetTokens'), 1e9)).toBe(1000);
  });
});
