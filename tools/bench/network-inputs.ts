/** What the suites of the networks alone run over: random tokens, a working context of gists, blocks to compress. */
import { Rng } from '../../src/base/rng.ts';
import { SLOT_FEATURES, type SlotView } from '../../src/core/context/slot-view.ts';
import { LEXICAL_FEATURES } from '../../src/core/lexical/history-words.ts';
import { K } from '../../src/core/tree/ids.ts';
import type { GistNet, LanguageModel } from '../../src/nn/ports.ts';

/** `[count, d]` embeddings of random tokens, and the places `0..count-1`. */
export function randomSlots(
  base: LanguageModel,
  count: number,
): { readonly embeddings: Float32Array; readonly positions: Float64Array } {
  const rng = new Rng(1);
  const ids = Uint32Array.from({ length: count }, () => rng.nextUint32() % base.vocabularySize);
  return { embeddings: base.embed(ids), positions: Float64Array.from(ids.keys()) };
}

/**
 * A working context of gists alone, all of whose features are 0.
 *
 * @param embeddings - `[slots, d]`, borrowed.
 * @param pass - another tail each, since what a LensNet read of one tail may be kept.
 */
export function gistView(embeddings: Float32Array, d: number, tailTokens: number, pass: number): SlotView {
  const slots = embeddings.length / d;
  const tail = embeddings.slice(0, tailTokens * d);
  tail[0] = pass;
  const numbers = Uint32Array.from({ length: slots }, (_, i) => i);
  return {
    entries: Array.from(numbers, (i) => ({ lod: 1, start: i * K, end: (i + 1) * K, cost: 1 })),
    slotCount: slots,
    hiddenSize: d,
    embeddings,
    blockVectors: embeddings,
    features: new Float32Array(slots * SLOT_FEATURES),
    lexical: new Float32Array(slots * LEXICAL_FEATURES),
    positions: Float64Array.from(numbers),
    entryOfSlot: numbers,
    tail,
    tailCount: tailTokens,
    cursor: slots * K,
  };
}

/** As many blocks as `GistNet.compress` takes them, all of their context real. */
export function gistBlocks(
  gistNet: GistNet,
  embeddings: Float32Array,
  d: number,
  blocks: number,
): { readonly children: Float32Array; readonly contextCounts: Uint32Array } {
  const rows = blocks * (gistNet.contextChildren + K);
  return {
    children: new Float32Array(rows * d).map((_, i) => embeddings[i % embeddings.length]!),
    contextCounts: new Uint32Array(blocks).fill(gistNet.contextChildren),
  };
}
