/**
 * How many words begin in each stretch of a growing history, for the length of any window in two look-ups. The strides
 * stand side by side in one array, as a question over a long history asks for hundreds of thousands of windows.
 */
export const STRIDE_TOKENS = 8;

export class StrideWords {
  /** `[strides]` words that begin before each stride's first token. */
  private before = new Uint32Array(1024);
  /** `[strides + 1]` sums of them, before each stride. */
  private sums = new Float64Array(1024);
  private strides = 0;

  /** Strides that have begun. */
  get length(): number {
    return this.strides;
  }

  /** The next stride begins. @param begun - words that begin before it. */
  add(begun: number): void {
    const at = this.strides++;
    if (at + 1 >= this.before.length) {
      this.before = grown(this.before, new Uint32Array(2 * this.before.length));
      this.sums = grown(this.sums, new Float64Array(2 * this.sums.length));
    }
    this.before[at] = begun;
    this.sums[at + 1] = this.sums[at]! + begun;
  }

  /** Words that begin before a stride. @param inAll - words that have begun; so many stand before what comes next. */
  begunBefore(stride: number, inAll: number): number {
    return stride < this.strides ? this.before[stride]! : inAll;
  }

  /** `begunBefore` of every stride that has begun; borrowed until the next `add`, and longer than `length` says. */
  get counts(): Uint32Array {
    return this.before;
  }

  /** Words that begin in the window that starts with a stride, in the history's first tokens. */
  wordsIn(window: number, tokens: number, windowTokens: number, inAll: number): number {
    const end = Math.min(window + windowTokens / STRIDE_TOKENS, tokens / STRIDE_TOKENS);
    return this.begunBefore(end, inAll) - this.begunBefore(window, inAll);
  }

  /** The same, summed over the first windows: whole numbers, so that the order of summing does not matter. */
  wordsInAll(windows: number, tokens: number, windowTokens: number, inAll: number): number {
    const { sums } = this;
    const whole = Math.max(0, Math.min(windows, Math.floor((tokens - windowTokens) / STRIDE_TOKENS) + 1));
    const reach = windowTokens / STRIDE_TOKENS;
    // A window that ends with the last token taken in has no stride behind it.
    const known = Math.min(whole, Math.max(0, this.strides - reach));
    let sum = known === 0 ? 0 : sums[known + reach]! - sums[reach]! - sums[known]!;
    for (let window = known; window < windows; window++)
      sum += this.wordsIn(window, tokens, windowTokens, inAll);
    return sum;
  }
}

function grown<T extends Uint32Array | Float64Array>(cells: T, wider: T): T {
  wider.set(cells);
  return wider;
}
