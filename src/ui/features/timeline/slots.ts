/** The working context measured in slots: where each entry lies in the model's window, and how that morphs. Pure. */
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import { firstEndingAfter } from '../../model/entry-search.ts';

/** An entry's interval in slots. */
export interface SlotInterval {
  readonly from: number;
  readonly to: number;
}

/** What an entry costs: its tokens at LOD0, one slot for a gist. */
export function entryCost([lod, start, end]: LayoutEntry): number {
  return lod === 0 ? end - start : 1;
}

/** Prefix sums of the costs: entry i fills slots `offsets[i]..offsets[i + 1]`. */
export function slotOffsets(entries: readonly LayoutEntry[]): Float64Array {
  const offsets = new Float64Array(entries.length + 1);
  for (let i = 0; i < entries.length; i++) offsets[i + 1] = offsets[i]! + entryCost(entries[i]!);
  return offsets;
}

/** The slot at which a token lies, linear within an entry; clamped to the layout's ends. */
export function slotAtToken(entries: readonly LayoutEntry[], offsets: Float64Array, token: number): number {
  const index = firstEndingAfter(entries, token);
  const entry = entries[index];
  if (!entry) return offsets[entries.length]!;
  if (token <= entry[1]) return offsets[index]!;
  return (
    offsets[index]! + ((token - entry[1]) / (entry[2] - entry[1])) * (offsets[index + 1]! - offsets[index]!)
  );
}

/**
 * Where each entry of the new layout was in the old one: children of an expanded gist start inside it, a
 * parent starts as wide as the children it replaces, new tokens grow from the right edge. One rule serves
 * split, merge, shift and growth.
 */
export function morphFrom(before: readonly LayoutEntry[], after: readonly LayoutEntry[]): SlotInterval[] {
  const offsets = slotOffsets(before);
  return after.map(([, start, end]) => ({
    from: slotAtToken(before, offsets, start),
    to: slotAtToken(before, offsets, end),
  }));
}

/** The entry at a slot, or -1 beyond the used slots. */
export function entryAtSlot(offsets: Float64Array, slot: number): number {
  const count = offsets.length - 1;
  if (slot < 0 || slot >= offsets[count]!) return -1;
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle]! <= slot) low = middle;
    else high = middle - 1;
  }
  return low;
}
