/** Makes the gists that the tree is missing: gathers children and context, asks GistNet, stores the result. */
import { encodeHalves, isNonFiniteHalf } from '../../../base/fp16.ts';
import { K } from '../../../core/tree/ids.ts';
import type { GistWork, GistTree } from '../../../core/tree/gist-tree.ts';
import type { GistNet, LanguageModel } from '../../../nn/ports.ts';

/** Blocks compressed in one call; bounds the memory of a bulk append. */
const BLOCKS_PER_CALL = 32;
const GROUPS_PER_CALL = BLOCKS_PER_CALL / K;

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
    return work === null ? null : this.build(work, step);
  }

  /** Make the next gists of an older GistNet anew. @returns what was made, or null when none is left. */
  async renewNext(step: number): Promise<BuiltGists | null> {
    const work = this.tree.nextRefreshWork(GROUPS_PER_CALL);
    return work === null ? null : this.build(work, step);
  }

  private async build(work: GistWork, step: number): Promise<BuiltGists> {
    await this.tree.bringIn([{ lod: work.lod, first: work.firstIndex, count: work.count }]);
    const { bits, notFinite } = await this.make(work);
    this.tree.setGists(work.lod, work.firstIndex, bits, step);
    return { ...work, notFinite };
  }

  /** `[count, d]` fp16 bits of LOD1 gists, from their tokens alone; the tree is not changed. */
  async fromTokens(firstIndex: number, count: number): Promise<Uint16Array> {
    const all = new Uint16Array(count * this.tree.hiddenSize);
    for (let at = 0; at < count; at += BLOCKS_PER_CALL) {
      const work = {
        lod: 1,
        firstIndex: firstIndex + at,
        count: Math.min(BLOCKS_PER_CALL, count - at),
      } as const;
      all.set((await this.make(work)).bits, at * this.tree.hiddenSize);
    }
    return all;
  }

  private async make(work: GistWork): Promise<{ readonly bits: Uint16Array; readonly notFinite: number }> {
    const { lod, firstIndex, count } = work;
    const d = this.tree.hiddenSize;
    if (lod > 1) await this.bringInChildren(work);
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
    return { bits, notFinite };
  }

  private bringInChildren({ lod, firstIndex, count }: GistWork): Promise<void> {
    const first = Math.max(0, firstIndex * K - this.gistNet.contextChildren);
    return this.tree.bringIn([{ lod: lod - 1, first, count: (firstIndex + count) * K - first }]);
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
