/** The form of a training run: what may be entered, and what it means. Pure. */
import { readNumber } from '../../../base/read-number.ts';
import type { LensTrainingOptions } from '../../../runtime/engine/protocol/protocol.ts';

export type TrainingField = keyof LensTrainingOptions;
export type TrainingForm = Readonly<Record<TrainingField, string>>;

export const DEFAULT_FORM: TrainingForm = {
  states: '36',
  questions: '36',
  steps: '60',
  learningRate: '0.0003',
  seed: '1',
};

interface FieldRule {
  readonly id: TrainingField;
  readonly label: string;
  readonly hint: string;
  readonly min: number;
  readonly max: number;
  readonly isWhole: boolean;
}

export const TRAINING_FIELDS: readonly FieldRule[] = [
  { id: 'states', label: 'Places', hint: 'whose moves are measured', min: 0, max: 500, isWhole: true },
  { id: 'questions', label: 'Questions', hint: 'made of its sentences', min: 0, max: 500, isWhole: true },
  { id: 'steps', label: 'Steps', hint: 'of 4 places or questions', min: 1, max: 5000, isWhole: true },
  { id: 'learningRate', label: 'Learning rate', hint: 'at its peak', min: 1e-6, max: 0.1, isWhole: false },
  { id: 'seed', label: 'Seed', hint: 'repeats a run', min: 0, max: 2 ** 31 - 1, isWhole: true },
];

export type FormReading =
  | { readonly ok: true; readonly options: LensTrainingOptions }
  | { readonly ok: false; readonly errors: Partial<Record<TrainingField, string>> };

export function readForm(form: TrainingForm): FormReading {
  const errors: Partial<Record<TrainingField, string>> = {};
  const options: Record<TrainingField, number> = { states: 0, questions: 0, steps: 0, learningRate: 0, seed: 0 };
  for (const { id, min, max, isWhole } of TRAINING_FIELDS) {
    const reading = readNumber(form[id], { min, max, whole: isWhole });
    if (reading.ok) options[id] = reading.value;
    else errors[id] = `${isWhole ? 'A whole number' : 'A number'} from ${min} to ${max}: ${reading.message}.`;
  }
  return Object.keys(errors).length === 0 ? { ok: true, options } : { ok: false, errors };
}
