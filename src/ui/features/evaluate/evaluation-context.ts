/** The evaluation as the parts of its dialog read it. */
import { useStore } from 'zustand';
import { createInstanceContext } from '../../view/instance-context.ts';
import type { Evaluation, EvaluationState } from './evaluation.ts';

export const [EvaluationContext, useEvaluation] = createInstanceContext<Evaluation>('evaluation');

export function useEvaluationState<T>(selector: (state: EvaluationState) => T): T {
  return useStore(useEvaluation().store, selector);
}
