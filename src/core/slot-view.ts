/** Gathers the working context as tensors: what the scorer and the base model read. */
import { isOpenTail } from './entry.ts';
import type { Entry } from './entry.ts';
import { K, tokensPerEntry } from './ids.ts';
import { SLOT_FEATURES } from './ports.ts';
import type { SlotView } from './ports.ts';
import { ROLES } from './telemetry.ts';
import type { GistTree } from './tree.ts';
import type { Layout } from './working-context.ts';

/** Looks up token embeddings: `[n]` ids → `[n, d]`, owned by the caller. */
export type Embed = (ids: Uint32Array) => Float32Array;

export interface SlotViewInput {
  readonly layout: Layout;
  readonly tree: GistTree;
  readonly embed: Embed;
  /** M: how many of the newest tokens the tail holds at most. */
  readonly tailTokens: number;
  /** The refocus step that is being scored. */
  readonly step?: number;
}

/** Arrays that one view after another may reuse; a view is then valid until the next one is built. */
export class SlotBuffers {
  embeddings = new Float32Array(0);
  blockVectors = new Float32Array(0);
  features = new Float32Array(0);
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
      this.positions = new Float64Array(slots);
      this.entryOfSlot = new Uint32Array(slots);
    }
  }
}

/** Absolute position of a gist: the centre of its span. */
export function gistPosition(entry: Entry): number {
  return entry.start + tokensPerEntry(entry.lod) / 2;
}

/**
 * Gather the layout's vectors, features and positions.
 *
 * @param buffers - reused when given; the view then borrows from them.
 */
export function buildSlotView(input: SlotViewInput, buffers = new SlotBuffers()): SlotView {
  const { layout, tree } = input;
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
    positions: buffers.positions.subarray(0, slotCount),
    entryOfSlot: buffers.entryOfSlot.subarray(0, slotCount),
    cursor: layout.cursor,
    ...(input.step === undefined ? {} : { step: input.step }),
  };
  const raw = input.embed(rawTokenIds(layout, tree));
  let slot = 0;
  let rawSlot = 0;
  for (let i = 0; i < layout.entries.length; i++) {
    const entry = layout.entries[i]!;
    view.entryOfSlot.fill(i, slot, slot + entry.cost);
    writeFeatures(view.features, slot, layout, i, tree);
    if (entry.lod === 0) {
      view.embeddings.set(raw.subarray(rawSlot * d, (rawSlot + entry.cost) * d), slot * d);
      writeBlockVector(view.blockVectors, view.embeddings, slot, entry, tree);
      for (let t = 0; t < entry.cost; t++) view.positions[slot + t] = entry.start + t;
      rawSlot += entry.cost;
    } else {
      tree.readGists(entry.lod, entry.start / tokensPerEntry(entry.lod), 1, view.embeddings, slot * d);
      view.blockVectors.set(view.embeddings.subarray(slot * d, (slot + 1) * d), slot * d);
      view.positions[slot] = gistPosition(entry);
    }
    slot += entry.cost;
  }
  const tailCount = Math.min(input.tailTokens, layout.cursor);
  const tail = input.embed(tree.tokens(layout.cursor - tailCount, layout.cursor));
  return { ...view, tail, tailCount };
}

/** All raw tokens of the window in order, so that they are embedded in one call. */
function rawTokenIds(layout: Layout, tree: GistTree): Uint32Array {
  let count = 0;
  for (const entry of layout.entries) if (entry.lod === 0) count += entry.cost;
  const ids = new Uint32Array(count);
  let offset = 0;
  for (const entry of layout.entries) {
    if (entry.lod !== 0) continue;
    tree.copyTokens(entry.start, entry.end, ids, offset);
    offset += entry.cost;
  }
  return ids;
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

/** One entry's features, the same for each of its slots; the order is that of docs/models.md. */
function writeFeatures(
  features: Float32Array,
  slot: number,
  layout: Layout,
  index: number,
  tree: GistTree,
): void {
  const entry = layout.entries[index]!;
  const at = slot * SLOT_FEATURES;
  features.fill(0, at, at + SLOT_FEATURES);
  features[at + entry.lod] = 1;
  features[at + 5] = Math.log2(entry.end - entry.start) / 20;
  features[at + 6] = Math.log2(1 + layout.cursor - entry.end) / 20;
  features[at + 7] = Math.log1p(layout.residency[index]!) / 5;
  const run = tree.provenance[tree.provenanceIndexAt(entry.start)];
  if (run !== undefined) features[at + 8 + ROLES.indexOf(run.role)] = 1;
  for (let t = 1; t < entry.cost; t++) {
    features.copyWithin(at + t * SLOT_FEATURES, at, at + SLOT_FEATURES);
  }
}
