/** What heads hold raw beyond the protected recent window, against one another. Pure. */
import type { Entry } from '../context/working-context.ts';
import { K } from '../tree/ids.ts';

/** Of an entry, what matters here; traces store it as `[lod, start, end]`. */
type RawSpan = Pick<Entry, 'lod' | 'start' | 'end'>;

/** Blocks, by index, that entries hold raw before `recentStart`, ascending. */
export function rawBlocks(entries: Iterable<RawSpan>, recentStart: number): ReadonlySet<number> {
  const blocks = new Set<number>();
  for (const { lod, start, end } of entries) if (lod === 0 && end <= recentStart) blocks.add(start / K);
  return blocks;
}

/** Of the blocks raw in either, the share that is raw in both; 0 where neither holds any. */
export function overlapOf(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  let both = 0;
  for (const block of a) if (b.has(block)) both++;
  const either = a.size + b.size - both;
  return either === 0 ? 0 : both / either;
}

/** `[heads][heads]` symmetric; 1 on the diagonal of a head that holds anything. */
export function overlapMatrix(heads: readonly ReadonlySet<number>[]): readonly (readonly number[])[] {
  return heads.map((a) => heads.map((b) => overlapOf(a, b)));
}

/** `[heads]` the share of each one's blocks that no other head holds raw; 0 where it holds none. */
export function noveltyOf(heads: readonly ReadonlySet<number>[]): readonly number[] {
  return heads.map((own, head) => {
    if (own.size === 0) return 0;
    let alone = 0;
    for (const block of own) {
      if (!heads.some((other, index) => index !== head && other.has(block))) alone++;
    }
    return alone / own.size;
  });
}
