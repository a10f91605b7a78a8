/** Where the two axes carry ticks, and what stands beside them. Pure; the screen and exported pictures share it. */
import { format, scaleLinear } from 'd3';
import type { Frame } from '../../model/frame.ts';
import { formatCompact } from '../../words/format.ts';
import type { TimelineLayout } from './frame-layout.ts';
import type { StepWindow } from '../../model/step-axis.ts';
import type { TokenWindow } from '../../model/token-axis.ts';

export interface Tick {
  readonly value: number;
  /** Pixels from the axis's beginning. */
  readonly at: number;
  readonly label: string;
}

const TOKEN_TICK_WIDTH = 90;
const STEP_TICK_HEIGHT = 56;
const grouped = format(',d');

/** Ticks of the token axis; those between two tokens have no label. */
export function tokenTicks(window: TokenWindow, layout: TimelineLayout): readonly Tick[] {
  const scale = scaleLinear()
    .domain([window.start, window.end])
    .range([layout.left, layout.left + layout.matrixWidth]);
  const isWide = window.end - window.start > 20_000;
  const label = (token: number) => (isWide ? formatCompact(token) : grouped(token));
  return scale
    .ticks(Math.max(2, Math.round(layout.matrixWidth / TOKEN_TICK_WIDTH)))
    .map((value) => ({ value, at: scale(value), label: Number.isInteger(value) ? label(value) : '' }));
}

/** Ticks of the step axis, at the middle of the rows of recorded steps. */
export function stepTicks(
  steps: StepWindow,
  layout: TimelineLayout,
  frameAt: (index: number) => Pick<Frame, 'step'> | undefined,
): readonly Tick[] {
  const firstStep = frameAt(0)?.step ?? 0;
  const top = steps.top + firstStep - 0.5;
  const scale = scaleLinear()
    .domain([top, top + layout.height / steps.rowHeight])
    .range([0, layout.height]);
  return scale
    .ticks(Math.max(2, Math.round(layout.height / STEP_TICK_HEIGHT)))
    .filter((step) => Number.isInteger(step) && frameAt(step - firstStep))
    .map((value) => ({
      value,
      at: scale(value),
      label: value >= 100_000 ? formatCompact(value) : grouped(value),
    }));
}
