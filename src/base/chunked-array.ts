/** Growable typed rows in chunks: appending never copies what is there, a span inside one chunk is a view. */

type Cells = Uint8Array | Uint16Array | Uint32Array | Float32Array | Float64Array;

/** Bytes per chunk, about; a chunk holds a power of two of rows. */
const TARGET_CHUNK_BYTES = 1 << 18;

/** `[length, width]` cells of one typed-array kind. */
export class ChunkedRows<T extends Cells> {
  readonly rowsPerChunk: number;
  private readonly chunks: T[] = [];
  /** By chunk: true while a fork may read it too, so that a write must copy it first. */
  private readonly isShared: boolean[] = [];
  private readonly shift: number;
  /** What stands where whole chunks were given back; made when first needed. */
  private zeros: T | null = null;
  private rows = 0;

  /**
   * @param make - allocates `n` zeroed cells; owned by this object.
   * @param width - cells per row.
   */
  constructor(
    private readonly make: (cells: number) => T,
    readonly width = 1,
    rowsPerChunk?: number,
  ) {
    const bytesPerRow = make(0).BYTES_PER_ELEMENT * width;
    const wanted = rowsPerChunk ?? Math.max(1, TARGET_CHUNK_BYTES / bytesPerRow);
    this.shift = Math.max(0, Math.floor(Math.log2(wanted)));
    this.rowsPerChunk = 2 ** this.shift;
  }

  get length(): number {
    return this.rows;
  }

  /** Bytes held, used or not. */
  get allocatedBytes(): number {
    return [...new Set(this.chunks)].reduce((sum, chunk) => sum + chunk.byteLength, 0);
  }

  /** A copy that shares the chunks until one of the two writes to them. O(chunks). */
  fork(): ChunkedRows<T> {
    const copy = new ChunkedRows(this.make, this.width, this.rowsPerChunk);
    copy.rows = this.rows;
    copy.chunks.push(...this.chunks);
    this.isShared.fill(true);
    copy.isShared.push(...this.isShared);
    return copy;
  }

  /** Append rows given as consecutive cells. @throws {RangeError} if they are no whole number of rows. */
  append(cells: ArrayLike<number>): void {
    const added = cells.length / this.width;
    if (!Number.isInteger(added)) {
      throw new RangeError(`${cells.length} cells are no whole number of rows of ${this.width}.`);
    }
    const first = this.rows;
    this.grow(added);
    this.write(first, cells);
  }

  /** Append `count` rows of zeros. */
  grow(count: number): void {
    this.rows += count;
    while (this.chunks.length * this.rowsPerChunk < this.rows) {
      this.chunks.push(this.make(this.rowsPerChunk * this.width));
      this.isShared.push(false);
    }
  }

  /**
   * Append rows of zeros that take no memory until they are written to.
   *
   * @throws {RangeError} if they begin or end inside a chunk.
   */
  growEmpty(count: number): void {
    if (this.rows % this.rowsPerChunk !== 0 || count % this.rowsPerChunk !== 0)
      throw new RangeError(`${count} rows behind ${this.rows} are no whole chunks of ${this.rowsPerChunk}.`);
    this.rows += count;
    while (this.chunks.length * this.rowsPerChunk < this.rows) {
      this.chunks.push((this.zeros ??= this.make(this.rowsPerChunk * this.width)));
      this.isShared.push(true);
    }
  }

  /** Append `count` rows whose cells are all `value`. */
  growFilled(count: number, value: number): void {
    const first = this.rows;
    this.grow(count);
    for (let row = first; row < this.rows;) {
      const within = row & (this.rowsPerChunk - 1);
      const run = Math.min(this.rows - row, this.rowsPerChunk - within);
      this.ownChunk(row >>> this.shift).fill(value, within * this.width, (within + run) * this.width);
      row += run;
    }
  }

  /** Whether nothing was written to a chunk since `earlier` was forked from these rows, or these from it. */
  sharesChunk(earlier: ChunkedRows<T>, index: number): boolean {
    return this.chunks[index] !== undefined && this.chunks[index] === earlier.chunks[index];
  }

  /** Overwrite rows from `first` on. @throws {RangeError} if they do not exist yet. */
  write(first: number, cells: ArrayLike<number>): void {
    const count = cells.length / this.width;
    this.checkSpan(first, first + count);
    let row = 0;
    while (row < count) {
      const within = (first + row) & (this.rowsPerChunk - 1);
      const run = Math.min(count - row, this.rowsPerChunk - within);
      const chunk = this.ownChunk((first + row) >>> this.shift);
      chunk.set(slice(cells, row * this.width, (row + run) * this.width), within * this.width);
      row += run;
    }
  }

  /** Rows `start..end-1` read as zeros from now on; chunks that hold nothing else are given back. */
  release(start: number, end: number): void {
    this.checkSpan(start, end);
    for (let row = start; row < end;) {
      const within = row & (this.rowsPerChunk - 1);
      const run = Math.min(end - row, this.rowsPerChunk - within);
      const index = row >>> this.shift;
      if (run === this.rowsPerChunk) {
        this.chunks[index] = this.zeros ??= this.make(this.rowsPerChunk * this.width);
        this.isShared[index] = true;
      } else {
        this.ownChunk(index).fill(0, within * this.width, (within + run) * this.width);
      }
      row += run;
    }
  }

  /** One cell; rows of width 1 need no column. */
  get(row: number, column = 0): number {
    this.checkSpan(row, row + 1);
    const chunk = this.chunks[row >>> this.shift]!;
    return chunk[(row & (this.rowsPerChunk - 1)) * this.width + column]!;
  }

  set(row: number, value: number, column = 0): void {
    this.checkSpan(row, row + 1);
    const chunk = this.ownChunk(row >>> this.shift);
    chunk[(row & (this.rowsPerChunk - 1)) * this.width + column] = value;
  }

  /**
   * Rows `start..end-1` as consecutive cells. A view while they lie in one chunk, else a copy; borrowed, never
   * written to.
   */
  span(start: number, end: number): T {
    this.checkSpan(start, end);
    const within = start & (this.rowsPerChunk - 1);
    if (within + (end - start) <= this.rowsPerChunk) {
      const chunk = this.chunks[start >>> this.shift];
      if (chunk === undefined) return this.make(0);
      return chunk.subarray(within * this.width, (within + end - start) * this.width) as T;
    }
    const copy = this.make((end - start) * this.width);
    this.forEachRun(start, end, (cells, row) => {
      copy.set(cells, (row - start) * this.width);
    });
    return copy;
  }

  /** Visit rows `start..end-1` as views, one a chunk: `visit(cells, firstRow)`. */
  forEachRun(start: number, end: number, visit: (cells: T, firstRow: number) => void): void {
    this.checkSpan(start, end);
    for (let row = start; row < end;) {
      const within = row & (this.rowsPerChunk - 1);
      const run = Math.min(end - row, this.rowsPerChunk - within);
      const chunk = this.chunks[row >>> this.shift]!;
      visit(chunk.subarray(within * this.width, (within + run) * this.width) as T, row);
      row += run;
    }
  }

  private ownChunk(index: number): T {
    if (this.isShared[index]!) {
      this.chunks[index] = this.chunks[index]!.slice() as T;
      this.isShared[index] = false;
    }
    return this.chunks[index]!;
  }

  private checkSpan(start: number, end: number): void {
    if (!(start >= 0 && start <= end && end <= this.rows)) {
      throw new RangeError(`Rows ${start}..${end} lie outside 0..${this.rows}.`);
    }
  }
}

function slice(cells: ArrayLike<number>, start: number, end: number): ArrayLike<number> {
  if (start === 0 && end === cells.length) return cells;
  if (ArrayBuffer.isView(cells)) return (cells as Cells).subarray(start, end);
  return Array.prototype.slice.call(cells, start, end) as number[];
}
