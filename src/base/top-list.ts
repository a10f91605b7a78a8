/** The best `capacity` items of a stream, found without sorting the stream. */

/** Best first means higher key, then higher tie. */
export class TopList<T> {
  private readonly items: T[] = [];
  private readonly keys: number[] = [];
  private readonly ties: number[] = [];

  constructor(private readonly capacity: number) {}

  /** Would an item with this key and tie be kept? Lets callers build items only when they are. */
  accepts(key: number, tie: number): boolean {
    if (this.items.length < this.capacity) return true;
    return this.capacity > 0 && isWorse(this.keys[0]!, this.ties[0]!, key, tie);
  }

  offer(item: T, key: number, tie: number): void {
    if (!this.accepts(key, tie)) return;
    if (this.items.length < this.capacity) {
      this.items.push(item);
      this.keys.push(key);
      this.ties.push(tie);
      this.siftUp(this.items.length - 1);
      return;
    }
    this.items[0] = item;
    this.keys[0] = key;
    this.ties[0] = tie;
    this.siftDown();
  }

  /** What was kept, best first. */
  toSorted(): T[] {
    const order = this.items.map((_, i) => i);
    order.sort((a, b) => this.keys[b]! - this.keys[a]! || this.ties[b]! - this.ties[a]!);
    return order.map((i) => this.items[i]!);
  }

  private siftUp(from: number): void {
    for (let child = from; child > 0;) {
      const parent = (child - 1) >>> 1;
      if (!this.isBelow(child, parent)) return;
      this.swap(child, parent);
      child = parent;
    }
  }

  private siftDown(): void {
    let parent = 0;
    for (let child = 1; child < this.items.length; child = 2 * parent + 1) {
      const worst = child + 1 < this.items.length && this.isBelow(child + 1, child) ? child + 1 : child;
      if (!this.isBelow(worst, parent)) return;
      this.swap(parent, worst);
      parent = worst;
    }
  }

  private isBelow(a: number, b: number): boolean {
    return isWorse(this.keys[a]!, this.ties[a]!, this.keys[b]!, this.ties[b]!);
  }

  private swap(a: number, b: number): void {
    const item = this.items[a]!;
    const key = this.keys[a]!;
    const tie = this.ties[a]!;
    this.items[a] = this.items[b]!;
    this.keys[a] = this.keys[b]!;
    this.ties[a] = this.ties[b]!;
    this.items[b] = item;
    this.keys[b] = key;
    this.ties[b] = tie;
  }
}

function isWorse(key: number, tie: number, thanKey: number, thanTie: number): boolean {
  return key < thanKey || (key === thanKey && tie < thanTie);
}
