/** Draws the step × token matrix: one row of coloured spans per refocus, and the actions on top. */
import { MAX_LOD } from '../../core/ids.ts';
import type { ActionRecord } from '../../core/telemetry.ts';
import type { RunTrace } from '../run/run-trace.ts';
import { type Palette, SCORE_CLASSES, scoreClass } from './palette.ts';
import { type Run, joinBlocks, mergeRuns, tellsBlocksApart } from './runs.ts';
import type { Row } from './step-axis.ts';
import type { DrawSurface } from './surface.ts';
import { type TokenWindow, tokenToX } from './token-axis.ts';

interface MatrixScene {
  readonly trace: Pick<RunTrace, 'layoutAt' | 'scoredLayoutAt' | 'frameAt'>;
  readonly rows: readonly Row[];
  readonly window: TokenWindow;
  readonly width: number;
  readonly colourBy: 'lod' | 'score';
  readonly palette: Palette;
}

/** Rows at least this high carry glyphs, lower ones a tick. */
const GLYPHS_FROM_HEIGHT = 7;

export function drawMatrix(surface: DrawSurface, scene: MatrixScene): void {
  if (scene.colourBy === 'lod') drawByLod(surface, scene);
  else drawByScore(surface, scene);
  for (const row of scene.rows) drawActions(surface, scene, row);
}

function drawByLod(surface: DrawSurface, { trace, rows, window, width, palette }: MatrixScene): void {
  const apart = tellsBlocksApart(window, width);
  const merged = rows.map((row) => {
    const layout = trace.layoutAt(row.index);
    return mergeRuns(apart ? layout : joinBlocks(layout), window, width);
  });
  for (let lod = MAX_LOD; lod >= 0; lod--) {
    surface.fillStyle = palette.lod[lod]!;
    for (let i = 0; i < rows.length; i++) fillRuns(surface, merged[i]![lod]!, rows[i]!);
  }
}

function drawByScore(surface: DrawSurface, { trace, rows, window, width, palette }: MatrixScene): void {
  const merged = rows.map((row) => {
    const layout = trace.scoredLayoutAt(row.index);
    const scores = trace.frameAt(row.index)?.scores;
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

function fillRuns(surface: DrawSurface, runs: readonly Run[], row: Row): void {
  for (const run of runs) surface.fillRect(run.x, row.y, run.width, row.height);
}

function drawActions(surface: DrawSurface, { trace, window, width, palette }: MatrixScene, row: Row): void {
  const frame = trace.frameAt(row.index);
  if (!frame) return;
  for (const action of frame.actions) {
    if (!action.applied) continue;
    const x = tokenToX((action.start + action.end) / 2, window, width);
    if (x < -4 || x > width + 4) continue;
    if (row.height >= GLYPHS_FROM_HEIGHT) drawGlyph(surface, palette, action, x, row.y + row.height / 2);
    else {
      surface.fillStyle = action.kind === 'evict' ? palette.evict : palette.glyph;
      surface.fillRect(Math.round(x) - 1, row.y, 2, Math.max(1, row.height));
    }
  }
}

/** ▲ expand, ▼ collapse, ✕ evict; hollow when the budget or a hand forced it, not the score. */
function drawGlyph(surface: DrawSurface, palette: Palette, action: ActionRecord, x: number, y: number): void {
  const size = 3.5;
  const forced = action.reason === 'over-budget' || action.reason === 'coarsest-and-over-budget';
  surface.beginPath();
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
