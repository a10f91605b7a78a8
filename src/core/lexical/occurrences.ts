/** Where the words that were searched for lately begin. */
import { K } from '../tree/ids.ts';

/** Of one search term, ascending. It grows with the history. */
export class Occurrences {
  /** First tokens of its words. */
  readonly places: number[] = [];
  /** Blocks in which any of them begins. */
  readonly blocks: number[] = [];

  /** A word that begins where the last one does, or behind it. */
  add(place: number): void {
    this.places.push(place);
    const block = Math.floor(place / K);
    if (this.blocks.at(-1) !== block) this.blocks.push(block);
  }

  /** How many of the history's first blocks hold it; they lead `blocks`. */
  heldBefore(block: number): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.blocks[middle]! < block) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Keeps what was asked for last, up to so many places together. */
export class RecentOccurrences {
  /** The one that was asked for longest ago comes first. */
  private readonly byTerm = new Map<string, Occurrences>();

  constructor(private readonly mostPlaces: number) {}

  /** What is kept of a term, to be added to; it was not asked for. */
  peek(term: string): Occurrences | undefined {
    return this.byTerm.get(term);
  }

  /** @param find - all places of a term that is not kept, ascending. */
  of(term: string, find: () => readonly number[]): Occurrences {
    let found = this.byTerm.get(term);
    if (found === undefined) {
      found = new Occurrences();
      for (const place of find()) found.add(place);
    }
    this.byTerm.delete(term);
    this.byTerm.set(term, found);
    this.forget();
    return found;
  }

  /** The newest one stays in any case. */
  private forget(): void {
    let places = 0;
    for (const each of this.byTerm.values()) places += each.places.length + 1;
    for (const [term, each] of this.byTerm) {
      if (places <= this.mostPlaces || this.byTerm.size === 1) return;
      this.byTerm.delete(term);
      places -= each.places.length + 1;
    }
  }
}
