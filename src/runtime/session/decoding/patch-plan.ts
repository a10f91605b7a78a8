/**
 * Which cached slots a changed working context can keep (`patch` mode): those that hold the same at the same
 * place, with the keys and values of the context in which they were run. Pure. CacheBlend (Yao et al., 2024)
 * keeps cached chunks alike and runs a few tokens again.
 */
import type { SlotPositions } from '../../../core/context/positions.ts';

/** How many slots behind a swapped run are run again, too: their nearest context is another now. */
export interface RerunSlots {
  /** Where what came in is no less than what left, as when a block was opened. */
  readonly opened: number;
  /** Where less came in than left, as when a block was closed. */
  readonly closed: number;
}

/**
 * A base's first layers look a few tokens back: without the slots behind an opened block, facts that cross its edge
 * were misread (docs/evaluation.md). Slots behind a closed one read it when it was open.
 */
export const RERUN_SLOTS: RerunSlots = { opened: 8, closed: 0 };

/** What slots hold and where they stand. */
export interface SlotList {
  /** A raw token's position, or minus (a gist's span id + 1); each once, ascending by the span's start. */
  readonly keys: Float64Array;
  readonly places: SlotPositions;
}

/**
 * Where each wanted slot comes from.
 *
 * @param cached - its first `cachedCount` slots count.
 * @returns `[wanted]` the cached slot to keep, ascending; -1 to run it.
 */
export function planPatch(
  cached: SlotList,
  cachedCount: number,
  wanted: SlotList,
  rerun: RerunSlots,
): Int32Array {
  const slotOf = new Map<number, number>();
  for (let slot = 0; slot < cachedCount; slot++) slotOf.set(cached.keys[slot]!, slot);
  const sources = new Int32Array(wanted.keys.length).fill(-1);
  let left = 0;
  /** The cached slot behind the last one that is there still, and how many wanted ones came in since. */
  let next = 0;
  let fresh = 0;
  // The last slot is always run: its logits are wanted.
  for (let slot = 0; slot < wanted.keys.length - 1; slot++) {
    const source = slotOf.get(wanted.keys[slot]!);
    if (source === undefined || !isSamePlace(cached, source, wanted, slot)) {
      fresh++;
      continue;
    }
    // A slot may also have vanished before this one without another in its place.
    const gone = source - next;
    if (fresh > 0 || gone > 0) left = Math.max(left, fresh < gone ? rerun.closed : rerun.opened);
    next = source + 1;
    fresh = 0;
    if (left === 0) sources[slot] = source;
    else left--;
  }
  return sources;
}

/** The runs of slots that a plan leaves to be run, `[from, to)`, ascending. */
export function gapsOf(sources: Int32Array): { readonly from: number; readonly to: number }[] {
  const gaps = [];
  for (let from = 0; from < sources.length; from++) {
    if (sources[from] !== -1) continue;
    let to = from + 1;
    while (to < sources.length && sources[to] === -1) to++;
    gaps.push({ from, to });
    from = to;
  }
  return gaps;
}

function isSamePlace(a: SlotList, slotOfA: number, b: SlotList, slotOfB: number): boolean {
  return (
    a.places.positions[slotOfA] === b.places.positions[slotOfB] &&
    a.places.deviations[slotOfA] === b.places.deviations[slotOfB]
  );
}

/** How many first slots of both lists hold the same at the same place. */
export function commonPrefix(cached: SlotList, cachedCount: number, wanted: SlotList): number {
  const most = Math.min(cachedCount, wanted.keys.length);
  let common = 0;
  while (
    common < most &&
    cached.keys[common] === wanted.keys[common] &&
    isSamePlace(cached, common, wanted, common)
  ) {
    common++;
  }
  return common;
}
