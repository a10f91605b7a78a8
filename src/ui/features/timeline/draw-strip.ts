/**
 * Draws the working context as the model's window sees it: one box per entry, as wide as its slots, and
 * ribbons that fan each run of entries out to the tokens it stands for.
 */
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import type { Palette } from '../../view/palette.ts';
import type { SlotInterval } from './slots.ts';
import type { DrawSurface } from '../../widgets/surface.ts';
import { type TokenWindow, tokenToX } from '../../model/token-axis.ts';

export interface StripScene {
  readonly entries: readonly LayoutEntry[];
  /** Where each entry is drawn now, in slots; between two layouts while a transition runs. */
  readonly intervals: readonly SlotInterval[];
  readonly budgetTokens: number;
  readonly width: number;
  readonly stripHeight: number;
  readonly ribbonHeight: number;
  /** The token axis that the ribbons lead to: its window, left edge and width. */
  readonly axis: { readonly window: TokenWindow; readonly left: number; readonly width: number };
  /** Entries to outline: index → how strongly, 0..1. */
  readonly highlight: (entryIndex: number) => number;
  readonly palette: Palette;
}

const SEPARATE_FROM_WIDTH = 4;

export function drawStrip(surface: DrawSurface, scene: StripScene): void {
  const { entries, intervals, width, stripHeight, palette, budgetTokens } = scene;
  const toX = (slot: number) => (slot / budgetTokens) * width;
  surface.fillStyle = palette.empty;
  surface.fillRect(0, 0, width, stripHeight);
  drawRibbons(surface, scene, toX);
  for (let i = 0; i < entries.length; i++) {
    const { from, to } = intervals[i]!;
    const x = toX(from);
    const boxWidth = toX(to) - x;
    const gap = boxWidth >= SEPARATE_FROM_WIDTH ? 1 : 0;
    surface.fillStyle = palette.lod[entries[i]![0]]!;
    surface.fillRect(x, 0, Math.max(boxWidth - gap, 0.4), stripHeight);
  }
  drawOutlines(surface, scene, toX);
  drawTarget(surface, scene);
}

/** Neighbours too narrow for outlines of their own, which would be nothing but outline, share one. */
function drawOutlines(surface: DrawSurface, scene: StripScene, toX: (slot: number) => number): void {
  const { intervals, stripHeight, palette } = scene;
  const strengths = scene.entries.map((_, i) => scene.highlight(i));
  const isNarrow = (i: number) => toX(intervals[i]!.to) - toX(intervals[i]!.from) < SEPARATE_FROM_WIDTH;
  for (let first = 0, last: number; first < strengths.length; first = last + 1) {
    const strength = strengths[first]!;
    last = first;
    while (isNarrow(last) && strengths[last + 1] === strength && isNarrow(last + 1)) last++;
    if (strength <= 0) continue;
    const x = toX(intervals[first]!.from);
    const boxWidth = Math.max(toX(intervals[last]!.to) - x, 3);
    surface.globalAlpha = strength;
    surface.strokeStyle = palette.text;
    surface.lineWidth = 2;
    surface.strokeRect(x + 1, 1, Math.max(boxWidth - 2, 1), stripHeight - 2);
    surface.globalAlpha = 1;
  }
}

/** The 80% mark: below it, budget lies idle. */
function drawTarget(surface: DrawSurface, { width, stripHeight, palette }: StripScene): void {
  surface.fillStyle = palette.text;
  surface.globalAlpha = 0.6;
  surface.fillRect(Math.round(width * 0.8), 0, 1, 4);
  surface.fillRect(Math.round(width * 0.8), stripHeight - 4, 1, 4);
  surface.globalAlpha = 1;
}

/** Neighbours of one LOD share a ribbon; what is out of the axis's window gets none. */
function drawRibbons(surface: DrawSurface, scene: StripScene, toX: (slot: number) => number): void {
  const { entries, intervals, axis, stripHeight, ribbonHeight, palette } = scene;
  const bottom = stripHeight + ribbonHeight;
  const middle = stripHeight + ribbonHeight / 2;
  let i = 0;
  while (i < entries.length) {
    let j = i;
    while (j + 1 < entries.length && entries[j + 1]![0] === entries[i]![0]) j++;
    const from = Math.max(entries[i]![1], axis.window.start);
    const to = Math.min(entries[j]![2], axis.window.end);
    if (to > from) {
      const left = axis.left + tokenToX(from, axis.window, axis.width);
      const right =
        axis.left +
        Math.max(tokenToX(to, axis.window, axis.width), tokenToX(from, axis.window, axis.width) + 1);
      const top0 = toX(intervals[i]!.from);
      const top1 = toX(intervals[j]!.to);
      surface.beginPath();
      surface.moveTo(top0, stripHeight);
      surface.bezierCurveTo(top0, middle, left, middle, left, bottom);
      surface.lineTo(right, bottom);
      surface.bezierCurveTo(right, middle, top1, middle, top1, stripHeight);
      surface.closePath();
      surface.fillStyle = palette.lod[entries[i]![0]]!;
      surface.globalAlpha = entries[i]![0] === 0 ? 0.42 : 0.26;
      surface.fill();
      surface.globalAlpha = 1;
    }
    i = j + 1;
  }
}
