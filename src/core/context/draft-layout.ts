/**
 * A layout while one allocator step works on it: a linked list of nodes in typed columns, so that a move costs
 * O(K) and no array is rebuilt until the step is done. Scratch only; layouts stay immutable.
 */
import type { Entry, Layout } from './working-context.ts';
import { type BlockSpan, type Lod, K, tokensPerEntry } from '../tree/ids.ts';
import { entryAt } from './working-context.ts';

export const NONE = -1;
const NEW = -1;

export class DraftLayout {
  lod: Uint8Array;
  start: Float64Array;
  end: Float64Array;
  score: Float64Array;
  next: Int32Array;
  previous: Int32Array;
  /** 1 while the node is part of the layout. */
  alive: Uint8Array;
  private residency: Uint32Array;
  /** Index of the unchanged entry in the layout it came from, or NEW. */
  private source: Int32Array;
  private readonly entries: readonly Entry[];
  /** The next token's absolute index. */
  readonly cursor: number;
  private nodeCount: number;
  private firstNode: number;
  private liveCount: number;
  private used: number;

  /**
   * @param scores - `[entries.length]`, or null for all zero.
   * @param additions - nodes that will join, K for every expansion; room for them is set aside at once.
   */
  constructor(layout: Layout, scores: Float32Array | null = null, additions = 0) {
    const { entries } = layout;
    const count = entries.length;
    const capacity = count + additions;
    this.entries = entries;
    this.cursor = layout.cursor;
    const lod = new Uint8Array(capacity);
    const start = new Float64Array(capacity);
    const end = new Float64Array(capacity);
    const next = new Int32Array(capacity);
    const previous = new Int32Array(capacity);
    const source = new Int32Array(capacity);
    for (let i = 0; i < count; i++) {
      const entry = entries[i]!;
      lod[i] = entry.lod;
      start[i] = entry.start;
      end[i] = entry.end;
      next[i] = i + 1;
      previous[i] = i - 1;
      source[i] = i;
    }
    if (count > 0) next[count - 1] = NONE;
    this.lod = lod;
    this.start = start;
    this.end = end;
    this.next = next;
    this.previous = previous;
    this.source = source;
    this.score = new Float64Array(capacity);
    if (scores !== null) this.score.set(scores);
    this.alive = new Uint8Array(capacity).fill(1, 0, count);
    this.residency = new Uint32Array(capacity);
    this.residency.set(layout.residency);
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

  /** The node that holds a token, or NONE. O(size). */
  nodeAt(token: number): number {
    for (let node = this.firstNode; node !== NONE; node = this.next[node]!) {
      if (token < this.end[node]!) return token < this.start[node]! ? NONE : node;
    }
    return NONE;
  }

  isOpenTail(node: number): boolean {
    return this.lod[node] === 0 && this.end[node]! - this.start[node]! < K;
  }

  /** First of the nodes that collapse together with this one: itself at LOD0; NONE unless all K siblings are here. */
  firstSibling(node: number): number {
    const lod = this.lod[node]!;
    if (lod === 0) return node;
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

  /** Nodes that collapse together with this one: 1 at LOD0, K above. */
  unitSize(node: number): number {
    return this.lod[node] === 0 ? 1 : K;
  }

  /**
   * Replace the raw block or the K siblings that begin at a node by their parent, which takes its place; its score
   * is the children's mean. The caller has checked that this is legal.
   */
  collapse(first: number): void {
    const count = this.unitSize(first);
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
  }

  /** Replace a gist by its children; they inherit its score. The caller has checked that this is legal. */
  expand(node: number): void {
    const lod = this.lod[node]! - 1;
    this.residency[node] = 0;
    this.source[node] = NEW;
    this.lod[node] = lod;
    this.used += K - 1;
    if (lod === 0) return;
    this.reserve(K - 1);
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

  /** Put an entry before the oldest node. @returns its node; its score is 0. */
  admitFirst({ lod, start, end }: BlockSpan): number {
    this.reserve(1);
    const node = this.nodeCount++;
    this.lod[node] = lod;
    this.start[node] = start;
    this.end[node] = end;
    this.source[node] = NEW;
    this.alive[node] = 1;
    this.previous[node] = NONE;
    this.next[node] = this.firstNode;
    if (this.firstNode !== NONE) this.previous[this.firstNode] = node;
    this.firstNode = node;
    this.liveCount++;
    this.used += this.costOf(node);
    return node;
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

  /** Set room aside for nodes that will join. */
  private reserve(additions: number): void {
    if (this.nodeCount + additions <= this.lod.length) return;
    // By a quarter at least, so that one after the other costs O(1) each.
    const capacity = Math.max(this.nodeCount + additions, Math.ceil(this.lod.length * 1.25));
    const grown = <T extends Uint8Array | Uint32Array | Int32Array | Float64Array>(
      column: T,
      wider: T,
    ): T => {
      wider.set(column);
      return wider;
    };
    this.lod = grown(this.lod, new Uint8Array(capacity));
    this.start = grown(this.start, new Float64Array(capacity));
    this.end = grown(this.end, new Float64Array(capacity));
    this.score = grown(this.score, new Float64Array(capacity));
    this.next = grown(this.next, new Int32Array(capacity));
    this.previous = grown(this.previous, new Int32Array(capacity));
    this.alive = grown(this.alive, new Uint8Array(capacity));
    this.residency = grown(this.residency, new Uint32Array(capacity));
    this.source = grown(this.source, new Int32Array(capacity));
  }
}
