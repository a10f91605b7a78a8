/** The metrics of two runs up to a playhead, and their differences. Pure. */
import { MetricsAccumulator } from './metrics.ts';
import type { StepMetrics } from './metrics.ts';
import type { ComparedFrame } from './divergence.ts';

/** A frame with what was measured of it. */
export interface MeasuredFrame extends ComparedFrame, StepMetrics {
  readonly trigger: 'block' | 'turn-end' | 'manual';
}

export interface MeasuredRun {
  readonly frameCount: number;
  frameAt(index: number): MeasuredFrame | undefined;
  deltaNllAt(index: number): { readonly deltaNll: number | null } | undefined;
  /** Milliseconds of each stage of the step. */
  latenciesAt(index: number): ArrayLike<number> | undefined;
}

/** In the order of the table. */
export const COMPARED_METRICS = [
  'historyTokens',
  'refocuses',
  'swapRate',
  'flipRate',
  'meanResidency',
  'utilisation',
  'coherence',
  'deltaNll',
  'expansions',
  'collapses',
  'forcedCollapses',
  'evictions',
  'refused',
  'stagesMs',
] as const;
export type ComparedMetric = (typeof COMPARED_METRICS)[number];

/** Every metric of the run's beginning up to any frame; a mean of nothing is null. */
export class RunningMetrics {
  private readonly columns: Readonly<Record<ComparedMetric, Float64Array>>;

  /** O(frames). The run may grow afterwards; what is added is not seen. */
  constructor(run: MeasuredRun) {
    const count = run.frameCount;
    const column = () => new Float64Array(count);
    this.columns = Object.fromEntries(COMPARED_METRICS.map((id) => [id, column()])) as Record<
      ComparedMetric,
      Float64Array
    >;
    const totals = new MetricsAccumulator();
    const coherence = new Mean();
    const deltaNll = new Mean();
    const stagesMs = new Mean();
    let refused = 0;
    for (let index = 0; index < count; index++) {
      const frame = run.frameAt(index)!;
      const { actions } = frame;
      // A move by hand makes a frame of its own, without a refocus.
      const isByHand = frame.trigger === 'manual' && frame.scores.length === 0 && frame.entryCount > 0;
      if (isByHand) totals.addActions(frame.step, actions);
      else totals.addRefocus(frame.step, frame, actions);
      refused += actions.filter(({ applied }) => !applied).length;
      coherence.add(frame.coherence);
      deltaNll.add(run.deltaNllAt(index)?.deltaNll);
      const stages = run.latenciesAt(index);
      stagesMs.add(stages && Array.from(stages).reduce((sum, ms) => sum + ms, 0));
      const so = totals.totals();
      this.set(index, {
        ...so,
        historyTokens: frame.cursor,
        refused,
        coherence: coherence.value,
        deltaNll: deltaNll.value,
        stagesMs: stagesMs.value,
      });
    }
  }

  /** The metrics of the frames up to `index`; all null before the first. */
  at(index: number): Readonly<Record<ComparedMetric, number | null>> {
    const read = (id: ComparedMetric) => {
      const value = this.columns[id][index];
      return value === undefined || Number.isNaN(value) ? null : value;
    };
    return Object.fromEntries(COMPARED_METRICS.map((id) => [id, read(id)])) as Record<
      ComparedMetric,
      number | null
    >;
  }

  private set(index: number, values: Readonly<Record<ComparedMetric, number>>): void {
    for (const id of COMPARED_METRICS) this.columns[id][index] = values[id];
  }
}

/** A running mean; NaN while nothing was added. */
class Mean {
  private sum = 0;
  private count = 0;

  get value(): number {
    return this.sum / this.count;
  }

  add(value: number | null | undefined): void {
    if (value === null || value === undefined) return;
    this.sum += value;
    this.count++;
  }
}

export interface MetricDifference {
  readonly id: ComparedMetric;
  readonly a: number | null;
  readonly b: number | null;
  /** b - a; null where either is. */
  readonly difference: number | null;
}

export function metricDifferences(
  a: Readonly<Record<ComparedMetric, number | null>>,
  b: Readonly<Record<ComparedMetric, number | null>>,
): readonly MetricDifference[] {
  return COMPARED_METRICS.map((id) => {
    const [left, right] = [a[id], b[id]];
    return { id, a: left, b: right, difference: left === null || right === null ? null : right - left };
  });
}
