/** What the page knows of training LensNet: the engine's last report, and the form of the next run. */
import { create } from 'zustand';
import type { LensTrainingReport } from '../../../runtime/engine/protocol/protocol.ts';
import { DEFAULT_FORM, type TrainingForm } from './training-form.ts';

interface LensTrainingStore {
  readonly report: LensTrainingReport | null;
  readonly form: TrainingForm;
}

export const useLensTraining = create<LensTrainingStore>()(() => ({ report: null, form: DEFAULT_FORM }));

export function acceptLensReport(report: LensTrainingReport): void {
  useLensTraining.setState({ report });
}
