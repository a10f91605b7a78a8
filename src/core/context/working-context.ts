/**
 * The working context: an immutable layout of entries that tile the history from the window's start to the
 * cursor, and the moves that turn one layout into another. It holds no vectors; `slot-view.ts` gathers those.
 */

import { type BlockSpan, type Lod, K, tokensPerEntry } from '../tree/ids.ts';
import type { GistTree } from '../tree/gist-tree.ts';

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

/**
 * Replace one gist by all K children: one raw block below LOD1, K gists below the others.
 *
 * @throws {LayoutError} if the entry is raw or a child is missing or pruned.
 */
export function expandEntry(layout: Layout, index: number, tree: GistTree): Layout {
  const entry = layout.entries[index];
  if (entry === undefined || entry.lod === 0) throw new LayoutError(`Entry ${index} is no gist.`);
  if (!tree.canServeChildren(entry.lod, entry.start)) {
    throw new LayoutError(`A child of LOD${entry.lod} ${entry.start}..${entry.end} is missing or pruned.`);
  }
  return replaceEntries(layout, index, 1, childEntries(entry));
}

/**
 * Replace the raw block, or all K siblings, that hold entry `index` by their parent.
 *
 * @throws {LayoutError} if it is the open tail, a sibling stands at another LOD, or the parent is missing.
 */
export function collapseEntry(layout: Layout, index: number, tree: GistTree): Layout {
  const entry = layout.entries[index];
  if (entry === undefined || isOpenTail(entry)) throw new LayoutError(`Entry ${index} is no closed entry.`);
  const siblings = siblingRun(layout, index);
  if (siblings === null)
    throw new LayoutError(`Siblings of ${entry.start}..${entry.end} stand at other LODs.`);
  const parentLod = entry.lod + 1;
  const start = layout.entries[siblings.first]!.start;
  if (parentLod > tree.maxLod || !tree.canServe(parentLod, start)) {
    throw new LayoutError(`The LOD${parentLod} gist at ${start} is missing or pruned.`);
  }
  return replaceEntries(layout, siblings.first, siblings.count, [entryAt(parentLod as Lod, start)]);
}

/** Drop the oldest entry from the window. @throws {LayoutError} if only one is left. */
export function evictOldest(layout: Layout): Layout {
  if (layout.entries.length < 2) throw new LayoutError('The last entry cannot leave the window.');
  return replaceEntries(layout, 0, 1, []);
}

/** The K children of a gist as entries: one raw block for LOD1. */
export function childEntries(entry: Entry): readonly Entry[] {
  if (entry.lod === 1) return [entryAt(0, entry.start)];
  const lod = (entry.lod - 1) as Lod;
  const span = tokensPerEntry(lod);
  return Array.from({ length: K }, (_, i) => entryAt(lod, entry.start + i * span));
}

/**
 * The run of entries that collapse together with entry `index`: itself at LOD0, its K siblings above; null
 * unless all of them are present at its LOD.
 */
export function siblingRun(
  layout: Layout,
  index: number,
): { readonly first: number; readonly count: number } | null {
  const entry = layout.entries[index];
  if (entry === undefined) return null;
  if (entry.lod === 0) return { first: index, count: 1 };
  const span = tokensPerEntry(entry.lod);
  const first = index - (Math.floor(entry.start / span) % K);
  const oldest = layout.entries[first];
  const newest = layout.entries[first + K - 1];
  const isWhole =
    oldest?.lod === entry.lod &&
    newest?.lod === entry.lod &&
    oldest.start % (span * K) === 0 &&
    newest.end - oldest.start === span * K;
  if (!isWhole) return null;
  // K entries over K spans, ends at the LOD: a coarser or finer one between would change the count.
  for (let i = first + 1; i < first + K; i++) if (layout.entries[i]!.lod !== entry.lod) return null;
  return { first, count: K };
}

function replaceEntries(layout: Layout, at: number, remove: number, insert: readonly Entry[]): Layout {
  const entries = [...layout.entries.slice(0, at), ...insert, ...layout.entries.slice(at + remove)];
  const residency = new Uint32Array(entries.length);
  residency.set(layout.residency.subarray(0, at));
  residency.set(layout.residency.subarray(at + remove), at + insert.length);
  let usedTokens = layout.usedTokens;
  for (const entry of insert) usedTokens += entry.cost;
  for (let i = at; i < at + remove; i++) usedTokens -= layout.entries[i]!.cost;
  return { entries, residency, usedTokens, cursor: layout.cursor };
}
