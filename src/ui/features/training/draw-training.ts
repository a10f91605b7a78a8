/** The loss and the calibration of a training run, in marks of Observable Plot. */
import * as Plot from '@observablehq/plot';
import { extent, max, ticks } from 'd3';
import type { CalibrationPoint, LossPoint } from '../../../runtime/engine/protocol/protocol.ts';
import { bottomAxis, drawChart, leftAxis } from '../../widgets/chart.tsx';

/** Pixels; the stylesheet scales them. */
const SIZE = { width: 400, height: 220, marginLeft: 60, marginRight: 10, marginTop: 10, marginBottom: 40 } as const;

/** Steps that the trend averages. */
const TREND_STEPS = 8;

/**
 * Each step's loss thin; bold the mean of the last steps, which is what the eye should follow.
 *
 * @param steps - how many the run will take, so that the axis stands still.
 */
export function drawLoss(losses: readonly LossPoint[], steps: number): SVGSVGElement {
  const last = Math.max(2, steps);
  const at = { x: 'step', y: 'total', stroke: 'var(--series-0)' } as const;
  return drawChart({
    ...SIZE,
    x: { domain: [1, last] },
    y: { domain: [0, max(losses, ({ total }) => total) ?? 1], nice: 4 },
    marks: [
      leftAxis({ label: 'loss', ticks: 4, format: (loss) => loss.toFixed(2) }),
      bottomAxis({ label: 'step', ticks: ticks(1, last, 5).filter(Number.isInteger), format: String }),
      Plot.line(losses, { ...at, strokeWidth: 1, strokeOpacity: 0.45 }),
      Plot.line(losses, Plot.windowY({ k: TREND_STEPS, anchor: 'end' }, { ...at, strokeWidth: 2 })),
    ],
  });
}

/** How each kind of move is marked, here and in the caption. */
export const MOVE_MARKS = {
  expand: { symbol: 'circle', colour: 'var(--series-0)' },
  collapse: { symbol: 'triangle', colour: 'var(--series-1)' },
} as const;

/**
 * x is the score, y the measured worth of detail.
 *
 * @param others - the other measure's points: both share the scale so that they can be compared.
 */
export function drawCalibration(
  points: readonly CalibrationPoint[],
  others: readonly CalibrationPoint[],
): SVGSVGElement {
  const [low, high] = extent([-0.01, 0.01, ...[...points, ...others].map(({ detailNats }) => detailNats)]);
  const digits = high! - low! < 0.2 ? 3 : 2;
  const signed = (value: number, places: number) => value.toFixed(places).replace('-', '−');
  return drawChart({
    ...SIZE,
    x: { domain: [-1, 1] },
    y: { domain: [low!, high!], nice: 4 },
    marks: [
      leftAxis({ label: 'worth, nats per token', ticks: 4, format: (nats) => signed(nats, digits) }),
      bottomAxis({ label: 'score', ticks: 5, format: (score) => signed(score, 1) }),
      // Where detail is worth nothing.
      Plot.ruleY([0], { stroke: 'var(--plot-grid)', strokeDasharray: '2 4' }),
      Plot.dot(points, {
        x: 'score',
        y: 'detailNats',
        r: 2.9,
        symbol: ({ kind }: CalibrationPoint) => MOVE_MARKS[kind].symbol,
        fill: ({ kind }: CalibrationPoint) => MOVE_MARKS[kind].colour,
        stroke: 'var(--panel)',
        strokeWidth: 0.8,
      }),
    ],
  });
}
