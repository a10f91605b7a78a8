/**
 * Figures of a history's blocks, few of which have one. What is asked of a long history touches few of its blocks, so
 * that nothing here grows with the others. Pure.
 */
/** Every block that is not named has 0. */
export interface BlockValues {
  /** Ascending. */
  readonly blocks: Uint32Array;
  /** `[blocks.length]`, none below 0. */
  readonly values: Float64Array;
}

/** `[count]` the first blocks' figures, one by one. */
export function denseValues({ blocks, values }: BlockValues, count: number): Float64Array {
  const dense = new Float64Array(count);
  for (let i = 0; i < blocks.length && blocks[i]! < count; i++) dense[blocks[i]!] = values[i]!;
  return dense;
}

/** A set of blocks or windows that is filled in any order, read ascending, and empty again. */
export class IndexSet {
  /** A bit for each number. */
  private bits = new Uint32Array(0);
  private size = 0;

  /** Make room for `0..count-1`. It must be empty. */
  reserve(count: number): void {
    if (this.bits.length * 32 < count) this.bits = new Uint32Array(Math.ceil(count / 16));
  }

  /** Add a number below what was reserved. */
  add(index: number): void {
    const cell = index >>> 5;
    const before = this.bits[cell]!;
    const after = before | (1 << (index & 31));
    if (after >>> 0 === before) return;
    this.bits[cell] = after;
    this.size++;
  }

  /** Everything in it, ascending; nothing is in it then. */
  takeAll(): Uint32Array {
    const { bits } = this;
    const all = new Uint32Array(this.size);
    for (let cell = 0, at = 0; at < all.length; cell++) {
      for (let rest = bits[cell]!; rest !== 0; rest &= rest - 1) {
        all[at++] = cell * 32 + 31 - Math.clz32(rest & -rest);
      }
      bits[cell] = 0;
    }
    this.size = 0;
    return all;
  }
}
