/** Makes the gists that the tree is missing: gathers children and context, asks GistNet, stores the result. */
import { encodeHalves, isNonFiniteHalf } from '../../../base/fp16.ts';
import { K } from '../../../core/tree/ids.ts';
import type { GistWork, GistTree } from '../../../core/tree/gist-tree.ts';
import type { GistNet, LanguageModel } from '../../../nn/ports.ts';

/** Blocks compressed in one call; bounds the memory of a bulk append. */
const BLOCKS_PER_CALL = 32;

/** One batch of gists that was made. */
export interface BuiltGists extends GistWork {
  /** How many of them came out as NaN or infinity and were replaced by their children's mean. */
  readonly notFinite: number;
}

export class GistBuilder {
  constructor(
    private readonly tree: GistTree,
    private readonly gistNet: GistNet,
    private readonly base: LanguageModel,
  ) {}

  /**
   * Make the next batch of missing gists, finest first.
   *
   * @returns what was made, or null when nothing is missing.
   */
  async buildNext(step: number): Promise<BuiltGists | null> {
    const work = this.tree.nextGistWork(BLOCKS_PER_CALL);
    if (work === null) return null;
    const { lod, firstIndex, count } = work;
    const d = this.tree.hiddenSize;
    const { children, contextCounts } = this.gather(work);
    const tokens = lod === 1 ? this.tree.tokens(firstIndex * K, (firstIndex + count) * K) : undefined;
    const bits = encodeHalves(await this.gistNet.compress(lod, children, contextCounts, tokens));
    let notFinite = 0;
    for (let block = 0; block < count; block++) {
      const row = bits.subarray(block * d, (block + 1) * d);
      if (!row.some(isNonFiniteHalf)) continue;
      notFinite++;
      encodeHalves(this.meanOfChildren(children, block), row);
    }
    this.tree.setGists(lod, firstIndex, bits, step);
    return { ...work, notFinite };
  }

  /** `[count, C + K, d]` children with up to C rows before them, right aligned. */
  private gather({ lod, firstIndex, count }: GistWork): {
    readonly children: Float32Array;
    readonly contextCounts: Uint32Array;
  } {
    const d = this.tree.hiddenSize;
    const context = this.gistNet.contextChildren;
    const first = Math.max(0, firstIndex * K - context);
    const rows = this.childRows(lod, first, (firstIndex + count) * K);
    const children = new Float32Array(count * (context + K) * d);
    const contextCounts = new Uint32Array(count);
    for (let block = 0; block < count; block++) {
      const start = (firstIndex + block) * K;
      const real = Math.min(context, start);
      contextCounts[block] = real;
      const from = (start - real - first) * d;
      const at = (block * (context + K) + context - real) * d;
      children.set(rows.subarray(from, from + (real + K) * d), at);
    }
    return { children, contextCounts };
  }

  /** `[end - start, d]` child vectors: token embeddings below LOD1, gists below the others. */
  private childRows(lod: number, start: number, end: number): Float32Array {
    if (lod === 1) return this.base.embed(this.tree.tokens(start, end));
    const rows = new Float32Array((end - start) * this.tree.hiddenSize);
    this.tree.readGists((lod - 1) as GistWork['lod'], start, end - start, rows);
    return rows;
  }

  private meanOfChildren(children: Float32Array, block: number): Float32Array {
    const d = this.tree.hiddenSize;
    const context = this.gistNet.contextChildren;
    const mean = new Float32Array(d);
    const first = (block * (context + K) + context) * d;
    for (let i = 0; i < K * d; i++) {
      const value = children[first + i]!;
      if (Number.isFinite(value)) mean[i % d]! += value / K;
    }
    return mean;
  }
}
