/** Node identity in the gist tree: deterministic arithmetic on `(level, index)`, nothing else. */

/** Block size and branching factor. Fixed by the trained GistNet; a manifest with another K is refused. */
export const K = 32;
/** Highest level a tree may have: LOD4 covers 1,048,576 tokens. */
export const MAX_LOD = 4;

export type Lod = 0 | 1 | 2 | 3 | 4;

/** Packs level and index in one number: `level · 2^40 + index`. Exact in a double. */
export type SpanId = number & { readonly __brand: 'SpanId' };

const LEVEL_STRIDE = 2 ** 40;

/** `K^level` for every level that a tree may have, and one above: powers are slow in loops over entries. */
const POWERS = Float64Array.from({ length: MAX_LOD + 2 }, (_, level) => K ** level);

/** Tokens that one node of a level covers: `K^level`. Level 0 counts single tokens. */
export function tokensPerNode(level: number): number {
  return POWERS[level] ?? K ** level;
}

/** Tokens that one WC entry of a LOD covers: a whole block (K) at LOD0, `K^lod` above. */
export function tokensPerEntry(lod: number): number {
  return lod === 0 ? K : tokensPerNode(lod);
}

export function spanIdOf(lod: number, start: number): SpanId {
  return (lod * LEVEL_STRIDE + Math.floor(start / tokensPerEntry(lod))) as SpanId;
}
