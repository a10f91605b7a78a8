/** Where everything of a plot stands, in pixels. Pure; plot-figure.tsx draws it. */
import { line, scaleBand, scaleLinear, scaleLog } from 'd3';
import { formatCompact, formatCount } from '../../words/format.ts';
import type { PlotId, Series, SeriesPoint } from './series.ts';

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface Segment {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

export interface Mark {
  readonly x: number;
  readonly y: number;
  readonly whiskers: readonly Segment[];
  readonly point: SeriesPoint;
}

interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface DrawnSeries {
  readonly series: Series;
  /** Joins the marks; null where there is nothing to join. */
  readonly path: string | null;
  readonly marks: readonly Mark[];
  readonly bars: readonly Rect[];
}

export interface PlotGeometry {
  readonly width: number;
  readonly height: number;
  /** The area of the data. */
  readonly frame: {
    readonly left: number;
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
  };
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
  readonly xLabel: string;
  readonly yLabel: string;
  /** Thin curves behind the data, labelled at their end. */
  readonly guides: readonly {
    readonly path: string;
    readonly label: string;
    readonly x: number;
    readonly y: number;
  }[];
  readonly drawn: readonly DrawnSeries[];
  readonly legend: readonly { readonly series: Series; readonly x: number; readonly y: number }[];
}

const MARGIN = { left: 48, top: 12, right: 14 } as const;
const AXIS_HEIGHT = 40;
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

/** Lay out a plot. @param width - pixels there are. */
export function layOut(plot: PlotId, series: readonly Series[], width: number): PlotGeometry {
  const legend = legendOf(plot === 'regret' ? [] : series, width);
  const legendRows = legend.length === 0 ? 0 : legend.at(-1)!.row + 1;
  const body = plot === 'regret' ? Math.max(2, series.length) * BAR_HEIGHT : BODY_HEIGHT;
  const left = plot === 'regret' ? labelWidth(series) : MARGIN.left;
  const frame = { left, top: MARGIN.top, right: width - MARGIN.right, bottom: MARGIN.top + body };
  const legendTop = frame.bottom + AXIS_HEIGHT + 8;
  const drawn =
    plot === 'regret'
      ? bars(series, frame)
      : plot === 'routing'
        ? scatter(series, frame)
        : curves(plot, series, frame);
  return {
    width,
    height: frame.bottom + AXIS_HEIGHT + (legendRows > 0 ? 8 + legendRows * LEGEND_ROW : 0),
    frame,
    guides: [],
    ...drawn,
    legend: legend.map(({ series: one, x, row }) => ({ series: one, x, y: legendTop + row * LEGEND_ROW })),
  };
}

type Frame = PlotGeometry['frame'];
type Drawn = Pick<PlotGeometry, 'xTicks' | 'yTicks' | 'xLabel' | 'yLabel' | 'drawn'> &
  Partial<Pick<PlotGeometry, 'guides'>>;

function curves(plot: 'distance' | 'length' | 'position', series: readonly Series[], frame: Frame): Drawn {
  const points = series.flatMap((one) => one.points);
  const [low, high] = extent(points.map((point) => point.x));
  const x = scaleLog([Math.max(1, low) / 1.3, high * 1.3], [frame.left, frame.right]).base(2);
  const isShare = plot !== 'position';
  const y = isShare
    ? scaleLinear([0, 1], [frame.bottom, frame.top])
    : scaleLinear(extent(points.flatMap((point) => [point.y, ...(point.yCi95 ?? [])])), [
        frame.bottom,
        frame.top,
      ]).nice();
  const draw = line<Mark>(
    (mark) => mark.x,
    (mark) => mark.y,
  );
  const drawn = series.map((one, i): DrawnSeries => {
    const shift = (i - (series.length - 1) / 2) * Math.min(DODGE, 32 / Math.max(1, series.length));
    const marks = one.points.map((point): Mark => {
      const at = x(point.x) + shift;
      const whiskers = point.yCi95 === null ? [] : [vertical(at, y(point.yCi95[0]), y(point.yCi95[1]))];
      return { x: at, y: y(point.y), whiskers, point };
    });
    return { series: one, path: marks.length > 1 ? draw(marks) : null, marks, bars: [] };
  });
  return {
    xTicks: powersOfTwo(x.domain() as [number, number], frame).map((value) => ({
      at: x(value),
      label: value < 100_000 ? formatCount(value) : formatCompact(value),
    })),
    yTicks: y.ticks(5).map((value) => ({ at: y(value), label: isShare ? percent(value) : String(value) })),
    xLabel:
      plot === 'distance' ? 'Distance, tokens' : plot === 'length' ? 'History, tokens' : 'Position, tokens',
    yLabel: isShare ? 'Accuracy' : 'NLL, nats per token',
    drawn,
  };
}

function scatter(series: readonly Series[], frame: Frame): Drawn {
  const x = scaleLinear([0, 1], [frame.left, frame.right]);
  const y = scaleLinear([0, 1], [frame.bottom, frame.top]);
  const curve = line<number>();
  const guides = ISO_ACCURACIES.map((accuracy) => {
    const routings = Array.from({ length: 33 }, (_, i) => accuracy + ((1 - accuracy) * i) / 32);
    const path = curve.x((routing) => x(routing)).y((routing) => y(accuracy / routing))(routings) ?? '';
    return { path, label: percent(accuracy), x: x(1) - 4, y: y(accuracy) - 4 };
  });
  const drawn = series.map((one): DrawnSeries => ({
    series: one,
    path: null,
    bars: [],
    marks: one.points.map((point) => ({
      x: x(point.x),
      y: y(point.y),
      whiskers: [
        ...(point.yCi95 === null ? [] : [vertical(x(point.x), y(point.yCi95[0]), y(point.yCi95[1]))]),
        ...(point.xCi95 === null ? [] : [horizontal(y(point.y), x(point.xCi95[0]), x(point.xCi95[1]))]),
      ],
      point,
    })),
  }));
  return {
    xTicks: x.ticks(5).map((value) => ({ at: x(value), label: percent(value) })),
    yTicks: y.ticks(5).map((value) => ({ at: y(value), label: percent(value) })),
    xLabel: 'Routing recall',
    yLabel: 'Reading accuracy',
    guides,
    drawn,
  };
}

function bars(series: readonly Series[], frame: Frame): Drawn {
  const values = series.flatMap((one) => one.points.flatMap(({ y, yCi95 }) => [y, ...(yCi95 ?? [])]));
  const [low, high] = extent([0, 1, ...values]);
  const x = scaleLinear([low, high], [frame.left, frame.right]).nice(5);
  const rows = scaleBand(
    series.map((_, i) => i),
    [frame.top, frame.bottom],
  ).padding(0.3);
  const drawn = series.map((one, i): DrawnSeries => {
    const top = rows(i)!;
    const middle = top + rows.bandwidth() / 2;
    const [point] = one.points;
    if (point === undefined) return { series: one, path: null, marks: [], bars: [] };
    const from = x(Math.min(0, point.y));
    const bar = { x: from, y: top, width: x(Math.max(0, point.y)) - from, height: rows.bandwidth() };
    const whiskers = point.yCi95 === null ? [] : [horizontal(middle, x(point.yCi95[0]), x(point.yCi95[1]))];
    return { series: one, path: null, bars: [bar], marks: [{ x: x(point.y), y: middle, whiskers, point }] };
  });
  return {
    xTicks: x.ticks(5).map((value) => ({ at: x(value), label: String(value) })),
    yTicks: series.map((one, i) => ({ at: rows(i)! + rows.bandwidth() / 2, label: one.label })),
    xLabel: 'Normalised regret',
    yLabel: '',
    drawn,
  };
}

const vertical = (x: number, y1: number, y2: number): Segment => ({ x1: x, y1, x2: x, y2 });
const horizontal = (y: number, x1: number, x2: number): Segment => ({ x1, y1: y, x2, y2: y });
const percent = (share: number): string => `${Math.round(share * 100)}%`;

/** Ends of the values; never empty and never of width 0. */
function extent(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  const low = Math.min(...values);
  const high = Math.max(...values);
  return low < high ? [low, high] : [low - Math.abs(low) / 2 - 0.5, high + Math.abs(high) / 2 + 0.5];
}

/** As many powers of two as fit without their labels touching. */
function powersOfTwo([low, high]: readonly [number, number], frame: Frame): number[] {
  const first = Math.ceil(Math.log2(low));
  const last = Math.floor(Math.log2(high));
  const fit = Math.max(2, Math.floor((frame.right - frame.left) / 52));
  const every = Math.max(1, Math.ceil((last - first + 1) / fit));
  const powers: number[] = [];
  for (let power = first; power <= last; power += every) powers.push(2 ** power);
  return powers;
}

function labelWidth(series: readonly Series[]): number {
  return 14 + LETTER * Math.max(6, ...series.map(({ label }) => label.length));
}

function legendOf(
  series: readonly Series[],
  width: number,
): readonly { readonly series: Series; readonly x: number; readonly row: number }[] {
  let x: number = MARGIN.left;
  let row = 0;
  return series.map((one) => {
    const needed = LEGEND_SWATCH + one.label.length * LETTER + LEGEND_GAP;
    if (x > MARGIN.left && x + needed > width) {
      x = MARGIN.left;
      row++;
    }
    const place = { series: one, x, row };
    x += needed;
    return place;
  });
}
