/** Reads what was typed into a parameter's field. Pure. */
import type { ParameterDescription } from '../../../core/trace/parameters.ts';
import { formatValue } from '../../words/format.ts';

type ParameterReading =
  { readonly ok: true; readonly value: number } | { readonly ok: false; readonly message: string };

/** A number within the parameter's range, or a sentence that says what is wrong. */
export function readParameter(parameter: ParameterDescription, typed: string): ParameterReading {
  const text = typed.trim().replaceAll(',', '');
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) return { ok: false, message: `“${typed}” is not a number.` };
  if (parameter.kind === 'integer' && !Number.isInteger(value)) {
    return { ok: false, message: 'Only whole numbers.' };
  }
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = parameter;
  if (value < min || value > max) {
    return { ok: false, message: `Between ${formatValue(min)} and ${formatValue(max)}.` };
  }
  return { ok: true, value };
}

/** Wide ranges move on a logarithmic slider, so that small values can be reached. */
function isLogarithmic({ min = 0, max = 1 }: ParameterDescription): boolean {
  return min >= 0 && max >= 4096;
}

const SLIDER_STEPS = 1000;

/** Slider position 0..1000 of a value; one out of range, as it may be while it is typed, sits at the end. */
export function sliderOf(parameter: ParameterDescription, typed: number): number {
  const { min = 0, max = 1 } = parameter;
  const value = Math.min(Math.max(typed, min), max);
  if (!isLogarithmic(parameter)) return ((value - min) / (max - min)) * SLIDER_STEPS;
  return (Math.log1p(value - min) / Math.log1p(max - min)) * SLIDER_STEPS;
}

/** The value at a slider position, on the parameter's step. */
export function valueOfSlider(parameter: ParameterDescription, position: number): number {
  const { min = 0, max = 1, step = 1 } = parameter;
  const share = position / SLIDER_STEPS;
  const raw = isLogarithmic(parameter)
    ? min + Math.expm1(share * Math.log1p(max - min))
    : min + share * (max - min);
  const stepped = min + Math.round((raw - min) / step) * step;
  return Number(Math.min(Math.max(stepped, min), max).toFixed(6));
}
