/**
 * A layout while one allocator step works on it: a linked list of nodes in typed columns, so that a move costs
 * O(K) and no array is rebuilt until the step is done. Scratch only; layouts stay immutable.
 */
import type { Entry, Layout } from './working-context.ts';
import { type Lod, K, tokensPerEntry } from '../tree/ids.ts';
import { entryAt } from './working-context.ts';

export const NONE = -1;
const NEW = -1;

export class DraftLayout {
  readonly lod: Uint8Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly score: Float64Array;
  readonly next: Int32Array;
  readonly previous: Int32Array;
  /** 1 while the node is part of the layout. */
  readonly alive: Uint8Array;
  private readonly residency: Uint32Array;
  /** Index of the unchanged entry in the layout it came from, or NEW. */
  private readonly source: Int32Array;
  private readonly entries: readonly Entry[];
  private readonly cursor: number;
  private nodeCount: number;
  private firstNode: number;
  private liveCount: number;
  private used: number;

  /**
   * @param scores - `[entries.length]`, or null for all zero.
   * @param expansions - how many expansions the step may make; room for their children is set aside.
   */
  constructor(layout: Layout, scores: Float32Array | null, expansions: number) {
    const count = layout.entries.length;
    const capacity = count + expansions * K;
    this.entries = layout.entries;
    this.cursor = layout.cursor;
    this.lod = new Uint8Array(capacity);
    this.start = new Float64Array(capacity);
    this.end = new Float64Array(capacity);
    this.score = new Float64Array(capacity);
    this.next = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
    this.alive = new Uint8Array(capacity).fill(1, 0, count);
    this.residency = new Uint32Array(capacity);
    this.source = new Int32Array(capacity);
    this.residency.set(layout.residency);
    if (scores !== null) this.score.set(scores);
    for (let i = 0; i < count; i++) {
      const entry = layout.entries[i]!;
      this.lod[i] = entry.lod;
      this.start[i] = entry.start;
      this.end[i] = entry.end;
      this.next[i] = i + 1 < count ? i + 1 : NONE;
      this.previous[i] = i - 1;
      this.source[i] = i;
    }
    this.nodeCount = count;
    this.firstNode = count > 0 ? 0 : NONE;
    this.liveCount = count;
    this.used = layout.usedTokens;
  }

  /** Oldest node, or NONE. */
  get first(): number {
    return this.firstNode;
  }

  get size(): number {
    return this.liveCount;
  }

  get usedTokens(): number {
    return this.used;
  }

  isOpenTail(node: number): boolean {
    return this.lod[node] === 0 && this.end[node]! - this.start[node]! < K;
  }

  /** First node of the K siblings that hold this gist if all are present at its LOD, else NONE. */
  firstSibling(node: number): number {
    const lod = this.lod[node]!;
    const span = tokensPerEntry(lod);
    const groupStart = Math.floor(this.start[node]! / (span * K)) * span * K;
    let first = node;
    while (this.start[first]! > groupStart) {
      const previous = this.previous[first]!;
      if (previous === NONE || this.lod[previous] !== lod) return NONE;
      first = previous;
    }
    if (this.start[first] !== groupStart) return NONE;
    let last = node;
    while (this.end[last]! < groupStart + span * K) {
      const next = this.next[last]!;
      if (next === NONE || this.lod[next] !== lod) return NONE;
      last = next;
    }
    return first;
  }

  /** Mean score of `count` nodes from `first` on. */
  meanScore(first: number, count: number): number {
    let sum = 0;
    for (let node = first, i = 0; i < count; i++, node = this.next[node]!) sum += this.score[node]!;
    return sum / count;
  }

  /** Highest score of `count` neighbours from `first` on. */
  highestScore(first: number, count: number): number {
    let highest = -Infinity;
    for (let node = first, i = 0; i < count; i++, node = this.next[node]!) {
      highest = Math.max(highest, this.score[node]!);
    }
    return highest;
  }

  /**
   * Replace a raw block (count 1) or K siblings by their parent. The caller has checked that this is legal.
   *
   * @returns the parent's node; its score is the children's mean.
   */
  collapse(first: number, count: number): number {
    const score = this.meanScore(first, count);
    const lod = this.lod[first]!;
    let last = first;
    for (let i = 1; i < count; i++) {
      last = this.next[last]!;
      this.alive[last] = 0;
    }
    const after = this.next[last]!;
    this.lod[first] = lod + 1;
    this.end[first] = this.end[last]!;
    this.score[first] = score;
    this.residency[first] = 0;
    this.source[first] = NEW;
    this.next[first] = after;
    if (after !== NONE) this.previous[after] = first;
    this.liveCount -= count - 1;
    this.used -= K - 1;
    return first;
  }

  /** Replace a gist by its children; they inherit its score. The caller has checked that this is legal. */
  expand(node: number): void {
    const lod = this.lod[node]! - 1;
    this.residency[node] = 0;
    this.source[node] = NEW;
    this.lod[node] = lod;
    this.used += K - 1;
    if (lod === 0) return;
    const span = tokensPerEntry(lod);
    const after = this.next[node]!;
    this.end[node] = this.start[node]! + span;
    let last = node;
    for (let i = 1; i < K; i++) {
      const child = this.nodeCount++;
      this.lod[child] = lod;
      this.start[child] = this.end[last]!;
      this.end[child] = this.start[child] + span;
      this.score[child] = this.score[node]!;
      this.source[child] = NEW;
      this.alive[child] = 1;
      this.previous[child] = last;
      this.next[last] = child;
      last = child;
    }
    this.next[last] = after;
    if (after !== NONE) this.previous[after] = last;
    this.liveCount += K - 1;
  }

  /** Drop the oldest node. */
  evictFirst(): void {
    const node = this.firstNode;
    this.alive[node] = 0;
    this.used -= this.costOf(node);
    this.firstNode = this.next[node]!;
    if (this.firstNode !== NONE) this.previous[this.firstNode] = NONE;
    this.liveCount--;
  }

  costOf(node: number): number {
    return this.lod[node] === 0 ? this.end[node]! - this.start[node]! : 1;
  }

  /** `[size]` scores in the order of `toLayout`'s entries. */
  toScores(): Float32Array {
    const scores = new Float32Array(this.liveCount);
    for (let node = this.firstNode, i = 0; node !== NONE; node = this.next[node]!, i++)
      scores[i] = this.score[node]!;
    return scores;
  }

  /** The finished layout; unchanged entries are shared with the one it came from. */
  toLayout(): Layout {
    const entries = new Array<Entry>(this.liveCount);
    const residency = new Uint32Array(this.liveCount);
    for (let node = this.firstNode, i = 0; node !== NONE; node = this.next[node]!, i++) {
      const source = this.source[node]!;
      entries[i] =
        source === NEW
          ? entryAt(this.lod[node] as Lod, this.start[node]!, this.end[node])
          : this.entries[source]!;
      residency[i] = this.residency[node]!;
    }
    return { entries, residency, usedTokens: this.used, cursor: this.cursor };
  }
}
