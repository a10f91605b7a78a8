/** Finding entries of a layout by token, in logarithmic time. Pure. */
import type { LayoutEntry } from '../../core/trace/telemetry.ts';

/** The index of the first entry that ends after `token`; `entries.length` if there is none. */
export function firstEndingAfter(entries: readonly LayoutEntry[], token: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]![2] > token) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The index of the entry that covers a token, or -1. */
export function entryAtToken(entries: readonly LayoutEntry[], token: number): number {
  const index = firstEndingAfter(entries, token);
  const entry = entries[index];
  return entry && entry[1] <= token ? index : -1;
}
