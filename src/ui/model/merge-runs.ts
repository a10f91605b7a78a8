/** From the entries of one row to the fewest rectangles that show them. Pure. */
import { K, MAX_LOD, tokensPerEntry } from '../../core/tree/ids.ts';
import type { LayoutEntry } from '../../core/trace/telemetry.ts';
import { firstEndingAfter } from './entry-search.ts';
import { type TokenWindow, tokenToX } from './token-axis.ts';

/** A rectangle's horizontal extent, in pixels. */
export interface PixelRun {
  readonly x: number;
  readonly width: number;
}

/** Entries at least this wide are drawn one by one, with a gap between them. */
const SEPARATE_FROM_WIDTH = 5;
/** Nothing is drawn thinner than this: a raw block stays visible at every zoom. */
const MIN_WIDTH = 1.5;

/**
 * Merge the visible entries of a row by class: by LOD unless `classOf` says otherwise.
 *
 * @returns one list of runs per class. Draw the highest LOD first: finer runs are widened to be visible and
 * lie on top, so detail wins the pixel.
 */
export function mergeRuns(
  entries: readonly LayoutEntry[],
  window: TokenWindow,
  width: number,
  classCount = MAX_LOD + 1,
  classOf: (entryIndex: number) => number = (entryIndex) => entries[entryIndex]![0],
): PixelRun[][] {
  const byClass: PixelRun[][] = Array.from({ length: classCount }, () => []);
  const pixelsPerToken = width / (window.end - window.start);
  for (let i = firstEndingAfter(entries, window.start); i < entries.length; i++) {
    const [, start, end] = entries[i]!;
    if (start >= window.end) break;
    const x0 = Math.max(0, tokenToX(start, window, width));
    const x1 = Math.min(width, tokenToX(end, window, width));
    const runs = byClass[classOf(i)]!;
    const separate = tokensPerEntry(entries[i]![0]) * pixelsPerToken >= SEPARATE_FROM_WIDTH;
    const last = runs.at(-1);
    if (!separate && last && x0 - (last.x + last.width) < 0.75) {
      runs[runs.length - 1] = { x: last.x, width: Math.max(x1 - last.x, last.width) };
    } else {
      runs.push({ x: x0, width: Math.max(separate ? x1 - x0 - 1 : x1 - x0, MIN_WIDTH) });
    }
  }
  return byClass;
}

/**
 * The layout with neighbouring K-token entries of one LOD joined, for zooms at which they are not told apart:
 * what is drawn per row then no longer grows with the budget.
 */
export function joinBlocks(entries: readonly LayoutEntry[]): readonly LayoutEntry[] {
  const result: LayoutEntry[] = [];
  for (const entry of entries) {
    const last = result.at(-1);
    if (last && entry[0] <= 1 && last[0] === entry[0])
      result[result.length - 1] = [last[0], last[1], entry[2]];
    else result.push(entry);
  }
  return result;
}

/** Whether blocks of K tokens are told apart at this zoom. */
export function tellsBlocksApart(window: TokenWindow, width: number): boolean {
  return (K * width) / (window.end - window.start) >= SEPARATE_FROM_WIDTH;
}
