/** A legal move that a score asks for. For a sibling group: its first node, and the mean score. */
export interface Candidate {
  readonly node: number;
  readonly lod: number;
  readonly start: number;
  readonly end: number;
  readonly score: number;
}
