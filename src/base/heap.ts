/** A binary heap: the first item by an order, found without sorting the others. */
export class Heap<T> {
  private readonly items: T[] = [];

  /** @param compare - negative if the first item comes out before the second. */
  constructor(private readonly compare: (a: T, b: T) => number) {}

  get size(): number {
    return this.items.length;
  }

  /** The one that comes out next, left where it is. */
  get first(): T | undefined {
    return this.items[0];
  }

  /** All of them, in no order. */
  get all(): readonly T[] {
    return this.items;
  }

  push(item: T): void {
    const { items } = this;
    items.push(item);
    for (let child = items.length - 1; child > 0;) {
      const parent = (child - 1) >>> 1;
      if (this.compare(items[child]!, items[parent]!) >= 0) break;
      this.swap(child, parent);
      child = parent;
    }
  }

  /** Take the first item out; undefined if there is none. */
  pop(): T | undefined {
    const last = this.items.pop();
    return last === undefined || this.items.length === 0 ? last : this.replaceFirst(last);
  }

  /** Put an item in the first one's place: a pop and a push in one. The heap is not empty. */
  replaceFirst(item: T): T {
    const { items } = this;
    const top = items[0]!;
    items[0] = item;
    for (let parent = 0; ;) {
      const left = 2 * parent + 1;
      const right = left + 1;
      const best = right < items.length && this.compare(items[right]!, items[left]!) < 0 ? right : left;
      if (best >= items.length || this.compare(items[best]!, items[parent]!) >= 0) return top;
      this.swap(parent, best);
      parent = best;
    }
  }

  private swap(a: number, b: number): void {
    const item = this.items[a]!;
    this.items[a] = this.items[b]!;
    this.items[b] = item;
  }
}
