/** Draws one metric track as a column that shares its rows with the matrix. */
import type { RunFrames } from '../../model/shown-run.ts';
import { type Palette, SCORE_CLASSES } from '../../view/palette.ts';
import type { RowCache } from './row-cache.ts';
import type { FillSurface } from './row-raster.ts';
import type { Row } from '../../model/step-axis.ts';
import type { DrawSurface } from '../../widgets/surface.ts';
import type { Track } from '../../model/tracks.ts';

/** Of a cell that is filled at all. */
const WEAKEST_CELL = 0.3;
const CELL_GAP = 1;

interface TrackScene {
  readonly run: RunFrames;
  readonly rows: readonly Row[];
  readonly x: number;
  readonly width: number;
  readonly height: number;
  readonly palette: Palette;
  readonly cache: RowCache;
}

interface Sample {
  readonly row: Row;
  readonly values: readonly number[] | Float32Array;
}

export function drawTrack(surface: DrawSurface, track: Track, scene: TrackScene): void {
  drawTrackBoxes(surface, track, scene);
  drawTrackMarks(surface, track, scene);
}

/** The column's ground, and its cells where it has many. */
export function drawTrackBoxes(surface: FillSurface, track: Track, scene: TrackScene): void {
  const { x, width, height, palette } = scene;
  surface.fillStyle = palette.empty;
  surface.fillRect(x, 0, width, height);
  if (track.kind === 'heat') drawHeat(surface, scene, track);
}

/** Everything else, over the boxes. */
export function drawTrackMarks(surface: DrawSurface, track: Track, scene: TrackScene): void {
  if (track.kind === 'heat') return;
  const { rows, run, x, width, height, palette } = scene;
  const samples: Sample[] = [];
  for (const row of rows) {
    const frame = run.frameAt(row.index);
    const values = frame && track.values(frame, run, row.index);
    if (values) samples.push({ row, values });
  }
  const max = track.max ?? niceMaximum(samples, track);
  const at = (value: number) =>
    x + ((Math.min(Math.max(value, track.min), max) - track.min) / (max - track.min)) * width;

  if (track.band) {
    surface.fillStyle = palette.band;
    surface.fillRect(at(track.band[0]), 0, at(track.band[1]) - at(track.band[0]), height);
  }
  switch (track.kind) {
    case 'area':
      drawArea(surface, samples, at, track.min, palette);
      break;
    case 'bar':
      surface.fillStyle = palette.line;
      for (const { row, values } of samples) {
        surface.fillRect(at(track.min), row.y, at(values[0]!) - at(track.min), Math.max(1, row.height));
      }
      break;
    case 'bar-dot':
      surface.fillStyle = palette.line;
      for (const { row, values } of samples) {
        surface.globalAlpha = 0.5;
        surface.fillRect(at(track.min), row.y, at(values[0]!) - at(track.min), Math.max(1, row.height));
        surface.globalAlpha = 1;
        surface.fillRect(at(values[1]!) - 1.5, row.y + row.height / 2 - 1.5, 3, 3);
      }
      break;
    case 'cells':
      drawCells(surface, samples, scene);
      break;
    case 'range':
      drawRange(surface, samples, at, palette);
      break;
    case 'dot':
      surface.fillStyle = palette.line;
      for (const { row, values } of samples)
        surface.fillRect(at(values[0]!) - 1.5, row.y + row.height / 2 - 1.5, 3, 3);
      break;
    case 'stack':
      drawStack(surface, samples, at, palette);
      break;
    case 'mirror':
      drawMirror(surface, samples, max, scene);
      break;
    default:
      track.kind satisfies never;
  }
  if (track.min < 0) {
    surface.fillStyle = palette.grid;
    surface.fillRect(Math.round(at(0)), 0, 1, height);
  }
}

/** A maximum that steps through 1-2-5, so that a growing run does not rescale at every step. */
function niceMaximum(samples: readonly Sample[], track: Track): number {
  const sizes = samples.map(({ values }) => (track.kind === 'stack' ? sumOf(values) : Math.max(...values)));
  sizes.sort((a, b) => a - b);
  const high = sizes[Math.floor((sizes.length - 1) * 0.98)] ?? 1;
  const power = 10 ** Math.floor(Math.log10(Math.max(high, 1e-3)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= high) ?? 1;
}

function sumOf(values: Sample['values']): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

type Scale = (value: number) => number;

function drawArea(
  surface: DrawSurface,
  samples: readonly Sample[],
  at: Scale,
  min: number,
  palette: Palette,
): void {
  fillBetween(
    surface,
    samples,
    () => at(min),
    (values) => at(values[0]!),
    palette.line,
  );
  drawLine(surface, samples, (values) => at(values[0]!), palette.line);
}

function drawRange(surface: DrawSurface, samples: readonly Sample[], at: Scale, palette: Palette): void {
  fillBetween(
    surface,
    samples,
    (values) => at(values[0]!),
    (values) => at(values[2]!),
    palette.line,
  );
  drawLine(surface, samples, (values) => at(values[1]!), palette.line);
}

type Edge = (values: Sample['values']) => number;

function fillBetween(
  surface: DrawSurface,
  samples: readonly Sample[],
  left: Edge,
  right: Edge,
  colour: string,
): void {
  if (samples.length === 0) return;
  surface.beginPath();
  for (const { row, values } of samples) surface.lineTo(left(values), row.y + row.height / 2);
  for (const { row, values } of samples.toReversed()) surface.lineTo(right(values), row.y + row.height / 2);
  surface.closePath();
  surface.fillStyle = colour;
  surface.globalAlpha = 0.25;
  surface.fill();
  surface.globalAlpha = 1;
}

function drawLine(surface: DrawSurface, samples: readonly Sample[], x: Edge, colour: string): void {
  surface.beginPath();
  samples.forEach(({ row, values }, i) => {
    const y = row.y + row.height / 2;
    if (i === 0) surface.moveTo(x(values), y);
    else surface.lineTo(x(values), y);
  });
  surface.strokeStyle = colour;
  surface.lineWidth = 1.5;
  surface.stroke();
}

function drawStack(surface: DrawSurface, samples: readonly Sample[], at: Scale, palette: Palette): void {
  for (const { row, values } of samples) {
    let sum = 0;
    for (let stage = 0; stage < values.length; stage++) {
      const ms = values[stage]!;
      if (ms === 0) continue;
      surface.fillStyle = palette.stage[stage]!;
      surface.fillRect(at(sum), row.y, at(sum + ms) - at(sum), Math.max(1, row.height));
      sum += ms;
    }
  }
}

/** A cell a value, side by side, the stronger the higher it is; nothing for 0. */
function drawCells(
  surface: DrawSurface,
  samples: readonly Sample[],
  { x, width, palette }: TrackScene,
): void {
  surface.fillStyle = palette.accent;
  for (const { row, values } of samples) {
    const step = width / values.length;
    for (const [at, value] of values.entries()) {
      if (value === 0) continue;
      surface.globalAlpha = WEAKEST_CELL + (1 - WEAKEST_CELL) * value;
      surface.fillRect(x + at * step, row.y, Math.max(1, step - CELL_GAP), Math.max(1, row.height));
    }
  }
  surface.globalAlpha = 1;
}

function drawMirror(surface: DrawSurface, samples: readonly Sample[], max: number, scene: TrackScene): void {
  const { x, width, palette } = scene;
  const centre = Math.round(x + width / 2);
  for (const { row, values } of samples) {
    const left = (Math.min(values[0]!, max) / max) * (width / 2);
    const right = (Math.min(values[1]!, max) / max) * (width / 2);
    surface.fillStyle = palette.lod[2]!;
    if (left > 0) surface.fillRect(centre - left, row.y, left, Math.max(1, row.height));
    surface.fillStyle = palette.lod[0]!;
    if (right > 0) surface.fillRect(centre, row.y, right, Math.max(1, row.height));
  }
  surface.fillStyle = palette.grid;
  surface.fillRect(centre, 0, 1, scene.height);
}

/** Colour by colour, so that the fill changes few times; strong scores last, so that they win their pixel. */
function drawHeat(
  surface: FillSurface,
  { run, rows, x, width, palette, cache }: TrackScene,
  track: Track,
): void {
  const runs = rows.map(({ index }) => {
    const frame = run.frameAt(index);
    return frame ? cache.heatOf(frame, width, () => track.values(frame, run, index)) : [];
  });
  const middle = (SCORE_CLASSES - 1) / 2;
  for (let strength = 1; strength <= middle; strength++) {
    for (const scoreIndex of [middle - strength, middle + strength]) {
      surface.fillStyle = palette.score[scoreIndex]!;
      rows.forEach((row, i) => {
        for (const cell of runs[i]!) {
          if (cell.scoreIndex === scoreIndex)
            surface.fillRect(x + cell.from, row.y, cell.to - cell.from, Math.max(1, row.height));
        }
      });
    }
  }
}
