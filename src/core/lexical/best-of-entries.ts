/** What blocks' figures make of the entries of a working context that cover them. Pure. */
import { K } from '../tree/ids.ts';
import type { BlockValues } from './block-values.ts';

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
