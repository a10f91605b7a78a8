/** The slider of a parameter: its positions and the values that they stand for. Pure. */
import type { NumericParameter } from '../../../core/parameters/parameters.ts';

/** Wide ranges move on a logarithmic slider, so that small values can be reached. */
function isLogarithmic({ min, max }: NumericParameter): boolean {
  return min >= 0 && max >= 4096;
}

const SLIDER_STEPS = 1000;

/** Slider position 0..1000 of a value; one out of range, as it may be while it is typed, sits at the end. */
export function sliderOf(parameter: NumericParameter, typed: number): number {
  const { min, max } = parameter;
  const value = Math.min(Math.max(typed, min), max);
  if (!isLogarithmic(parameter)) return ((value - min) / (max - min)) * SLIDER_STEPS;
  return (Math.log1p(value - min) / Math.log1p(max - min)) * SLIDER_STEPS;
}

/** The value at a slider position, on the parameter's step. */
export function valueOfSlider(parameter: NumericParameter, position: number): number {
  const { min, max, step } = parameter;
  const share = position / SLIDER_STEPS;
  const raw = isLogarithmic(parameter)
    ? min + Math.expm1(share * Math.log1p(max - min))
    : min + share * (max - min);
  const stepped = min + Math.round((raw - min) / step) * step;
  return Number(Math.min(Math.max(stepped, min), max).toFixed(6));
}
