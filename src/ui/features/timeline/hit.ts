/** From a pointer position to the block under it. Pure. */
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import { entryAtToken, firstEndingAfter } from '../../model/entry-search.ts';
import { type TokenWindow, xToToken } from '../../model/token-axis.ts';

/** How far beside the pointer a finer block still wins, in pixels. */
const REACH_PIXELS = 3;

/**
 * The index of the entry at pixel x, preferring the finest entry within reach: a raw block among gists may
 * be narrower than a pixel and is what the pointer usually wants.
 *
 * @returns -1 where no entry is (before the window's start, or after the cursor).
 */
export function entryAtX(
  entries: readonly LayoutEntry[],
  x: number,
  window: TokenWindow,
  width: number,
): number {
  const token = xToToken(x, window, width);
  const exact = entryAtToken(entries, token);
  const reach = xToToken(x + REACH_PIXELS, window, width) - token;
  let best = exact;
  let bestDistance = 0;
  for (let i = firstEndingAfter(entries, token - reach); i < entries.length; i++) {
    const [lod, start, end] = entries[i]!;
    if (start > token + reach) break;
    const distance = Math.abs((start + end) / 2 - token);
    const bestLod = best < 0 ? Number.POSITIVE_INFINITY : entries[best]![0];
    const narrow = end - start < 2 * reach;
    if (
      (narrow && lod < bestLod) ||
      (narrow && lod === bestLod && best !== exact && distance < bestDistance)
    ) {
      best = i;
      bestDistance = distance;
    }
  }
  return best;
}
