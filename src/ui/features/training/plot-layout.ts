/** Where everything of the two training plots stands, in pixels. Pure; training-plots.tsx draws it. */
import { extent, line, max, mean, scaleLinear } from 'd3';
import type { CalibrationPoint, LossPoint } from '../../../runtime/engine/protocol/protocol.ts';

export const PLOT = { width: 400, height: 220, left: 60, right: 390, top: 10, bottom: 180 } as const;

export interface Tick {
  readonly at: number;
  readonly label: string;
}

interface Axes {
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
}

export interface LossLayout extends Axes {
  /** Each step's loss. */
  readonly steps: string;
  /** Mean of the last steps: what the eye should follow. */
  readonly trend: string;
}

/** Steps that the trend averages. */
const TREND_STEPS = 8;

/** @param steps - how many the run will take, so that the axis stands still. */
export function layOutLoss(losses: readonly LossPoint[], steps: number): LossLayout {
  const x = scaleLinear([1, Math.max(2, steps)], [PLOT.left, PLOT.right]);
  const y = scaleLinear([0, max(losses, ({ total }) => total) ?? 1], [PLOT.bottom, PLOT.top]).nice(4);
  const trend = losses.map(({ step }, i) => {
    const total = mean(losses.slice(Math.max(0, i + 1 - TREND_STEPS), i + 1), (point) => point.total)!;
    return { step, total };
  });
  const draw = line<{ readonly step: number; readonly total: number }>(
    (point) => x(point.step),
    (point) => y(point.total),
  );
  return {
    steps: draw(losses) ?? '',
    trend: draw(trend) ?? '',
    xTicks: x
      .ticks(5)
      .filter(Number.isInteger)
      .map((step) => ({ at: x(step), label: String(step) })),
    yTicks: y.ticks(4).map((loss) => ({ at: y(loss), label: loss.toFixed(2) })),
  };
}

export interface CalibrationMark {
  readonly x: number;
  readonly y: number;
  readonly kind: CalibrationPoint['kind'];
}

export interface CalibrationLayout extends Axes {
  readonly marks: readonly CalibrationMark[];
  /** Where detail is worth nothing. */
  readonly zero: number;
}

/** x is the score, y the measured worth of detail; both measures share the scale so that they can be compared. */
export function layOutCalibration(
  points: readonly CalibrationPoint[],
  others: readonly CalibrationPoint[],
): CalibrationLayout {
  const [low = 0, high = 0] = extent([...points, ...others], ({ detailNats }) => detailNats);
  const x = scaleLinear([-1, 1], [PLOT.left, PLOT.right]);
  const y = scaleLinear([Math.min(low, -0.01), Math.max(high, 0.01)], [PLOT.bottom, PLOT.top]).nice(4);
  const digits = y.domain()[1]! - y.domain()[0]! < 0.2 ? 3 : 2;
  return {
    marks: points.map(({ score, detailNats, kind }) => ({ x: x(score), y: y(detailNats), kind })),
    zero: y(0),
    xTicks: x.ticks(5).map((score) => ({ at: x(score), label: score.toFixed(1).replace('-', '−') })),
    yTicks: y.ticks(4).map((nats) => ({ at: y(nats), label: nats.toFixed(digits).replace('-', '−') })),
  };
}
