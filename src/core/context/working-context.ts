/**
 * The working context: an immutable layout of entries that tile the history from the window's start to the
 * cursor. It holds no vectors; `slot-view.ts` gathers those. What turns one layout into another is in `moves.ts`.
 */

import { type BlockSpan, type Lod, K, tokensPerEntry } from '../tree/ids.ts';

/**
 * One item of the working context. `end` is exclusive; `cost` is its number of slots in the base's window:
 * the token count at LOD0 (K, or fewer for the open tail), 1 for a gist.
 */
export interface Entry extends BlockSpan {
  readonly lod: Lod;
  readonly cost: number;
}

/** True for the last 0..K-1 tokens that do not fill a block yet; exempt from alignment. */
export function isOpenTail(entry: Entry): boolean {
  return entry.lod === 0 && entry.end - entry.start < K;
}

/** Tokens `start..end-1` that the researcher pinned: kept at, or brought to, LOD0. */
export interface PinnedSpan {
  readonly start: number;
  readonly end: number;
}

/** `expand`: a gist is replaced by its K children. `collapse`: a raw block, or K siblings, by their parent. */
export type MoveKind = 'expand' | 'collapse';

/** What is in the window, in order of position. Never changed in place. */
export interface Layout {
  readonly entries: readonly Entry[];
  /** `[entries.length]` refocuses that each entry has stayed at its LOD. */
  readonly residency: Uint32Array;
  /** Sum of the entries' costs. */
  readonly usedTokens: number;
  /** The next token's absolute index: where the last entry ends. */
  readonly cursor: number;
}

/** A move that the layout or the tree does not allow; nothing was changed. */
export class LayoutError extends Error {
  override readonly name = 'LayoutError';
}

export function emptyLayout(): Layout {
  return { entries: [], residency: new Uint32Array(0), usedTokens: 0, cursor: 0 };
}

/** An entry of the given LOD at a start; `end` is only needed for the open tail. */
export function entryAt(lod: Lod, start: number, end = start + tokensPerEntry(lod)): Entry {
  return { lod, start, end, cost: lod === 0 ? end - start : 1 };
}

export function layoutOf(entries: readonly Entry[], residency = new Uint32Array(entries.length)): Layout {
  let usedTokens = 0;
  for (const entry of entries) usedTokens += entry.cost;
  return { entries, residency, usedTokens, cursor: entries.at(-1)?.end ?? 0 };
}

/** First token still in the window; what lies before was evicted. */
export function windowStart(layout: Layout): number {
  return layout.entries[0]?.start ?? layout.cursor;
}

/** Index of the entry that holds a token, or -1. O(log n). */
export function entryIndexAt(layout: Layout, token: number): number {
  let low = 0;
  let high = layout.entries.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const entry = layout.entries[middle]!;
    if (token < entry.start) high = middle - 1;
    else if (token >= entry.end) low = middle + 1;
    else return middle;
  }
  return -1;
}

/** Index of exactly this entry, or -1. */
export function indexOfEntry(layout: Layout, lod: number, start: number): number {
  const index = entryIndexAt(layout, start);
  const entry = layout.entries[index];
  return entry?.lod === lod && entry.start === start ? index : -1;
}

/** The same entries one refocus later. */
export function ageLayout(layout: Layout): Layout {
  return { ...layout, residency: layout.residency.map((steps) => steps + 1) };
}

/**
 * The layout with the tokens `layout.cursor..cursor-1` appended raw: the open tail grows, and when it closes it
 * becomes a closed LOD0 block. The budget is not looked at; see `appendAndFit`.
 *
 * @throws {LayoutError} if the cursor would go back.
 */
export function extendLayout(layout: Layout, cursor: number): Layout {
  if (cursor < layout.cursor) {
    throw new LayoutError(`The cursor cannot go back from ${layout.cursor} to ${cursor}.`);
  }
  if (cursor === layout.cursor) return layout;
  const last = layout.entries.at(-1);
  const growsTail = last !== undefined && isOpenTail(last);
  const kept = growsTail ? layout.entries.length - 1 : layout.entries.length;
  const entries = layout.entries.slice(0, kept);
  for (let start = growsTail ? last.start : layout.cursor; start < cursor; start += K) {
    entries.push(entryAt(0, start, Math.min(start + K, cursor)));
  }
  const residency = new Uint32Array(entries.length);
  residency.set(layout.residency.subarray(0, Math.min(entries.length, layout.residency.length)));
  return { entries, residency, usedTokens: layout.usedTokens + cursor - layout.cursor, cursor };
}

/** The K children of a gist as entries: one raw block for LOD1. */
export function childEntries(entry: Entry): readonly Entry[] {
  if (entry.lod === 1) return [entryAt(0, entry.start)];
  const lod = (entry.lod - 1) as Lod;
  const span = tokensPerEntry(lod);
  return Array.from({ length: K }, (_, i) => entryAt(lod, entry.start + i * span));
}
