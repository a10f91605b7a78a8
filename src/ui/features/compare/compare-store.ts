/** What the comparison shows and where its playhead stands. Small facts only: the runs are in comparison.ts. */
import { create } from 'zustand';
import type { AlignmentKey } from '../../../core/trace/divergence.ts';
import type { StepWindow } from '../timeline/step-axis.ts';
import type { TokenWindow } from '../timeline/token-axis.ts';

export type Side = 'a' | 'b';
export const SIDES: readonly Side[] = ['a', 'b'];

/** A run that can be compared. */
export interface RunChoice {
  /** `live`, `recording`, `example`, `session:…` or `file:…`. */
  readonly id: string;
  readonly title: string;
}

interface CompareStore {
  readonly a: RunChoice | null;
  readonly b: RunChoice | null;
  /** Trace files that were opened here, newest last. */
  readonly files: readonly RunChoice[];
  readonly loading: Side | null;
  readonly mode: 'sides' | 'overlaid';
  readonly by: AlignmentKey;
  /** Where the playhead stands, of so many places. */
  readonly place: number;
  readonly count: number;
  readonly playing: boolean;
  readonly speed: number;
  readonly tokens: TokenWindow;
  readonly steps: StepWindow;
  /** Grows when the runs or what is known of them change. */
  readonly version: number;
}

export const useCompare = create<CompareStore>()(() => ({
  a: null,
  b: null,
  files: [],
  loading: null,
  mode: 'sides',
  by: 'step',
  place: 0,
  count: 0,
  playing: false,
  speed: 1,
  tokens: { start: 0, end: 256 },
  steps: { top: 0, rowHeight: 8 },
  version: 0,
}));
