/** An entry: one item of the working context. */
import { type Lod, K } from '../tree/ids.ts';

/**
 * One item of the working context. `end` is exclusive; `cost` is its number of slots in the base's window:
 * the token count at LOD0 (K, or fewer for the open tail), 1 for a gist.
 */
export interface Entry {
  readonly lod: Lod;
  readonly start: number;
  readonly end: number;
  readonly cost: number;
}

/** True for the last 0..K-1 tokens that do not fill a block yet; exempt from alignment. */
export function isOpenTail(entry: Entry): boolean {
  return entry.lod === 0 && entry.end - entry.start < K;
}
