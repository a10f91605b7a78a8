/** What of a working context is sent to the base: everything, or the raw tokens with something lighter for gists. */
import type { GistInput } from '../parameters/context.ts';
import type { Layout } from './working-context.ts';
import { layoutOf } from './working-context.ts';
import { type Embed, readSlotVectors } from './slot-view.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import { type Lod, K, tokensPerEntry } from '../tree/ids.ts';

/**
 * The layout as the base reads it. Without its gists it has gaps; the rules of a working context hold for the one
 * that the allocator knows, not for this one. Gists stay where no raw token is there to be read.
 */
export function baseInput(layout: Layout, gistInput: GistInput): Layout {
  if (gistInput !== 'none') return layout;
  const raw = layout.entries.filter(({ lod }) => lod === 0);
  if (raw.length === 0 || raw.length === layout.entries.length) return layout;
  return { ...layoutOf(raw), cursor: layout.cursor };
}

/**
 * The rarest token of each span, by its place in the vocabulary: byte-level BPE numbers tokens in the order in which
 * they were merged, so that a higher id is a rarer text. Keeps what it found; spans never change.
 */
class SpanKeywords {
  private readonly found = new Map<string, number>();

  constructor(private readonly tree: GistTree) {}

  /** @param start - of a closed span at this level, 1 or above. */
  of(lod: Lod, start: number): number {
    const key = `${lod}:${start}`;
    const known = this.found.get(key);
    if (known !== undefined) return known;
    let rarest = 0;
    if (lod === 1) {
      for (const id of this.tree.tokens(start, start + K)) rarest = Math.max(rarest, id);
    } else {
      const child = tokensPerEntry(lod - 1);
      for (let i = 0; i < K; i++) rarest = Math.max(rarest, this.of((lod - 1) as Lod, start + i * child));
    }
    this.found.set(key, rarest);
    return rarest;
  }
}

/** The vectors that the base reads of a layout which `baseInput` gave. Embeds with the base's own table. */
export class BaseVectors {
  private readonly keywords: SpanKeywords;

  constructor(
    private readonly tree: GistTree,
    private readonly embed: Embed,
  ) {
    this.keywords = new SpanKeywords(tree);
  }

  /** `[to - from, d]` of the slots `from..to-1`, the caller's: in those of gists what `gistInput` puts there. */
  gather(layout: Layout, gistInput: GistInput, from: number, to: number): Float32Array {
    const vectors = new Float32Array((to - from) * this.tree.hiddenSize);
    readSlotVectors(layout, this.tree, this.embed, from, to, vectors);
    if (gistInput === 'keyword') this.writeKeywords(layout, from, vectors);
    return vectors;
  }

  /** In the slots of gists, from slot `from` on, the rarest token's embedding stands for the vector. */
  private writeKeywords(layout: Layout, from: number, vectors: Float32Array): void {
    const d = this.tree.hiddenSize;
    const end = from + vectors.length / d;
    let slot = 0;
    for (const { lod, start, cost } of layout.entries) {
      if (slot >= end) return;
      if (lod > 0 && slot >= from) {
        vectors.set(this.embed(Uint32Array.of(this.keywords.of(lod, start))), (slot - from) * d);
      }
      slot += cost;
    }
  }
}
