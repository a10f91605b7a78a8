/**
 * Figures of a history's blocks, few of which have one. What is asked of a long history touches few of its blocks, so
 * that nothing here grows with the others. Pure.
 */
import { K } from '../tree/ids.ts';

/** Every block that is not named has 0. */
export interface BlockValues {
  /** Ascending. */
  readonly blocks: Uint32Array;
  /** `[blocks.length]`, none below 0. */
  readonly values: Float64Array;
}

/** `[count]` the first blocks' figures, one by one. */
export function denseValues({ blocks, values }: BlockValues, count: number): Float64Array {
  const dense = new Float64Array(count);
  for (let i = 0; i < blocks.length && blocks[i]! < count; i++) dense[blocks[i]!] = values[i]!;
  return dense;
}

/**
 * `[entries]` the best figure of each entry's blocks: a page is worth opening for one of them.
 *
 * @param entries - ascending, as a layout has them.
 */
export function bestOfEntries(
  entries: readonly { readonly start: number; readonly end: number }[],
  { blocks, values }: BlockValues,
): Float64Array {
  const best = new Float64Array(entries.length);
  const { length } = blocks;
  let at = 0;
  for (let entry = 0; entry < best.length; entry++) {
    const first = Math.ceil(entries[entry]!.start / K);
    const behind = Math.ceil(entries[entry]!.end / K);
    while (at < length && blocks[at]! < first) at++;
    let most = 0;
    for (; at < length && blocks[at]! < behind; at++) if (values[at]! > most) most = values[at]!;
    best[entry] = most;
  }
  return best;
}
