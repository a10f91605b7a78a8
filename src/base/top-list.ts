/** The best `capacity` items of a stream, found without sorting the stream. */
import { Heap } from './heap.ts';

interface Kept<T> {
  readonly item: T;
  readonly key: number;
  readonly tie: number;
}

/** Best first means higher key, then higher tie. */
export class TopList<T> {
  /** The worst stands first: it goes when a better one comes. */
  private readonly kept = new Heap<Kept<T>>((a, b) => a.key - b.key || a.tie - b.tie);

  constructor(private readonly capacity: number) {}

  /** Would an item with this key and tie be kept? Lets callers build items only when they are. */
  accepts(key: number, tie: number): boolean {
    if (this.kept.size < this.capacity) return true;
    const worst = this.kept.first;
    return worst !== undefined && (worst.key < key || (worst.key === key && worst.tie < tie));
  }

  offer(item: T, key: number, tie: number): void {
    if (!this.accepts(key, tie)) return;
    if (this.kept.size < this.capacity) this.kept.push({ item, key, tie });
    else this.kept.replaceFirst({ item, key, tie });
  }

  /** What was kept, best first. */
  toSorted(): T[] {
    return [...this.kept.all].sort((a, b) => b.key - a.key || b.tie - a.tie).map(({ item }) => item);
  }
}
