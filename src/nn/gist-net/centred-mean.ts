/**
 * GistNet for a base that has none trained: a block's gist is the mean of its children, minus the mean of the whole
 * vocabulary at LOD1. Token embeddings share a large common vector, and a mean that keeps it and loses the rest is
 * like no token at all: fed to the base it destroys the reading, and every gist resembles every other.
 */
import { K } from '../../core/tree/ids.ts';
import { ShapeError } from '../errors.ts';
import type { GistNet } from '../ports.ts';

/** Marks gists of this kind in a tree, apart from those of any trained net. */
export const CENTRED_MEAN_VERSION = 0;

export class CentredMeanGistNet implements GistNet {
  readonly version = CENTRED_MEAN_VERSION;
  readonly contextChildren = 0;

  /** @param vocabularyMean - `[d]`, see `BaseModel.meanEmbedding`; borrowed. */
  constructor(private readonly vocabularyMean: Float32Array) {}

  compress(lod: number, children: Float32Array, contextCounts: ArrayLike<number>): Promise<Float32Array> {
    const size = this.vocabularyMean.length;
    const blocks = contextCounts.length;
    if (children.length !== blocks * K * size) {
      return Promise.reject(new ShapeError('children', blocks * K * size, children.length));
    }
    const gists = new Float32Array(blocks * size);
    for (let row = 0; row < blocks * K; row++) {
      const gist = Math.floor(row / K) * size;
      for (let i = 0; i < size; i++) gists[gist + i]! += children[row * size + i]! / K;
    }
    // Gists of gists are centred already.
    if (lod === 1) {
      for (let i = 0; i < gists.length; i++) gists[i]! -= this.vocabularyMean[i % size]!;
    }
    return Promise.resolve(gists);
  }

  dispose(): void {
    // Owns nothing on the device.
  }
}
