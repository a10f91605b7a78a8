/** Draws the whole history in one line: who wrote it, and at which detail the shown step holds it. */
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import type { TokenSpan } from '../../model/shown-run.ts';
import { drawFlag } from './draw-overlay.ts';
import type { ProvenanceRun } from '../../../runtime/engine/protocol/protocol.ts';
import type { Palette } from '../../view/palette.ts';
import { mergeRuns } from '../../model/merge-runs.ts';
import type { DrawSurface } from '../../widgets/surface.ts';
import { fitTokens, tokenToX } from '../../model/token-axis.ts';

export interface MinimapScene {
  readonly entries: readonly LayoutEntry[];
  readonly provenance: readonly ProvenanceRun[];
  readonly totalTokens: number;
  /** Tokens that hold the answer. */
  readonly gold: readonly TokenSpan[];
  readonly width: number;
  readonly height: number;
  readonly palette: Palette;
}

const ROLE_LINE = 4;

export function drawMinimap(surface: DrawSurface, scene: MinimapScene): void {
  const { entries, provenance, totalTokens, width, height, palette } = scene;
  const window = fitTokens(totalTokens);
  surface.clearRect(0, 0, width, height);
  surface.fillStyle = palette.empty;
  surface.fillRect(0, 0, width, height);
  const byLod = mergeRuns(entries, window, width);
  for (let lod = byLod.length - 1; lod >= 0; lod--) {
    surface.fillStyle = palette.lod[lod]!;
    for (const run of byLod[lod]!) surface.fillRect(run.x, 0, run.width, height - ROLE_LINE - 1);
  }
  provenance.forEach((run, i) => {
    const x = tokenToX(run.start, window, width);
    surface.fillStyle =
      run.role === 'user' ? palette.user : run.role === 'assistant' ? palette.assistant : palette.muted;
    surface.globalAlpha = run.role === 'document' && i % 2 === 1 ? 0.35 : 0.6;
    if (run.role === 'user' || run.role === 'assistant') surface.globalAlpha = 1;
    surface.fillRect(x, height - ROLE_LINE, Math.max(1, tokenToX(run.end, window, width) - x - 1), ROLE_LINE);
  });
  surface.globalAlpha = 1;
  surface.fillStyle = palette.text;
  for (const { start, end } of scene.gold) drawFlag(surface, tokenToX((start + end) / 2, window, width), 0);
}
