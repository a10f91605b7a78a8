/** Draws what lies over the matrix: the playhead's row, what is still to come, the selection, the hover. */
import type { Pruning } from '../../model/run.ts';
import type { FrameRange } from '../../model/playhead.ts';
import type { TokenSpan } from '../../model/shown-run.ts';
import type { BlockRef } from '../../model/viewport.ts';
import type { TimelineLayout } from './frame-layout.ts';
import type { Palette } from '../../view/palette.ts';
import { type StepWindow, stepToY } from '../../model/step-axis.ts';
import { spanOfRun } from '../../../core/tree/node-runs.ts';
import type { DrawSurface } from '../../widgets/surface.ts';
import { type TokenWindow, tokenToX } from '../../model/token-axis.ts';

/** The least width of a span that holds the answer, in pixels. */
const GOLD_WIDTH = 3;
const FLAG = 5;
/** Of the lines and the diamonds where parameters changed, in pixels. */
const DASH = 4;
const DIAMOND = 4;
const COLD_LINE = 2;
const COLD_DASH = 6;

interface OverlayScene {
  readonly layout: TimelineLayout;
  readonly steps: StepWindow;
  readonly window: TokenWindow;
  readonly shownIndex: number;
  readonly frameCount: number;
  readonly selection: BlockRef | null;
  /** Tokens that hold the answer. */
  readonly gold: readonly TokenSpan[];
  readonly prunings: readonly Pruning[];
  /** What playback loops over. */
  readonly range?: FrameRange | null;
  /** The first frames with other parameters. */
  readonly changes: readonly { readonly index: number }[];
  readonly hover: { readonly index: number; readonly block: BlockRef } | null;
  readonly palette: Palette;
}

export function drawOverlay(surface: DrawSurface, scene: OverlayScene): void {
  const { layout, steps, palette, shownIndex, frameCount } = scene;
  if (frameCount === 0) return;
  const top = Math.round(stepToY(shownIndex, steps));
  const height = Math.max(2, Math.round(steps.rowHeight));
  const end = Math.min(layout.height, stepToY(frameCount, steps));

  drawPrunings(surface, scene);
  drawGold(surface, scene, end);
  if (scene.selection) drawSelection(surface, scene, scene.selection, end);
  drawChanges(surface, scene);
  if (scene.range) drawRange(surface, scene, scene.range);
  if (shownIndex < frameCount - 1 && top + height < end) {
    surface.fillStyle = palette.background;
    surface.globalAlpha = 0.62;
    surface.fillRect(layout.left, top + height, layout.width - layout.left, end - top - height);
    surface.globalAlpha = 1;
  }
  surface.fillStyle = palette.accent;
  surface.globalAlpha = 0.2;
  surface.fillRect(layout.left, top, layout.width - layout.left, height);
  surface.globalAlpha = 1;
  surface.fillRect(layout.left, top + height - 1, layout.width - layout.left, 1);
  surface.beginPath();
  surface.moveTo(layout.left, top + height / 2);
  surface.lineTo(layout.left - 7, top + height / 2 - 5);
  surface.lineTo(layout.left - 7, top + height / 2 + 5);
  surface.closePath();
  surface.fill();

  if (scene.hover) {
    const y = Math.round(stepToY(scene.hover.index, steps));
    outline(surface, scene, scene.hover.block, y, Math.max(3, Math.round(steps.rowHeight)), palette.text);
  }
}

/** A line over what went to the cold tier, at the step from which on it was gone; a dashed one over what came back. */
function drawPrunings(
  surface: DrawSurface,
  { layout, window, steps, prunings, palette }: OverlayScene,
): void {
  for (const { from, event } of prunings) {
    const y = Math.round(stepToY(from, steps));
    if (y < 0 || y > layout.height) continue;
    const isBack = event.action === 'restore';
    surface.fillStyle = isBack ? palette.accent : palette.evict;
    for (const run of event.runs) {
      const { start, end } = spanOfRun(run);
      const left = Math.max(0, tokenToX(start, window, layout.matrixWidth));
      const right = Math.min(layout.matrixWidth, tokenToX(end, window, layout.matrixWidth));
      const stride = isBack ? 2 * COLD_DASH : COLD_DASH;
      for (let x = left; x < right; x += stride) {
        surface.fillRect(layout.left + x, y, Math.min(COLD_DASH, right - x), COLD_LINE);
      }
    }
  }
}

/** A line at either side of every span that holds the answer, and a flag above it. */
function drawGold(surface: DrawSurface, { layout, window, gold, palette }: OverlayScene, end: number): void {
  surface.fillStyle = palette.text;
  for (const span of gold) {
    const x0 = tokenToX(span.start, window, layout.matrixWidth);
    const x1 = Math.max(tokenToX(span.end, window, layout.matrixWidth), x0 + GOLD_WIDTH);
    if (x1 < 0 || x0 > layout.matrixWidth) continue;
    const left = layout.left + Math.max(0, x0);
    const right = layout.left + Math.min(layout.matrixWidth, x1);
    surface.globalAlpha = 0.9;
    surface.fillRect(left - 1, 0, 1, end);
    surface.fillRect(right, 0, 1, end);
    surface.globalAlpha = 1;
    drawFlag(surface, (left + right) / 2, 0);
  }
}

/** A triangle that points down. */
export function drawFlag(surface: DrawSurface, x: number, y: number): void {
  surface.beginPath();
  surface.moveTo(x - FLAG, y);
  surface.lineTo(x + FLAG, y);
  surface.lineTo(x, y + 1.5 * FLAG);
  surface.closePath();
  surface.fill();
}

/** A line before the first and one behind the last row of the range. */
function drawRange(surface: DrawSurface, { layout, steps, palette }: OverlayScene, range: FrameRange): void {
  surface.fillStyle = palette.accent;
  surface.globalAlpha = 0.7;
  for (const index of [range.first, range.last + 1]) {
    const y = Math.round(stepToY(index, steps));
    if (y >= 0 && y <= layout.height) surface.fillRect(layout.left, y, layout.width - layout.left, 1);
  }
  surface.globalAlpha = 1;
}

/** A dashed line before the first row with other parameters, and a diamond on the step axis. */
function drawChanges(
  surface: DrawSurface,
  { layout, steps, changes, frameCount, palette }: OverlayScene,
): void {
  surface.fillStyle = palette.text;
  for (const { index } of changes) {
    const y = Math.round(stepToY(index, steps));
    if (index >= frameCount || y < 0 || y > layout.height) continue;
    surface.globalAlpha = 0.6;
    for (let x = layout.left; x < layout.width; x += 2 * DASH) surface.fillRect(x, y, DASH, 1);
    surface.globalAlpha = 1;
    surface.beginPath();
    surface.moveTo(layout.left - DIAMOND, y - DIAMOND);
    surface.lineTo(layout.left, y);
    surface.lineTo(layout.left - DIAMOND, y + DIAMOND);
    surface.lineTo(layout.left - 2 * DIAMOND, y);
    surface.closePath();
    surface.fill();
  }
}

function drawSelection(surface: DrawSurface, scene: OverlayScene, block: BlockRef, end: number): void {
  const { layout, window, palette } = scene;
  const x0 = Math.max(0, tokenToX(block.start, window, layout.matrixWidth));
  const x1 = Math.min(layout.matrixWidth, tokenToX(block.end, window, layout.matrixWidth));
  if (x1 < 0 || x0 > layout.matrixWidth) return;
  surface.strokeStyle = palette.accent;
  surface.lineWidth = 1.5;
  surface.strokeRect(layout.left + x0 - 1, 1, Math.max(x1 - x0, 2) + 2, Math.max(0, end - 2));
}

function outline(
  surface: DrawSurface,
  scene: OverlayScene,
  block: BlockRef,
  y: number,
  height: number,
  colour: string,
): void {
  const { layout, window } = scene;
  const x0 = Math.max(0, tokenToX(block.start, window, layout.matrixWidth));
  const x1 = Math.min(layout.matrixWidth, tokenToX(block.end, window, layout.matrixWidth));
  surface.strokeStyle = colour;
  surface.lineWidth = 1.5;
  surface.strokeRect(layout.left + x0 - 0.5, y - 0.5, Math.max(x1 - x0, 3) + 1, height + 1);
}
