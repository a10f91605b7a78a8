/** Draws the loss and the calibration of a training run, with their words for those who do not see them. */
import { symbol, symbolCircle, symbolTriangle } from 'd3';
import { useState } from 'react';
import type { LossPoint, RoutingMeasure } from '../../../runtime/engine/protocol/protocol.ts';
import { PLOT, type Tick, layOutCalibration, layOutLoss } from './plot-layout.ts';

const MARK_AREA = 26;
const MARKS = {
  expand: symbol(symbolCircle, MARK_AREA)() ?? '',
  collapse: symbol(symbolTriangle, MARK_AREA)() ?? '',
} as const;

interface LossPlotProps {
  readonly losses: readonly LossPoint[];
  readonly steps: number;
}

export function LossPlot({ losses, steps }: LossPlotProps) {
  const { steps: path, trend, xTicks, yTicks } = layOutLoss(losses, steps);
  const [first, last] = [losses[0], losses.at(-1)];
  const words =
    first && last
      ? `Training loss: ${first.total.toFixed(3)} at step 1, ${last.total.toFixed(3)} at step ${last.step} of ${steps}.`
      : 'No step was taken yet.';
  return (
    <figure className="plot" aria-label="Training loss">
      <figcaption>
        <h3>Training loss</h3>
        <p className="muted small">Each step thin, their running mean bold.</p>
      </figcaption>
      <svg role="img" aria-label={words} viewBox={`0 0 ${PLOT.width} ${PLOT.height}`}>
        <PlotAxes xTicks={xTicks} yTicks={yTicks} xLabel="step" yLabel="loss" />
        <path className="plot-line lens-step" d={path} />
        <path className="plot-line lens-trend" d={trend} />
      </svg>
    </figure>
  );
}

interface CalibrationPlotProps {
  readonly before: RoutingMeasure;
  readonly after: RoutingMeasure | null;
}

export function CalibrationPlot({ before, after }: CalibrationPlotProps) {
  const [showsBefore, setShowsBefore] = useState(false);
  const isBefore = showsBefore || after === null;
  const shown = isBefore ? before : after;
  const other = (isBefore ? after : before)?.points ?? [];
  const { marks, zero, xTicks, yTicks } = layOutCalibration(shown.points, other);
  const spearman = shown.spearman === null ? 'undefined' : shown.spearman.toFixed(2);
  return (
    <figure className="plot" aria-label="Calibration">
      <figcaption>
        <h3>Calibration, held out</h3>
        <div className="segmented" role="group" aria-label="Shown LensNet">
          <button
            type="button"
            aria-pressed={isBefore}
            onClick={() => {
              setShowsBefore(true);
            }}
          >
            Before
          </button>
          <button
            type="button"
            aria-pressed={!isBefore}
            disabled={after === null}
            onClick={() => {
              setShowsBefore(false);
            }}
          >
            {after === null ? 'After' : `Step ${after.step}`}
          </button>
        </div>
        <p className="muted small">
          <MarkSample kind="expand" /> expansions, <MarkSample kind="collapse" /> collapses; higher is worth
          more.
        </p>
      </figcaption>
      <svg
        role="img"
        aria-label={`${shown.points.length} measured moves of ${shown.states} held-out places; rank correlation of score and worth: ${spearman}.`}
        viewBox={`0 0 ${PLOT.width} ${PLOT.height}`}
      >
        <PlotAxes xTicks={xTicks} yTicks={yTicks} xLabel="score" yLabel="worth, nats per token" />
        <line className="plot-guide" x1={PLOT.left} x2={PLOT.right} y1={zero} y2={zero} />
        {marks.map(({ x, y, kind }, i) => (
          <path
            key={i}
            className={`lens-mark lens-${kind}`}
            transform={`translate(${x.toFixed(1)},${y.toFixed(1)})`}
            d={MARKS[kind]}
          />
        ))}
      </svg>
    </figure>
  );
}

function MarkSample({ kind }: { readonly kind: keyof typeof MARKS }) {
  return (
    <svg className="lens-sample" width="10" height="10" viewBox="-5 -5 10 10" aria-hidden>
      <path className={`lens-mark lens-${kind}`} d={MARKS[kind]} />
    </svg>
  );
}

interface PlotAxesProps {
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
  readonly xLabel: string;
  readonly yLabel: string;
}

function PlotAxes({ xTicks, yTicks, xLabel, yLabel }: PlotAxesProps) {
  const { left, right, top, bottom } = PLOT;
  return (
    <g>
      {yTicks.map(({ at, label }) => (
        <g key={label}>
          <line className="plot-grid" x1={left} x2={right} y1={at} y2={at} />
          <text className="plot-text" x={left - 6} y={at} dy="0.32em" textAnchor="end">
            {label}
          </text>
        </g>
      ))}
      {xTicks.map(({ at, label }) => (
        <g key={label}>
          <line className="plot-tick" x1={at} x2={at} y1={bottom} y2={bottom + 4} />
          <text className="plot-text" x={at} y={bottom + 16} textAnchor="middle">
            {label}
          </text>
        </g>
      ))}
      <line className="plot-axis" x1={left} x2={right} y1={bottom} y2={bottom} />
      <text className="plot-text" x={(left + right) / 2} y={bottom + 33} textAnchor="middle">
        {xLabel}
      </text>
      <text
        className="plot-text"
        transform={`translate(9,${(top + bottom) / 2}) rotate(-90)`}
        textAnchor="middle"
      >
        {yLabel}
      </text>
    </g>
  );
}
