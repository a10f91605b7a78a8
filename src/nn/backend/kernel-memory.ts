/** One network's memory under the WASM kernels: weights, caches and room to work in, in one address space. */
import { callShare, instantiateKernels, type KernelExports, type SharedKernel } from './kernel-module.ts';
import { createSharedMemory, MOST_PAGES, type ThreadPool } from './thread-pool.ts';

const PAGE_BYTES = 65_536;
/** Of a `Sync` in `kernels/threads.ts`. */
const SYNC_WORDS = 5;
const PATIENCE_WORD = 3;
/** A cache line: what threads write apart does not meet. */
const ALIGNMENT = 64;

/** What all memories hold, for those that look for leaks; like `tf.memory()`, of the whole worker. */
export const kernelUse = { blocks: 0, bytes: 0 };

interface Gap {
  at: number;
  bytes: number;
}

/** Blocks are found first fit; the memory only grows, and goes as a whole when nobody holds it any more. */
export class KernelMemory {
  readonly kernels: KernelExports;
  private readonly memory: WebAssembly.Memory;
  /** Where threads share the memory. */
  private readonly lent: { readonly pool: ThreadPool; readonly id: number } | null;
  /** A `Sync` of `kernels/threads.ts`, which shared kernels wait by; 0 where nobody shares. */
  readonly sync: number;
  /** How many runs other threads have left. */
  private runsLeft = 0;
  private readonly blocks = new Map<number, number>();
  /** Ascending, never side by side. */
  private readonly gaps: Gap[] = [];
  /** First byte that was never given away. */
  private end: number;

  /** @param pool - whose threads share it; null, or one that is closed, for none. */
  constructor(module: WebAssembly.Module, pool: ThreadPool | null = null) {
    const isShared = pool !== null && pool.threads > 1;
    this.memory = isShared
      ? createSharedMemory()
      : new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES });
    this.kernels = instantiateKernels(isShared ? pool.module : module, this.memory);
    this.lent = isShared ? { pool, id: pool.lend(this.memory) } : null;
    this.end = roundUp(this.kernels.freeFrom(), ALIGNMENT);
    this.sync = isShared ? this.allocate(SYNC_WORDS * 4) : 0;
    if (isShared) this.words(this.sync, SYNC_WORDS)[PATIENCE_WORD] = pool.patienceMs;
  }

  /**
   * Zeroed bytes, aligned to a cache line. Views made before may be detached.
   *
   * @throws {RangeError} if there is no room.
   */
  allocate(bytes: number): number {
    const size = roundUp(Math.max(bytes, 1), ALIGNMENT);
    const found = this.gaps.findIndex((gap) => gap.bytes >= size);
    let at = this.end;
    if (found >= 0) {
      const gap = this.gaps[found]!;
      at = gap.at;
      gap.at += size;
      gap.bytes -= size;
      if (gap.bytes === 0) this.gaps.splice(found, 1);
      new Uint8Array(this.memory.buffer, at, size).fill(0);
    } else {
      this.reach(at + size);
      this.end = at + size;
    }
    this.blocks.set(at, size);
    kernelUse.blocks++;
    kernelUse.bytes += size;
    return at;
  }

  free(at: number): void {
    const bytes = this.blocks.get(at);
    if (bytes === undefined) throw new Error(`No block begins at ${at}.`);
    this.blocks.delete(at);
    kernelUse.blocks--;
    kernelUse.bytes -= bytes;
    const next = this.gaps.findIndex((gap) => gap.at > at);
    const index = next < 0 ? this.gaps.length : next;
    this.gaps.splice(index, 0, { at, bytes });
    this.join(index);
    if (index > 0) this.join(index - 1);
  }

  /** Give everything back at once. */
  dispose(): void {
    for (const at of [...this.blocks.keys()]) this.free(at);
    this.lent?.pool.takeBack(this.lent.id);
  }

  /** How many threads can run its kernels together. */
  get threads(): number {
    return this.lent?.pool.threads ?? 1;
  }

  /**
   * Run a kernel on several threads.
   *
   * @param threads - at most as many as there are.
   * @param parameters - without thread and threads.
   * @returns false if a thread failed: what the kernel wrote is worthless then, and everything runs on one from now on.
   */
  runShared(kernel: SharedKernel, threads: number, parameters: readonly number[]): boolean {
    const { lent, kernels, sync } = this;
    const count = Math.min(threads, this.threads);
    if (lent === null || count === 1) {
      callShare(kernels, { kernel, parameters, threads: 1 }, 0);
      return true;
    }
    const run = { memoryId: lent.id, kernel, parameters, threads: count, sync };
    const helpers = lent.pool.run(kernels, run, this.runsLeft);
    this.runsLeft += helpers ?? 0;
    return helpers !== null;
  }

  /** Valid until the next allocation, like all views. */
  floats(at: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, length);
  }

  words(at: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, length);
  }

  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, length);
  }

  /** A block of words, of which some are the bits of a float32. */
  record(values: readonly (number | { readonly float: number })[]): number {
    const at = this.allocate(values.length * 4);
    const [words, floats] = [this.words(at, values.length), this.floats(at, values.length)];
    for (const [i, value] of values.entries()) {
      if (typeof value === 'number') words[i] = value;
      else floats[i] = value.float;
    }
    return at;
  }

  private join(index: number): void {
    const [gap, next] = [this.gaps[index]!, this.gaps[index + 1]];
    if (next === undefined || gap.at + gap.bytes !== next.at) return;
    gap.bytes += next.bytes;
    this.gaps.splice(index + 1, 1);
  }

  private reach(bytes: number): void {
    const missing = bytes - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE_BYTES));
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
