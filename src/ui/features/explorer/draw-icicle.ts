/** Draws the explorer: levels of cells by heat, what the shown step holds, marks, hits, the selection. */
import { NODE_FLAGS } from '../../../core/tree/node-columns.ts';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import type { LevelCells, SpanMark, TreeCells } from '../../../runtime/engine/protocol/protocol.ts';
import type { FoundSpan } from './explorer-state.ts';
import type { BlockRef } from '../../model/viewport.ts';
import type { Palette } from '../../view/palette.ts';
import { mergeRuns } from '../../model/merge-runs.ts';
import type { DrawSurface } from '../../widgets/surface.ts';
import { type TokenWindow, tokenToX } from '../../model/token-axis.ts';
import { type IcicleRow, cellBoxes, heatOf, heatScale } from './icicle.ts';
import { tagColour } from '../../words/tag-colour.ts';

export interface IcicleScene {
  readonly cells: TreeCells;
  readonly rows: readonly IcicleRow[];
  readonly window: TokenWindow;
  readonly width: number;
  /** The shown step's working context. */
  readonly entries: readonly LayoutEntry[];
  readonly marks: readonly SpanMark[];
  /** What was found: a span of tokens, or a gist of one level. */
  readonly hits: readonly FoundSpan[];
  readonly selection: BlockRef | null;
  readonly palette: Palette;
}

const COLDEST = 0.14;
/** Cells without a node that passes the filter. */
const FILTERED_OUT = 0.04;
const HELD_BAR = 4;
const HIT_BAR = 4;
/** Hits wider than this let what lies below show through. */
const THIN = 6;
const GLYPH = 4;
/** Narrower marks are ticks without a glyph. */
const GLYPH_FROM = 10;
const LABEL_FROM = 28;

export function drawIcicle(surface: DrawSurface, scene: IcicleScene): void {
  const { cells, rows, palette } = scene;
  const scale = heatScale(cells);
  for (const row of rows) {
    surface.fillStyle = palette.empty;
    surface.fillRect(0, row.y, scene.width, row.height);
    const level = cells.levels[row.lod];
    if (level) drawLevel(surface, scene, row, level, scale);
  }
  drawHeld(surface, scene);
  drawHits(surface, scene);
  for (const mark of scene.marks) drawMark(surface, scene, mark);
  if (scene.selection) drawSelection(surface, scene, scene.selection);
}

function drawLevel(
  surface: DrawSurface,
  scene: IcicleScene,
  row: IcicleRow,
  level: LevelCells,
  scale: number,
): void {
  const { cells, palette, window, width } = scene;
  for (const { cell, x, width: wide } of cellBoxes(level, cells.tokenCount, window, width)) {
    surface.fillStyle = palette.lod[level.level]!;
    const heat = heatOf(level.values[cell]!, cells.measure, scale);
    surface.globalAlpha = level.matches?.[cell] === 0 ? FILTERED_OUT : COLDEST + (1 - COLDEST) * heat;
    surface.fillRect(x, row.y, wide, row.height);
    surface.globalAlpha = 1;
    const isStale = level.level > 0 && level.gistVersions[cell] !== cells.gistVersion;
    if (isStale && wide >= GLYPH) {
      surface.fillStyle = palette.evict;
      surface.fillRect(x, row.y + row.height - HELD_BAR - 3, wide, 2);
    }
    const withheld = (level.flags[cell]! & (NODE_FLAGS.pruned | NODE_FLAGS.cold)) !== 0;
    if (withheld && wide >= GLYPH) cross(surface, x, row.y, wide, row.height, palette.muted);
  }
}

/** A bar below what the shown step's working context holds, at the level at which it holds it. */
function drawHeld(surface: DrawSurface, { entries, rows, window, width, palette }: IcicleScene): void {
  const byLod = mergeRuns(entries, window, width);
  surface.fillStyle = palette.text;
  for (const { lod, y, height } of rows) {
    for (const run of byLod[lod] ?? []) surface.fillRect(run.x, y + height - HELD_BAR, run.width, HELD_BAR);
  }
}

/** Words are lines through all levels; a gist that was found is tinted in its own. */
function drawHits(surface: DrawSurface, { hits, window, width, rows, palette }: IcicleScene): void {
  const last = rows.at(-1);
  if (!last) return;
  surface.fillStyle = palette.accent;
  let drawnTo = -1;
  for (const { start, end, lod } of hits) {
    const x = Math.floor(tokenToX(start, window, width));
    const wide = Math.max(2, tokenToX(end, window, width) - x);
    if (x >= width || x + wide <= 0) continue;
    const row = lod === undefined ? undefined : rows.find((each) => each.lod === lod);
    if (row) {
      surface.globalAlpha = 0.35;
      surface.fillRect(x, row.y, wide, row.height);
      surface.globalAlpha = 1;
      surface.fillRect(x, row.y, wide, HIT_BAR);
    } else if (x + wide > drawnTo) {
      surface.globalAlpha = wide > THIN ? 0.35 : 0.9;
      surface.fillRect(x, 0, wide, last.y + last.height);
      drawnTo = x + wide;
    }
  }
  surface.globalAlpha = 1;
}

/** A pin is a disc, a prohibition a bar in a ring, a tag its name on its colour. */
function drawMark(surface: DrawSurface, scene: IcicleScene, mark: SpanMark): void {
  const { rows, window, width, palette } = scene;
  const row = rows.find(({ lod }) => lod === mark.lod);
  const box = row && boxOf(mark, window, width);
  if (!row || !box) return;
  if (mark.kind === 'tag') {
    const { x, wide } = box;
    surface.fillStyle = tagColour(mark.name ?? '');
    surface.fillRect(x, row.y, wide, 3);
    if (wide < LABEL_FROM || row.height < 20) return;
    surface.save();
    surface.beginPath();
    surface.rect(x, row.y, wide, row.height);
    surface.clip();
    surface.font = '600 11px system-ui, sans-serif';
    surface.textAlign = 'left';
    surface.textBaseline = 'middle';
    surface.fillStyle = palette.text;
    surface.fillText(mark.name ?? '', x + 4, row.y + 12);
    surface.restore();
    return;
  }
  const x = Math.min(width - 2, Math.max(0, box.x));
  surface.fillStyle = mark.kind === 'pin' ? palette.glyph : palette.evict;
  if (box.wide < GLYPH_FROM) {
    surface.fillRect(x, row.y, Math.max(2, Math.min(3, box.wide)), Math.min(8, row.height));
    return;
  }
  const centreX = x + box.wide - GLYPH - (mark.kind === 'pin' ? 3 : 13);
  const centreY = row.y + GLYPH + 3;
  surface.beginPath();
  surface.arc(centreX, centreY, GLYPH, 0, 2 * Math.PI);
  if (mark.kind === 'pin') {
    surface.fill();
    surface.strokeStyle = palette.glyphEdge;
  } else {
    surface.fillRect(centreX - GLYPH + 1, centreY - 1, 2 * GLYPH - 2, 2);
    surface.strokeStyle = palette.evict;
  }
  surface.lineWidth = 1.5;
  surface.stroke();
}

function drawSelection(
  surface: DrawSurface,
  { rows, window, width, palette }: IcicleScene,
  block: BlockRef,
): void {
  const row = rows.find(({ lod }) => lod === block.lod);
  const box = row && boxOf(block, window, width);
  if (!row || !box) return;
  surface.lineWidth = 3;
  surface.strokeStyle = palette.background;
  surface.strokeRect(box.x - 1, row.y - 1, Math.max(box.wide, 3) + 2, row.height + 2);
  surface.lineWidth = 2;
  surface.strokeStyle = palette.accent;
  surface.strokeRect(box.x - 1, row.y - 1, Math.max(box.wide, 3) + 2, row.height + 2);
}

function boxOf(
  { start, end }: { readonly start: number; readonly end: number },
  window: TokenWindow,
  width: number,
): { readonly x: number; readonly wide: number } | null {
  const left = tokenToX(start, window, width);
  const right = tokenToX(end, window, width);
  if (right < 0 || left > width) return null;
  const x = Math.max(0, left);
  return { x, wide: Math.max(1, Math.min(width, right) - x) };
}

function cross(
  surface: DrawSurface,
  x: number,
  y: number,
  width: number,
  height: number,
  colour: string,
): void {
  surface.beginPath();
  surface.moveTo(x, y);
  surface.lineTo(x + width, y + height);
  surface.moveTo(x, y + height);
  surface.lineTo(x + width, y);
  surface.strokeStyle = colour;
  surface.lineWidth = 1;
  surface.stroke();
}
