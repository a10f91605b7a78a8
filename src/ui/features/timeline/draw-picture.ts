/** Draws the timeline as it is shown, with axes, names and legend, on any surface: a picture that stands alone. */
import type { ProvenanceRun } from '../../../runtime/engine/protocol/protocol.ts';
import type { RunFrames, TokenSpan } from '../../model/shown-run.ts';
import type { BlockRef } from '../../model/viewport.ts';
import { drawMatrix } from './draw-matrix.ts';
import { drawMinimap } from './draw-minimap.ts';
import { drawOverlay } from './draw-overlay.ts';
import { drawStrip } from './draw-strip.ts';
import { drawTrack } from './draw-tracks.ts';
import type { TimelineLayout } from './frame-layout.ts';
import type { Palette } from '../../view/palette.ts';
import { RowCache } from './row-cache.ts';
import { slotOffsets } from './slots.ts';
import { type StepWindow, visibleRows } from '../../model/step-axis.ts';
import type { DrawSurface } from '../../widgets/surface.ts';
import { stepTicks, tokenTicks } from './ticks.ts';
import type { TokenWindow } from '../../model/token-axis.ts';

export interface PictureScene {
  readonly run: RunFrames;
  readonly layout: TimelineLayout;
  readonly tokens: TokenWindow;
  readonly steps: StepWindow;
  readonly colourBy: 'lod' | 'score';
  readonly shownIndex: number;
  readonly selection: BlockRef | null;
  readonly provenance: readonly ProvenanceRun[];
  /** Tokens that hold the answer. */
  readonly gold: readonly TokenSpan[];
  readonly palette: Palette;
  readonly title: string;
  readonly subtitle: string;
}

const PADDING = 20;
const HEAD = 52;
const MINIMAP = 26;
const STRIP = 40;
const RIBBONS = 34;
const AXIS = 26;
const GAP = 10;
const LEGEND = 34;
const FAMILY = 'system-ui, sans-serif';
const SMALL = `11px ${FAMILY}`;

const MATRIX_TOP = PADDING + HEAD + MINIMAP + GAP + STRIP + RIBBONS + AXIS;

export function pictureSize(layout: TimelineLayout): { readonly width: number; readonly height: number } {
  return { width: layout.width + 2 * PADDING, height: MATRIX_TOP + layout.height + LEGEND + PADDING };
}

export function drawPicture(surface: DrawSurface, scene: PictureScene): void {
  const { layout, palette } = scene;
  const { width, height } = pictureSize(layout);
  surface.fillStyle = palette.background;
  surface.fillRect(0, 0, width, height);
  drawWords(surface, scene);
  at(surface, PADDING, PADDING + HEAD, () => {
    const { run, provenance, gold, shownIndex } = scene;
    const entries = run.layoutAt(shownIndex);
    const totalTokens = run.cursor;
    const size = { width: layout.width, height: MINIMAP };
    drawMinimap(surface, { entries, provenance, totalTokens, gold, ...size, palette });
  });
  at(surface, PADDING, PADDING + HEAD + MINIMAP + GAP, () => {
    drawContext(surface, scene);
  });
  at(surface, PADDING, MATRIX_TOP - AXIS, () => {
    drawTokenTicks(surface, scene);
  });
  at(surface, PADDING, MATRIX_TOP, () => {
    drawRows(surface, scene);
  });
  at(surface, PADDING, MATRIX_TOP + layout.height + GAP, () => {
    drawLegend(surface, scene);
  });
}

function at(surface: DrawSurface, x: number, y: number, draw: () => void): void {
  surface.save();
  surface.translate(x, y);
  draw();
  surface.restore();
}

function drawWords(surface: DrawSurface, { title, subtitle, palette }: PictureScene): void {
  surface.textAlign = 'left';
  surface.textBaseline = 'alphabetic';
  surface.fillStyle = palette.text;
  surface.font = `600 16px ${FAMILY}`;
  surface.fillText(title, PADDING, PADDING + 14);
  surface.fillStyle = palette.muted;
  surface.font = SMALL;
  surface.fillText(subtitle, PADDING, PADDING + 34);
}

function drawContext(surface: DrawSurface, scene: PictureScene): void {
  const { run, layout, tokens, shownIndex, selection, palette } = scene;
  const entries = run.layoutAt(shownIndex);
  const frame = run.frameAt(shownIndex);
  const offsets = slotOffsets(entries);
  drawStrip(surface, {
    entries,
    intervals: entries.map((_, i) => ({ from: offsets[i]!, to: offsets[i + 1]! })),
    budgetTokens: Math.max(frame?.budgetTokens ?? 1, frame?.usedTokens ?? 1),
    width: layout.width,
    stripHeight: STRIP,
    ribbonHeight: RIBBONS,
    axis: { window: tokens, left: layout.left, width: layout.matrixWidth },
    highlight: (i) => {
      const [, start, end] = entries[i]!;
      return selection && start >= selection.start && end <= selection.end ? 1 : 0;
    },
    palette,
  });
}

function drawTokenTicks(surface: DrawSurface, { layout, tokens, palette }: PictureScene): void {
  surface.font = SMALL;
  surface.textBaseline = 'alphabetic';
  surface.fillStyle = palette.grid;
  surface.fillRect(layout.left, 0, layout.matrixWidth, 1);
  const ticks = tokenTicks(tokens, layout);
  for (const { at: x } of ticks) surface.fillRect(Math.round(x), 0, 1, 5);
  surface.fillStyle = palette.muted;
  const right = layout.left + layout.matrixWidth;
  for (const { at: x, label } of ticks) {
    surface.textAlign = x > right - 22 ? 'right' : 'center';
    surface.fillText(label, Math.min(x, right), 18);
  }
  surface.textAlign = 'center';
  for (const { track, x, width } of layout.tracks) surface.fillText(track.label, x + width / 2, 18);
}

function drawRows(surface: DrawSurface, scene: PictureScene): void {
  const { run, layout, tokens, steps, colourBy, palette, shownIndex, selection } = scene;
  const { left, matrixWidth, height, width } = layout;
  const cache = new RowCache();
  const rows = visibleRows(steps, run.frameCount, height);
  surface.save();
  surface.beginPath();
  surface.rect(0, 0, width, height);
  surface.clip();
  at(surface, left, 0, () => {
    surface.beginPath();
    surface.rect(0, 0, matrixWidth, height);
    surface.clip();
    drawMatrix(surface, { run, rows, window: tokens, width: matrixWidth, colourBy, palette, cache });
  });
  for (const { track, x, width: trackWidth } of layout.tracks) {
    drawTrack(surface, track, { run, rows, x, width: trackWidth, height, palette, cache });
  }
  const { frameCount } = run;
  drawOverlay(surface, {
    layout,
    steps,
    window: tokens,
    shownIndex,
    frameCount,
    selection,
    gold: scene.gold,
    changes: run.configChanges,
    prunings: run.prunings,
    hover: null,
    palette,
  });
  surface.restore();
  surface.font = SMALL;
  surface.textAlign = 'right';
  surface.textBaseline = 'middle';
  for (const { at: y, label } of stepTicks(steps, layout, (index) => run.stepAt(index))) {
    surface.fillStyle = palette.grid;
    surface.fillRect(left - 4, Math.round(y), 4, 1);
    surface.fillStyle = palette.muted;
    surface.fillText(label, left - 9, y);
  }
}

function drawLegend(surface: DrawSurface, { palette, colourBy, layout }: PictureScene): void {
  const items =
    colourBy === 'lod'
      ? palette.lod.map((colour, lod) => ({ colour, label: lod === 0 ? 'Raw tokens' : `LOD${lod}` }))
      : [
          { colour: palette.score[0]!, label: 'score −1: collapse' },
          { colour: palette.score[4]!, label: '0' },
          { colour: palette.score[8]!, label: '+1: expand' },
        ];
  surface.font = SMALL;
  surface.textAlign = 'left';
  surface.textBaseline = 'middle';
  const spacing = Math.min(120, layout.width / items.length);
  items.forEach(({ colour, label }, i) => {
    surface.fillStyle = colour;
    surface.fillRect(i * spacing, 6, 12, 12);
    surface.fillStyle = palette.muted;
    surface.fillText(label, i * spacing + 18, 12);
  });
}
