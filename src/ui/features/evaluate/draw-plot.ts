/** What an evaluation plot draws, in marks of Observable Plot. */
import * as Plot from '@observablehq/plot';
import { extent, range, symbolsFill } from 'd3';
import { bottomAxis, drawChart, leftAxis } from '../../widgets/chart.tsx';
import { formatCompact, formatCount } from '../../words/format.ts';
import type { PlotId, Series, SeriesPoint } from './series.ts';

export interface PlotLook {
  /** Pixels there are. */
  readonly width: number;
  /** A policy's place in colours and symbols. */
  readonly slotOf: (policy: string) => number;
}

const COLOURS = 8;
const MARK_RADIUS = 3.75;
const HIT_RADIUS = 9;
const MARGIN = { left: 48, top: 12, right: 18 } as const;
const AXIS_HEIGHT = 40;
const LEGEND_GAP_ABOVE = 8;
const LEGEND_ROW = 18;
const LEGEND_SWATCH = 18;
const LEGEND_GAP = 14;
/** Mean width of a letter of the labels, in pixels: the legend breaks its lines by it. */
const LETTER = 6.4;
const BODY_HEIGHT = 230;
const BAR_HEIGHT = 24;
/** Series that share an x stand this far apart, so that their whiskers can be told from each other. */
const DODGE = 4;
/** Equal accuracy, in the plot of routing × reading. */
const ISO_ACCURACIES = [0.25, 0.5, 0.75, 0.9] as const;

export function drawPlot(plot: PlotId, series: readonly Series[], look: PlotLook): SVGSVGElement {
  const body =
    plot === 'regret'
      ? bars(series, look)
      : plot === 'routing'
        ? scatter(series, look)
        : curves(plot, series, look);
  const legend = plot === 'regret' ? { marks: [], rows: 0 } : legendOf(series, look);
  const bodyHeight = plot === 'regret' ? Math.max(2, series.length) * BAR_HEIGHT : BODY_HEIGHT;
  const marginBottom = AXIS_HEIGHT + (legend.rows > 0 ? LEGEND_GAP_ABOVE + legend.rows * LEGEND_ROW : 0);
  return drawChart({
    width: look.width,
    height: MARGIN.top + bodyHeight + marginBottom,
    marginLeft: MARGIN.left,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom,
    ...body,
    marks: [body.marks, legend.marks],
  });
}

function curves(
  plot: 'distance' | 'length' | 'position' | 'cost',
  series: readonly Series[],
  look: PlotLook,
): Plot.PlotOptions {
  const isShare = plot !== 'position';
  const [low = 1, high = 1] = extent(series.flatMap(({ points }) => points.map(({ x }) => x)));
  const domain = [Math.max(1, low) / 1.3, high * 1.3] as const;
  const heights = extent(
    series.flatMap(({ points }) => points.flatMap(({ y, yCi95 }) => [y, ...(yCi95 ?? [])])),
  );
  const dodge = Math.min(DODGE, 32 / Math.max(1, series.length));
  return {
    x: { type: 'log', base: 2, domain },
    y: isShare || heights[0] === undefined ? { domain: [0, 1] } : { domain: heights, nice: true },
    marks: [
      leftAxis({
        label: isShare ? 'Answered' : 'NLL, nats per token',
        ticks: 5,
        format: isShare ? percent : String,
      }),
      bottomAxis({
        label:
          plot === 'cost'
            ? 'Base tokens a question'
            : plot === 'distance'
              ? 'Distance, tokens'
              : plot === 'length'
                ? 'History, tokens'
                : 'Position, tokens',
        ticks: powersOfTwo(domain, look.width),
        format: (tokens) => (tokens < 100_000 ? formatCount(tokens) : formatCompact(tokens)),
      }),
      series.map((one, i) => {
        const dx = plot === 'cost' ? 0 : (i - (series.length - 1) / 2) * dodge;
        const at = { x: 'x', y: 'y', dx } as const;
        return [
          one.points.length < 2
            ? null
            : Plot.line(one.points, {
                ...at,
                stroke: colourOf(one, look),
                ...(one.isSecond && { strokeDasharray: '5 4' }),
              }),
          verticalWhiskers(one, look, dx),
          symbols(one, look, at),
        ];
      }),
    ],
  };
}

function scatter(series: readonly Series[], look: PlotLook): Plot.PlotOptions {
  const guides = ISO_ACCURACIES.flatMap((accuracy) =>
    Array.from({ length: 33 }, (_, i) => {
      const routing = accuracy + ((1 - accuracy) * i) / 32;
      return { accuracy, routing, reading: accuracy / routing };
    }),
  );
  return {
    x: { domain: [0, 1] },
    y: { domain: [0, 1] },
    marks: [
      leftAxis({ label: 'Reading accuracy', ticks: 5, format: percent }),
      bottomAxis({ label: 'Routing recall', ticks: 5, format: percent }),
      Plot.line(guides, {
        x: 'routing',
        y: 'reading',
        z: 'accuracy',
        stroke: 'var(--plot-grid)',
        strokeWidth: 1,
        strokeDasharray: '2 4',
      }),
      Plot.text(ISO_ACCURACIES, {
        x: 1,
        y: (accuracy: number) => accuracy,
        text: percent,
        textAnchor: 'end',
        dx: -4,
        dy: -8,
      }),
      series.map((one) => [
        verticalWhiskers(one, look),
        horizontalWhiskers(one, look, 'xCi95', { y: 'y' }),
        symbols(one, look, { x: 'x', y: 'y' }),
      ]),
    ],
  };
}

function bars(series: readonly Series[], look: PlotLook): Plot.PlotOptions {
  const values = series.flatMap(({ points }) => points.flatMap(({ y, yCi95 }) => [y, ...(yCi95 ?? [])]));
  const [low = 0, high = 1] = extent([0, 1, ...values]);
  return {
    marginLeft: 14 + LETTER * Math.max(6, ...series.map(({ label }) => label.length)),
    x: { domain: [low, high], nice: 5 },
    y: { type: 'band', domain: series.map(({ label }) => label), padding: 0.3 },
    marks: [
      Plot.gridY({ stroke: 'var(--border)', strokeOpacity: 1 }),
      Plot.axisY({ label: null, tickSize: 0, tickPadding: 8 }),
      bottomAxis({ label: 'Normalised regret', ticks: 5, format: String }),
      series.map((one) => {
        const points = one.points.slice(0, 1);
        const row = { y: () => one.label } as const;
        const colour = colourOf(one, look);
        return [
          Plot.barX(points, {
            x: 'y',
            ...row,
            ...(one.isSecond
              ? { fill: 'none', stroke: colour, strokeDasharray: '5 4' }
              : { fill: colour, fillOpacity: 0.75 }),
          }),
          horizontalWhiskers({ ...one, points }, look, 'yCi95', row),
          hits({ ...one, points }, { x: 'y', ...row }),
        ];
      }),
    ],
  };
}

type Place = Pick<Plot.DotOptions, 'x' | 'y' | 'dx'>;

function verticalWhiskers(series: Series, look: PlotLook, dx = 0): Plot.Markish {
  return Plot.ruleX(
    series.points.filter(({ yCi95 }) => yCi95 !== null),
    { x: 'x', y1: endOf('yCi95', 0), y2: endOf('yCi95', 1), dx, ...whisker(series, look) },
  );
}

function horizontalWhiskers(
  series: Series,
  look: PlotLook,
  interval: 'xCi95' | 'yCi95',
  at: Pick<Place, 'y'>,
): Plot.Markish {
  return Plot.ruleY(
    series.points.filter((point) => point[interval] !== null),
    { x1: endOf(interval, 0), x2: endOf(interval, 1), ...at, ...whisker(series, look) },
  );
}

const endOf = (interval: 'xCi95' | 'yCi95', end: 0 | 1) => (point: SeriesPoint) => point[interval]![end];

const whisker = (series: Series, look: PlotLook) => ({
  stroke: colourOf(series, look),
  strokeWidth: 1.2,
  strokeOpacity: 0.65,
});

/** A point's symbol, and its figures where a pointer rests on it. */
function symbols(series: Series, look: PlotLook, at: Place): Plot.Markish {
  return [Plot.dot(series.points, { ...at, ...symbolOf(series, look) }), hits(series, at)];
}

function hits({ label, points }: Series, at: Place): Plot.Markish {
  return Plot.dot(points, {
    ...at,
    r: HIT_RADIUS,
    fill: 'transparent',
    title: ({ y, n }: SeriesPoint) => `${label}: ${y.toFixed(3)}, n = ${n}`,
  });
}

/** The symbol of a policy, in its colour; the compared report's is hollow. */
function symbolOf(
  { policy, isSecond }: Pick<Series, 'policy' | 'isSecond'>,
  { slotOf }: PlotLook,
): Plot.DotOptions {
  const colour = colourAt(slotOf(policy));
  return {
    symbol: symbolAt(slotOf(policy)),
    r: MARK_RADIUS,
    ...(isSecond
      ? { fill: 'var(--panel)', stroke: colour, strokeWidth: 1.6 }
      : { fill: colour, stroke: 'var(--panel)', strokeWidth: 0.8 }),
  };
}

/** Symbols of the series, each with its name, in as many rows as they need. */
function legendOf(
  series: readonly Series[],
  look: PlotLook,
): { readonly marks: Plot.Markish[]; readonly rows: number } {
  const limit = look.width - MARGIN.left;
  let x = 0;
  let row = 0;
  const marks = series.map((one) => {
    const needed = LEGEND_SWATCH + one.label.length * LETTER + LEGEND_GAP;
    if (x > 0 && x + needed > limit) {
      x = 0;
      row++;
    }
    const dy = AXIS_HEIGHT + LEGEND_GAP_ABOVE + row * LEGEND_ROW;
    const at = { frameAnchor: 'bottom-left', dy } as const;
    const entry = [
      Plot.dot([one], { ...at, dx: x + LEGEND_SWATCH / 3, ...symbolOf(one, look) }),
      Plot.text([one.label], { ...at, dx: x + LEGEND_SWATCH, textAnchor: 'start', lineAnchor: 'middle' }),
    ];
    x += needed;
    return entry;
  });
  return { marks, rows: series.length === 0 ? 0 : row + 1 };
}

export const colourAt = (slot: number): string => `var(--series-${slot % COLOURS})`;
export const symbolAt = (slot: number) => symbolsFill[slot % symbolsFill.length]!;
const colourOf = ({ policy }: Series, { slotOf }: PlotLook): string => colourAt(slotOf(policy));

const percent = (share: number): string => `${Math.round(share * 100)}%`;

/** As many powers of two as fit without their labels touching. */
function powersOfTwo([low, high]: readonly [number, number], width: number): number[] {
  const first = Math.ceil(Math.log2(low));
  const last = Math.floor(Math.log2(high));
  const fit = Math.max(2, Math.floor((width - MARGIN.left - MARGIN.right) / 52));
  const every = Math.max(1, Math.ceil((last - first + 1) / fit));
  return range(first, last + 1, every).map((power) => 2 ** power);
}
