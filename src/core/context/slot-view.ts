/** Gathers the working context as tensors: what the scorer and the base model read. */
import { isOpenTail } from './working-context.ts';
import type { Entry, Layout } from './working-context.ts';
import { K, type NodeRun, tokensPerEntry } from '../tree/ids.ts';
import { gistPosition } from './positions.ts';

import { type HistoryWords, LEXICAL_FEATURES } from '../lexical/history-words.ts';
import { ROLES } from '../tree/provenance.ts';
import type { GistTree } from '../tree/gist-tree.ts';

/** A slot's features in their order: one LOD, three logarithms (docs/models.md), one role. */
export const SLOT_FEATURE_NAMES = [
  'lod0',
  'lod1',
  'lod2',
  'lod3',
  'lod4',
  'log2Span',
  'log2Distance',
  'lnResidency',
  'system',
  'user',
  'assistant',
  'document',
] as const;
export const SLOT_FEATURES = SLOT_FEATURE_NAMES.length;
/** What each logarithm is divided by. */
export const FEATURE_SCALES = { log2Span: 20, log2Distance: 20, lnResidency: 5 } as const;

/**
 * The working context as tensors. N slots = the sum of entry costs; borrowed by the scorer, never kept.
 * An LOD0 block is one slot a token, a gist is one slot.
 */
export interface SlotView {
  readonly entries: readonly Entry[];
  readonly slotCount: number;
  readonly hiddenSize: number;
  /** `[N, d]` token embeddings and gists: what the base model reads. */
  readonly embeddings: Float32Array;
  /** `[N, d]` the gist itself, or for LOD0 slots their block's LOD1 gist (open tail: mean embedding). */
  readonly blockVectors: Float32Array;
  /** `[N, SLOT_FEATURES]`. */
  readonly features: Float32Array;
  /** `[N, LEXICAL_FEATURES]` words shared with what is asked; null where the history's words were not given. */
  readonly lexical: Float32Array | null;
  /** `[N]` absolute indices; a gist sits at its span's centre, `start + span/2`. */
  readonly positions: Float64Array;
  /** `[N]` index into `entries`. */
  readonly entryOfSlot: Uint32Array;
  /**
   * The slots whose own scores are asked for, ascending, the first of every entry among them; any other may get that of
   * the nearest before it. Absent where all are.
   */
  readonly scoredSlots?: Uint32Array;
  /** `[m, d]` embeddings of the last m tokens of history, oldest first. */
  readonly tail: Float32Array;
  readonly tailCount: number;
  /** The next token's absolute index. */
  readonly cursor: number;
  /** The refocus step that is being scored; absent outside a run. */
  readonly step?: number;
}

/** Looks up token embeddings: `[n]` ids → `[n, d]`, owned by the caller. */
export type Embed = (ids: Uint32Array) => Float32Array;

export interface SlotViewInput {
  readonly layout: Layout;
  readonly tree: GistTree;
  readonly embed: Embed;
  /** M: how many of the newest tokens the tail holds at most. */
  readonly tailTokens: number;
  /** Of the same history, for scorers that read words. */
  readonly words?: HistoryWords | null;
  /** How many tokens of a raw block are scored; K, all of them, where absent. */
  readonly scoredTokens?: number | undefined;
  /** The refocus step that is being scored. */
  readonly step?: number;
}

/** Arrays that one view after another may reuse; a view is then valid until the next one is built. */
export class SlotBuffers {
  embeddings = new Float32Array(0);
  blockVectors = new Float32Array(0);
  features = new Float32Array(0);
  lexical = new Float32Array(0);
  positions = new Float64Array(0);
  entryOfSlot = new Uint32Array(0);

  /** Grow to `slots` slots of width d; never shrinks. */
  reserve(slots: number, hiddenSize: number): void {
    if (this.embeddings.length < slots * hiddenSize) {
      this.embeddings = new Float32Array(slots * hiddenSize);
      this.blockVectors = new Float32Array(slots * hiddenSize);
    }
    if (this.positions.length < slots) {
      this.features = new Float32Array(slots * SLOT_FEATURES);
      this.lexical = new Float32Array(slots * LEXICAL_FEATURES);
      this.positions = new Float64Array(slots);
      this.entryOfSlot = new Uint32Array(slots);
    }
  }
}

/** Read in the gists that a view of the layout reads, where they were left out of memory. */
export async function bringInGists({ entries }: Pick<Layout, 'entries'>, tree: GistTree): Promise<void> {
  if (tree.isWhole) return;
  await tree.bringIn(
    entries.map((entry): NodeRun => {
      const { lod, start } = entry;
      // A raw block's own gist is read beside its tokens.
      return { lod: Math.max(1, lod), first: start / tokensPerEntry(lod), count: 1 };
    }),
  );
}

/**
 * Gather the layout's vectors, features and positions. Its gists must be in memory (`bringInGists`).
 *
 * @param buffers - reused when given; the view then borrows from them.
 */
export function buildSlotView(input: SlotViewInput, buffers = new SlotBuffers()): SlotView {
  const { layout, tree, tailTokens, words } = input;
  const d = tree.hiddenSize;
  const slotCount = layout.usedTokens;
  buffers.reserve(slotCount, d);
  const view = {
    entries: layout.entries,
    slotCount,
    hiddenSize: d,
    embeddings: buffers.embeddings.subarray(0, slotCount * d),
    blockVectors: buffers.blockVectors.subarray(0, slotCount * d),
    features: buffers.features.subarray(0, slotCount * SLOT_FEATURES),
    lexical:
      words?.features(
        layout.entries,
        words.askedAt(layout.cursor, tailTokens),
        buffers.lexical.subarray(0, slotCount * LEXICAL_FEATURES),
      ) ?? null,
    positions: buffers.positions.subarray(0, slotCount),
    entryOfSlot: buffers.entryOfSlot.subarray(0, slotCount),
    cursor: layout.cursor,
    ...((input.scoredTokens ?? K) < K && { scoredSlots: scoredSlotsOf(layout, input.scoredTokens!) }),
    ...(input.step === undefined ? {} : { step: input.step }),
  };
  readSlotVectors(layout, tree, input.embed, 0, slotCount, view.embeddings);
  for (let i = 0, slot = 0; i < layout.entries.length;) {
    const entry = layout.entries[i]!;
    if (entry.lod === 0) {
      view.entryOfSlot.fill(i, slot, slot + entry.cost);
      writeBlockVector(view.blockVectors, view.embeddings, slot, entry, tree);
      for (let t = 0; t < entry.cost; t++) view.positions[slot + t] = entry.start + t;
      slot += entry.cost;
      i++;
    } else {
      const count = gistRunLength(layout.entries, i);
      view.blockVectors.set(view.embeddings.subarray(slot * d, (slot + count) * d), slot * d);
      for (const end = i + count; i < end; i++, slot++) {
        view.entryOfSlot[slot] = i;
        view.positions[slot] = gistPosition(layout.entries[i]!);
      }
    }
  }
  writeFeatures(view.features, layout, tree);
  const tailCount = Math.min(tailTokens, layout.cursor);
  const tail = input.embed(tree.tokens(layout.cursor - tailCount, layout.cursor));
  return { ...view, tail, tailCount };
}

/**
 * Write what the base reads of the layout's slots `from..to-1`: `[to - from, d]` token embeddings and gists. Raw tokens
 * are embedded in one call, gists that are neighbours in the tree are read at once.
 */
export function readSlotVectors(
  { entries }: Pick<Layout, 'entries'>,
  tree: GistTree,
  embed: Embed,
  from: number,
  to: number,
  out: Float32Array,
): void {
  const d = tree.hiddenSize;
  const ids = new Uint32Array(to - from);
  const rawRuns: { readonly at: number; readonly count: number }[] = [];
  let rawCount = 0;
  for (let i = 0, slot = 0; i < entries.length && slot < to;) {
    const { lod, start, cost } = entries[i]!;
    const run = lod === 0 ? 1 : gistRunLength(entries, i);
    const slots = lod === 0 ? cost : run;
    const first = Math.max(slot, from);
    const count = Math.min(slot + slots, to) - first;
    if (count > 0 && lod === 0) {
      const token = start + first - slot;
      tree.copyTokens(token, token + count, ids, rawCount);
      rawRuns.push({ at: first - from, count });
      rawCount += count;
    } else if (count > 0) {
      tree.readGists(lod, start / tokensPerEntry(lod) + first - slot, count, out, (first - from) * d);
    }
    slot += slots;
    i += run;
  }
  if (rawCount === 0) return;
  const raw = embed(ids.subarray(0, rawCount));
  let read = 0;
  for (const { at, count } of rawRuns) {
    out.set(raw.subarray(read * d, (read + count) * d), at * d);
    read += count;
  }
}

/** Every gist, and of a raw block as many tokens at equal distances. */
export function scoredSlotsOf({ entries, usedTokens }: Layout, scoredTokens: number): Uint32Array {
  const stride = Math.ceil(K / Math.max(1, scoredTokens));
  const slots = new Uint32Array(usedTokens);
  let count = 0;
  let first = 0;
  for (const { cost } of entries) {
    for (let slot = first; slot < first + cost; slot += stride) slots[count++] = slot;
    first += cost;
  }
  return slots.slice(0, count);
}

/** The block's LOD1 gist for every slot of a raw block; the mean of its embeddings while it has none. */
function writeBlockVector(
  blockVectors: Float32Array,
  embeddings: Float32Array,
  slot: number,
  entry: Entry,
  tree: GistTree,
): void {
  const d = tree.hiddenSize;
  const first = slot * d;
  const index = entry.start / K;
  if (!isOpenTail(entry) && index < tree.countAt(1)) {
    tree.readGists(1, index, 1, blockVectors, first);
  } else {
    blockVectors.fill(0, first, first + d);
    for (let t = 0; t < entry.cost; t++) {
      for (let j = 0; j < d; j++) blockVectors[first + j]! += embeddings[first + t * d + j]!;
    }
    for (let j = 0; j < d; j++) blockVectors[first + j]! /= entry.cost;
  }
  for (let t = 1; t < entry.cost; t++) blockVectors.copyWithin(first + t * d, first, first + d);
}

/** How many entries from `first` on stand at its LOD without a gap. */
function gistRunLength(entries: readonly Entry[], first: number): number {
  const { lod } = entries[first]!;
  let end = first + 1;
  while (end < entries.length && entries[end]!.lod === lod && entries[end]!.start === entries[end - 1]!.end)
    end++;
  return end - first;
}

/** Each entry's features, the same for each of its slots; the order is that of docs/models.md. */
function writeFeatures(features: Float32Array, layout: Layout, tree: GistTree): void {
  const runs = tree.provenance;
  let run = Math.max(0, tree.provenanceIndexAt(layout.entries[0]?.start ?? 0));
  let at = 0;
  features.fill(0);
  for (let i = 0; i < layout.entries.length; i++) {
    const entry = layout.entries[i]!;
    while (run + 1 < runs.length && runs[run]!.end <= entry.start) run++;
    const role = runs[run]?.role;
    const first = at;
    features[first + entry.lod] = 1;
    features[first + 5] = Math.log2(entry.end - entry.start) / FEATURE_SCALES.log2Span;
    features[first + 6] = Math.log2(1 + layout.cursor - entry.end) / FEATURE_SCALES.log2Distance;
    features[first + 7] = Math.log1p(layout.residency[i]!) / FEATURE_SCALES.lnResidency;
    if (role !== undefined) features[first + 8 + ROLES.indexOf(role)] = 1;
    at += SLOT_FEATURES;
    for (let t = 1; t < entry.cost; t++, at += SLOT_FEATURES) {
      features.copyWithin(at, first, first + SLOT_FEATURES);
    }
  }
}
