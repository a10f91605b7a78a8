/** What the evaluation form holds, and how its text becomes options of a run. Pure. */
import { readNumber } from '../../../base/read-number.ts';
import type { EvaluationCatalogue, EvaluationRequest } from '../../../runtime/engine/protocol/evaluation.ts';

export interface EvaluateForm {
  readonly suite: string;
  readonly tasks: readonly string[];
  readonly policies: readonly string[];
  /** Ways to read. */
  readonly arms: readonly string[];
  readonly templates: EvaluationRequest['templates'];
  /** As `4x, 16x, 4096`: multiples of the budget, or tokens. */
  readonly lengths: string;
  readonly samples: string;
  readonly budget: string;
  readonly seed: string;
}

export type FormField = keyof EvaluateForm;
export type FormErrors = Partial<Record<FormField, string>>;
export type FormReading =
  | { readonly ok: true; readonly options: EvaluationRequest }
  | { readonly ok: false; readonly errors: FormErrors };

const BUDGET = { min: 64, max: 32_768 } as const;
const SAMPLES = { min: 1, max: 10_000 } as const;
const SEED = { min: 0, max: 2_147_483_647 } as const;
const LENGTH = { min: 64, max: 2_000_000 } as const;
const MOST_LENGTHS = 16;
/** Digits in threes with a separator that also parts the list. */
const AMBIGUOUS_LENGTHS = /(?<![\d.,])[1-9]\d{0,2}(?:[,\s]\d{3})+(?![\d.x×])/;

/**
 * The options that the form asks for, or what is wrong with each field.
 *
 * @param takes - what the suite compares, where it leaves a choice.
 */
export function readForm(form: EvaluateForm, takes: Compared = 'policies'): FormReading {
  const errors: Record<string, string> = {};
  const integer = (field: 'samples' | 'budget' | 'seed', limits: Limits): number => {
    const reading = readNumber(form[field], { ...limits, whole: true });
    if (reading.ok) return reading.value;
    errors[field] = `A whole number from ${words(limits.min)} to ${words(limits.max)}: ${reading.message}.`;
    return limits.min;
  };
  const budgetTokens = integer('budget', BUDGET);
  const samples = integer('samples', SAMPLES);
  const seed = integer('seed', SEED);
  const unclear = AMBIGUOUS_LENGTHS.exec(form.lengths)?.[0];
  const historyTokens = unclear === undefined ? lengthsOf(form.lengths, budgetTokens) : null;
  if (unclear !== undefined) {
    errors['lengths'] =
      `“${unclear}” may be one length or two: write ${unclear.replaceAll(/\D/g, '')} or ${unclear.replaceAll(/\D/g, '; ')}.`;
  } else if (historyTokens === null) {
    errors['lengths'] =
      `Multiples of the budget or tokens, from ${words(LENGTH.min)} to ${words(LENGTH.max)} tokens, at most ${MOST_LENGTHS}: 4x, 16x, 4096.`;
  }
  if (form.tasks.length === 0) errors['tasks'] = 'Choose at least one.';
  if (takes !== null && form[takes].length === 0) errors[takes] = 'Choose at least one.';
  if (Object.keys(errors).length > 0 || historyTokens === null) return { ok: false, errors };
  const { suite, tasks, templates } = form;
  return {
    ok: true,
    options: {
      suite,
      tasks: [...tasks],
      policies: takes === 'policies' ? [...form.policies] : [],
      arms: takes === 'arms' ? [...form.arms] : [],
      templates,
      historyTokens,
      samples,
      seed,
      budgetTokens,
    },
  };
}

/** What a suite compares: policies, ways to read, or something that leaves no choice. */
export type Compared = 'policies' | 'arms' | null;

/** What a suite compares. */
export function comparedBy({
  arms,
  defaultPolicies,
}: Pick<EvaluationCatalogue['suites'][number], 'arms' | 'defaultPolicies'>): Compared {
  if (arms.length > 0) return 'arms';
  return defaultPolicies.length > 0 ? 'policies' : null;
}

interface Limits {
  readonly min: number;
  readonly max: number;
}

const words = (value: number): string => value.toLocaleString('en-US');

/** Ascending and without repetition; null where something is no length. */
function lengthsOf(text: string, budgetTokens: number): number[] | null {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  const lengths = parts.map((part) => {
    const multiple = /^(\d+(?:\.\d+)?)[x×]$/.exec(part);
    if (multiple) return Math.round(Number(multiple[1]) * budgetTokens);
    const reading = readNumber(part, { ...LENGTH, whole: true });
    return reading.ok ? reading.value : null;
  });
  const valid = lengths.filter((length) => length !== null && length >= LENGTH.min && length <= LENGTH.max);
  if (parts.length === 0 || valid.length < parts.length || parts.length > MOST_LENGTHS) return null;
  return [...new Set(valid as number[])].sort((a, b) => a - b);
}
