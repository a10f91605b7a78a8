/** Node identity in the gist tree: deterministic arithmetic on `(lod, index)`, nothing else. */

/** Block size and branching factor. Fixed by the trained GistNet; a manifest with another K is refused. */
export const K = 32;
/** The coarsest level of detail a tree may have: LOD4 covers 1,048,576 tokens. */
export const MAX_LOD = 4;
/** Gists are left out of memory, and read in, by so many neighbours: the LOD1 gists under one LOD3 gist. */
export const GISTS_PER_PAGE = K * K;

export type Lod = 0 | 1 | 2 | 3 | 4;

/** One block or gist of the history: the tokens `start..end-1` at a level of detail. */
export interface BlockSpan {
  readonly lod: number;
  readonly start: number;
  readonly end: number;
}

/** Nodes `first..first+count-1` of one LOD; blocks at LOD0. */
export interface NodeRun {
  readonly lod: number;
  readonly first: number;
  readonly count: number;
}

/** Packs LOD and index in one number: `lod · 2^40 + index`. Exact in a double. */
export type SpanId = number & { readonly __brand: 'SpanId' };

const LOD_STRIDE = 2 ** 40;

/** `K^lod` for every LOD that a tree may have, and one above: powers are slow in loops over entries. */
const POWERS = Float64Array.from({ length: MAX_LOD + 2 }, (_, lod) => K ** lod);

/** Tokens that one node of a LOD covers: `K^lod`. LOD0 counts single tokens. */
export function tokensPerNode(lod: number): number {
  return POWERS[lod] ?? K ** lod;
}

/** Tokens that one WC entry of a LOD covers: a whole block (K) at LOD0, `K^lod` above. */
export function tokensPerEntry(lod: number): number {
  return lod === 0 ? K : tokensPerNode(lod);
}

export function spanIdOf(lod: number, start: number): SpanId {
  return (lod * LOD_STRIDE + Math.floor(start / tokensPerEntry(lod))) as SpanId;
}

/** The span that the block or gist at `(lod, start)` and its siblings collapse into. */
export function parentSpan(lod: number, start: number): BlockSpan & { readonly lod: Lod } {
  const span = tokensPerEntry(lod + 1);
  const parentStart = Math.floor(start / span) * span;
  return { lod: (lod + 1) as Lod, start: parentStart, end: parentStart + span };
}
