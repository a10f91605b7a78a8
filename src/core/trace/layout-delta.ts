/** How traces store layouts: whole as a keyframe, or as the runs that differ from the frame before. */
import type { Entry } from '../context/working-context.ts';
import type { LayoutEntry, TelemetryEventOf } from './telemetry.ts';

/** A layout as a refocus event holds it. */
export type LayoutFrame = TelemetryEventOf<'refocus'>['layout'];
export type Splice = Extract<LayoutFrame, { kind: 'delta' }>['splices'][number];

/** A delta that does not fit the layout it is applied to: a damaged or foreign trace. */
export class LayoutDeltaError extends Error {
  override readonly name = 'LayoutDeltaError';
}

export function toLayoutEntries(entries: readonly Entry[]): LayoutEntry[] {
  return entries.map(({ lod, start, end }) => [lod, start, end]);
}

export function keyframe(entries: readonly LayoutEntry[]): LayoutFrame {
  return { kind: 'keyframe', entries: [...entries] };
}

/** The splices that turn `before` into `after`; both are tilings in order of position. O(n). */
export function layoutDelta(before: readonly LayoutEntry[], after: readonly LayoutEntry[]): LayoutFrame {
  const splices: Splice[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (isSame(before[i], after[j])) {
      i++;
      j++;
      continue;
    }
    const splice: Splice = { at: i, remove: 0, insert: [] };
    while ((i < before.length || j < after.length) && !isSame(before[i], after[j])) {
      const old = before[i];
      const fresh = after[j];
      // Walk by position, so that the two meet again at the first entry they share.
      if (fresh === undefined || (old !== undefined && old[1] <= fresh[1])) {
        splice.remove++;
        i++;
      } else {
        splice.insert.push(fresh);
        j++;
      }
    }
    splices.push(splice);
  }
  return { kind: 'delta', splices };
}

/**
 * The layout after a frame.
 *
 * @param before - the layout of the frame before; not read for a keyframe.
 * @throws {LayoutDeltaError} if a splice lies outside it or the splices are out of order.
 */
export function applyLayoutFrame(before: readonly LayoutEntry[], frame: LayoutFrame): readonly LayoutEntry[] {
  if (frame.kind === 'keyframe') return frame.entries;
  if (frame.splices.length === 0) return before;
  const after: LayoutEntry[] = [];
  let position = 0;
  for (const { at, remove, insert } of frame.splices) {
    if (at < position || at + remove > before.length) {
      throw new LayoutDeltaError(
        `A splice at ${at} removing ${remove} does not fit ${before.length} entries.`,
      );
    }
    for (; position < at; position++) after.push(before[position]!);
    for (const entry of insert) after.push(entry);
    position += remove;
  }
  for (; position < before.length; position++) after.push(before[position]!);
  return after;
}

function isSame(a: LayoutEntry | undefined, b: LayoutEntry | undefined): boolean {
  return a !== undefined && b !== undefined && a[0] === b[0] && a[1] === b[1] && a[2] === b[2];
}
