/** Draws the step × token matrix: one row of coloured spans per refocus, and the actions on top. */
import { MAX_LOD } from '../../../core/tree/ids.ts';
import type { ActionRecord, Reason } from '../../../core/trace/telemetry.ts';
import type { RunFrames } from '../../model/shown-run.ts';
import { type Palette, SCORE_CLASSES, scoreClass } from '../../view/palette.ts';
import { type PixelRun, mergeRuns, tellsBlocksApart } from '../../model/merge-runs.ts';
import type { Row } from '../../model/step-axis.ts';
import type { RowCache } from './row-cache.ts';
import type { FillSurface } from './row-raster.ts';
import type { DrawSurface } from '../../widgets/surface.ts';
import { type TokenWindow, tokenToX } from '../../model/token-axis.ts';

interface MatrixScene {
  readonly run: Pick<RunFrames, 'layoutAt' | 'scoredLayoutAt' | 'frameAt'>;
  readonly rows: readonly Row[];
  readonly window: TokenWindow;
  readonly width: number;
  readonly colourBy: 'lod' | 'score';
  readonly palette: Palette;
  readonly cache: RowCache;
}

/** Rows at least this high carry glyphs, lower ones a tick. */
const GLYPHS_FROM_HEIGHT = 7;

export function drawMatrix(surface: DrawSurface, scene: MatrixScene): void {
  drawMatrixBoxes(surface, scene);
  drawMatrixGlyphs(surface, scene);
}

/** Blocks, and actions as ticks where rows are low: plain boxes, of which there are many. */
export function drawMatrixBoxes(surface: FillSurface, scene: MatrixScene): void {
  if (scene.colourBy === 'lod') drawByLod(surface, scene);
  else drawByScore(surface, scene);
  const { palette, rows } = scene;
  for (const row of rows) {
    if (row.height >= GLYPHS_FROM_HEIGHT) continue;
    forEachAction(scene, row, (action, x) => {
      surface.fillStyle = action.kind === 'evict' ? palette.evict : palette.glyph;
      surface.fillRect(Math.round(x) - 1, row.y, 2, Math.max(1, row.height));
    });
  }
}

/** What lies over the boxes: actions as glyphs where rows are high. */
export function drawMatrixGlyphs(surface: DrawSurface, scene: MatrixScene): void {
  for (const row of scene.rows) {
    if (row.height < GLYPHS_FROM_HEIGHT) continue;
    forEachAction(scene, row, (action, x) => {
      drawGlyph(surface, scene.palette, action, x, row.y + row.height / 2);
    });
  }
}

function drawByLod(surface: FillSurface, { run, rows, window, width, palette, cache }: MatrixScene): void {
  const apart = tellsBlocksApart(window, width);
  const merged = rows.map((row) => {
    const layout = run.layoutAt(row.index);
    return mergeRuns(apart ? layout : cache.joinedOf(layout), window, width);
  });
  for (let lod = MAX_LOD; lod >= 0; lod--) {
    surface.fillStyle = palette.lod[lod]!;
    for (let i = 0; i < rows.length; i++) fillRuns(surface, merged[i]![lod]!, rows[i]!);
  }
}

function drawByScore(surface: FillSurface, { run, rows, window, width, palette }: MatrixScene): void {
  const merged = rows.map((row) => {
    const layout = run.scoredLayoutAt(row.index);
    const scores = run.frameAt(row.index)?.scores;
    if (!layout || !scores) return null;
    return mergeRuns(layout, window, width, SCORE_CLASSES, (i) => scoreClass(scores[i]!));
  });
  const middle = (SCORE_CLASSES - 1) / 2;
  const weakestFirst = Array.from({ length: SCORE_CLASSES }, (_, i) => i).sort(
    (a, b) => Math.abs(a - middle) - Math.abs(b - middle),
  );
  for (const scoreIndex of weakestFirst) {
    surface.fillStyle = palette.score[scoreIndex]!;
    for (let i = 0; i < rows.length; i++) {
      const runs = merged[i];
      if (runs) fillRuns(surface, runs[scoreIndex]!, rows[i]!);
    }
  }
}

function fillRuns(surface: FillSurface, runs: readonly PixelRun[], row: Row): void {
  for (const { x, width } of runs) surface.fillRect(x, row.y, width, row.height);
}

/** The applied actions of a row that are in view, with where they happened. */
function forEachAction(
  { run, window, width }: MatrixScene,
  row: Row,
  visit: (action: ActionRecord, x: number) => void,
): void {
  for (const action of run.frameAt(row.index)?.actions ?? []) {
    if (!action.applied) continue;
    const x = tokenToX((action.start + action.end) / 2, window, width);
    if (x >= -4 && x <= width + 4) visit(action, x);
  }
}

/** What the budget asked for, not the score. */
const FORCED: ReadonlySet<Reason> = new Set([
  'over-budget',
  'cooldown-overruled',
  'paid-for-readmission',
  'coarsest-and-over-budget',
]);

/** ▲ expand, ▼ collapse, ✕ evict, + readmit; hollow when the budget or a hand forced it, not the score. */
function drawGlyph(surface: DrawSurface, palette: Palette, action: ActionRecord, x: number, y: number): void {
  const size = 3.5;
  const forced = FORCED.has(action.reason);
  surface.beginPath();
  if (action.kind === 'readmit') {
    surface.moveTo(x - size, y);
    surface.lineTo(x + size, y);
    surface.moveTo(x, y - size);
    surface.lineTo(x, y + size);
    surface.strokeStyle = palette.evict;
    surface.lineWidth = 2;
    surface.stroke();
    return;
  }
  if (action.kind === 'evict') {
    surface.moveTo(x - size, y - size);
    surface.lineTo(x + size, y + size);
    surface.moveTo(x + size, y - size);
    surface.lineTo(x - size, y + size);
    surface.strokeStyle = palette.evict;
    surface.lineWidth = 2;
    surface.stroke();
    return;
  }
  const tip = action.kind === 'expand' ? -size : size;
  surface.moveTo(x, y + tip);
  surface.lineTo(x + size, y - tip);
  surface.lineTo(x - size, y - tip);
  surface.closePath();
  surface.strokeStyle = forced ? palette.glyph : palette.glyphEdge;
  surface.fillStyle = forced ? palette.glyphEdge : palette.glyph;
  surface.lineWidth = forced ? 1.5 : 2;
  surface.stroke();
  surface.fill();
}
