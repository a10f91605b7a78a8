/**
 * Threads that run the WASM kernels together with the one that calls them: started once, lent the memory of every
 * network, and given up as a whole when one of them fails. Then the caller goes on alone, with the same results:
 * every kernel divides what it computes and never a sum, so that they are the same to the bit for any number.
 */
import { callShare, type KernelExports } from './kernel-module.ts';
import type { FromThread, SharedRun, ThreadHandle } from './kernel-thread.ts';

export interface ThreadPoolOptions {
  /** With the one that calls; at least 2. */
  readonly threads: number;
  /** The kernels for a shared memory. */
  readonly module: WebAssembly.Module;
  readonly startThread: () => ThreadHandle;
  /** Called once if a thread fails after the start; from then on the caller is alone. */
  readonly onLost?: ((reason: string) => void) | undefined;
  /** How long all of them have to start. */
  readonly startMs?: number;
  /** How long a thread waits for another at a barrier before it takes that for dead. */
  readonly patienceMs?: number;
}

/** Threads start in some hundred milliseconds; a busy machine takes its time. */
const START_MS = 15_000;
/** No step between two barriers takes a tenth of it. */
const PATIENCE_MS = 20_000;
/** How long a failed run waits for the threads that are still in it. */
const LEAVE_MS = 1000;

export class ThreadPool {
  readonly module: WebAssembly.Module;
  readonly patienceMs: number;
  private readonly onLost: ((reason: string) => void) | undefined;
  private handles: readonly ThreadHandle[];
  /** What is lent, and the threads that have been shown it. */
  private readonly lent = new Map<number, { memory: WebAssembly.Memory; shownTo: Set<ThreadHandle> }>();
  private nextMemoryId = 1;

  private constructor(handles: readonly ThreadHandle[], options: ThreadPoolOptions) {
    this.handles = handles;
    this.module = options.module;
    this.patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.onLost = options.onLost;
    for (const handle of handles) {
      handle.onMessage((message) => {
        if (message.kind === 'failed') this.giveUp(message.reason);
      });
      handle.onFailure((reason) => {
        this.giveUp(reason);
      });
    }
  }

  /** @returns the pool once all its threads run, or in a few words why they cannot. Nothing is left running then. */
  static async start(options: ThreadPoolOptions): Promise<ThreadPool | string> {
    const handles: ThreadHandle[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      // A memory that the threads share may be refused where there is room for one that they do not.
      createSharedMemory();
      const ready: Promise<void>[] = [];
      for (let thread = 1; thread < options.threads; thread++) {
        const handle = options.startThread();
        handles.push(handle);
        ready.push(whenReady(handle));
        handle.post({ kind: 'start', module: options.module, thread });
      }
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          reject(new Error('the threads did not start in time'));
        }, options.startMs ?? START_MS);
      });
      await Promise.race([Promise.all(ready), late]);
      return new ThreadPool(handles, options);
    } catch (error) {
      for (const handle of handles) handle.terminate();
      return error instanceof Error ? error.message : String(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** How many run, the caller among them. */
  get threads(): number {
    return this.handles.length + 1;
  }

  /**
   * Lend a memory to the threads. Each is shown it with its first run there and no sooner: a memory that grows just
   * while a thread receives it can keep its old bounds there (seen in V8 for `memory.copy`), and during a run none grows.
   *
   * @returns what `run` and `takeBack` know it by.
   */
  lend(memory: WebAssembly.Memory): number {
    const memoryId = this.nextMemoryId++;
    this.lent.set(memoryId, { memory, shownTo: new Set() });
    return memoryId;
  }

  /** The threads forget a memory. */
  takeBack(memoryId: number): void {
    for (const handle of this.lent.get(memoryId)?.shownTo ?? []) handle.post({ kind: 'takeBack', memoryId });
    this.lent.delete(memoryId);
  }

  /**
   * Run a kernel on as many threads as the run says, at most all; the caller's share is computed here.
   *
   * @param runsBefore - how many runs other threads have left on this `sync`; what is returned is to be added.
   * @returns how many other threads took part; null if the run failed: its results are worthless, nobody writes them
   *   any more, and the pool is given up.
   */
  run(kernels: KernelExports, run: SharedRun, runsBefore: number): number | null {
    const helpers = this.handles.slice(0, run.threads - 1);
    for (const handle of helpers) {
      this.show(handle, run.memoryId);
      handle.post({ kind: 'run', ...run });
    }
    try {
      callShare(kernels, run, 0);
      return helpers.length;
    } catch (error) {
      const wasAbandoned = kernels.isAbandoned(run.sync) !== 0;
      kernels.abandon(run.sync);
      this.giveUp('a thread of the processor stopped in the middle of its work');
      kernels.awaitLeft(run.sync, runsBefore + helpers.length, LEAVE_MS);
      if (wasAbandoned) return null;
      throw error;
    }
  }

  /** End all threads; whoever still computes goes on alone. */
  close(): void {
    for (const handle of this.handles) handle.terminate();
    this.handles = [];
    this.lent.clear();
  }

  private show(handle: ThreadHandle, memoryId: number): void {
    const { memory, shownTo } = this.lent.get(memoryId)!;
    if (shownTo.has(handle)) return;
    shownTo.add(handle);
    handle.post({ kind: 'lend', memoryId, memory });
  }

  private giveUp(reason: string): void {
    if (this.handles.length === 0) return;
    this.close();
    this.onLost?.(reason);
  }
}

/** @throws {RangeError} where the browser has no room for one, or {TypeError} where it knows none. */
export function createSharedMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
}

/** Of 64 KiB: all that 32 bits can address. */
export const MOST_PAGES = 65_536;

function whenReady(handle: ThreadHandle): Promise<void> {
  return new Promise((resolve, reject) => {
    handle.onMessage((message: FromThread) => {
      if (message.kind === 'ready') resolve();
      else reject(new Error(message.reason));
    });
    handle.onFailure((reason) => {
      reject(new Error(reason));
    });
  });
}
