/** The loss and the calibration of a training run, with their words for those who do not see them. */
import { symbol, symbolCircle, symbolTriangle } from 'd3';
import { useState } from 'react';
import type { LossPoint, RoutingMeasure } from '../../../runtime/engine/protocol/protocol.ts';
import { Chart } from '../../widgets/chart.tsx';
import { MOVE_MARKS, drawCalibration, drawLoss } from './draw-training.ts';

const SAMPLE_AREA = 26;
const SAMPLES = {
  expand: symbol(symbolCircle, SAMPLE_AREA)() ?? '',
  collapse: symbol(symbolTriangle, SAMPLE_AREA)() ?? '',
} as const;

interface LossPlotProps {
  readonly losses: readonly LossPoint[];
  readonly steps: number;
}

export function LossPlot({ losses, steps }: LossPlotProps) {
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
      <Chart label={words} draw={() => drawLoss(losses, steps)} />
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
      <Chart
        label={`${shown.points.length} measured moves of ${shown.states} held-out places; rank correlation of score and worth: ${spearman}.`}
        draw={() => drawCalibration(shown.points, other)}
      />
    </figure>
  );
}

function MarkSample({ kind }: { readonly kind: keyof typeof MOVE_MARKS }) {
  return (
    <svg width="10" height="10" viewBox="-5 -5 10 10" aria-hidden>
      <path fill={MOVE_MARKS[kind].colour} d={SAMPLES[kind]} />
    </svg>
  );
}
