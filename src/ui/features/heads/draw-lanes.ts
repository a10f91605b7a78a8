/** Draws a head's working context, or what several hold raw, as one lane over the token axis. */
import { rawBlocks } from '../../../core/heads/coverage.ts';
import { protectedStart } from '../../../core/context/moves.ts';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import { K } from '../../../core/tree/ids.ts';
import { mergeRuns } from '../../model/merge-runs.ts';
import type { RunFrames } from '../../model/shown-run.ts';
import { type TokenWindow, tokenToX } from '../../model/token-axis.ts';
import type { Palette } from '../../view/palette.ts';
import type { DrawSurface } from '../../widgets/surface.ts';

export interface LaneScene {
  readonly window: TokenWindow;
  /** Left edge and width of the token axis. */
  readonly left: number;
  readonly width: number;
  readonly height: number;
  readonly palette: Palette;
}

/** Levels of detail by colour; raw lies on top. */
export function drawLane(surface: DrawSurface, entries: readonly LayoutEntry[], scene: LaneScene): void {
  const { window, left, width, height, palette } = scene;
  surface.fillStyle = palette.empty;
  surface.fillRect(left, 0, width, height);
  const byLod = mergeRuns(entries, window, width);
  for (let lod = byLod.length - 1; lod >= 0; lod--) {
    surface.fillStyle = palette.lod[lod]!;
    for (const run of byLod[lod]!) surface.fillRect(left + run.x, 0, run.width, height);
  }
}

/** Blocks that two heads or more hold raw, the darker the more hold them. */
export function drawOverlap(
  surface: DrawSurface,
  held: readonly ReadonlySet<number>[],
  { window, left, width, height, palette }: LaneScene,
): void {
  surface.fillStyle = palette.empty;
  surface.fillRect(left, 0, width, height);
  const counts = new Map<number, number>();
  for (const blocks of held) for (const block of blocks) counts.set(block, (counts.get(block) ?? 0) + 1);
  surface.fillStyle = palette.accent;
  for (const [block, count] of counts) {
    if (count < 2 || (block + 1) * K <= window.start || block * K >= window.end) continue;
    const x = Math.max(0, tokenToX(block * K, window, width));
    const end = Math.min(width, tokenToX((block + 1) * K, window, width));
    surface.globalAlpha = 0.25 + (0.75 * (count - 1)) / Math.max(1, held.length - 1);
    surface.fillRect(left + x, 0, Math.max(1.5, end - x), height);
  }
  surface.globalAlpha = 1;
}

/** Of every head, in the order given, the blocks that it holds raw beyond its recent window. */
export function heldBlocks(run: RunFrames, heads: readonly number[], index: number): ReadonlySet<number>[] {
  return heads.map((head) => {
    const own = run.ofHead(head);
    const frame = own?.frameAt(index);
    if (!own || !frame) return new Set<number>();
    const recentTokens = run.configAt(index)?.recentTokens ?? 0;
    const recentStart = protectedStart(frame.cursor, { recentTokens, budgetTokens: frame.budgetTokens });
    const entries = own
      .layoutAt(index)
      .map(([lod, start, end]) => ({ lod: lod as 0 | 1 | 2 | 3 | 4, start, end }));
    return rawBlocks(entries, recentStart);
  });
}
