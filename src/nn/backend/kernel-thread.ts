/**
 * A thread of the pool: it instantiates the kernels over every memory that it is shown, and runs its share of what it
 * is told to. Between runs it waits for messages like any worker, so that it takes no processor and can be ended.
 */
import { callShare, instantiateKernels, type KernelExports, type SharedCall } from './kernel-module.ts';

/** One run of a kernel over a lent memory. */
export interface SharedRun extends SharedCall {
  readonly memoryId: number;
  /** A `Sync` of `kernels/threads.ts`. */
  readonly sync: number;
}

export type ToThread =
  | { readonly kind: 'start'; readonly module: WebAssembly.Module; readonly thread: number }
  | { readonly kind: 'lend'; readonly memoryId: number; readonly memory: WebAssembly.Memory }
  | { readonly kind: 'takeBack'; readonly memoryId: number }
  | ({ readonly kind: 'run' } & SharedRun);

export type FromThread = { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly reason: string };

/** The pool's end of a thread, in a browser's worker or in Node's. */
export interface ThreadHandle {
  post(message: ToThread): void;
  onMessage(listener: (message: FromThread) => void): void;
  /** It cannot start, or has died. */
  onFailure(listener: (reason: string) => void): void;
  terminate(): void;
}

/** What a thread does with each message. @param send - to the pool. */
export function createThread(send: (message: FromThread) => void): (message: ToThread) => void {
  const lent = new Map<number, KernelExports>();
  let own: Extract<ToThread, { kind: 'start' }> | null = null;
  return (message) => {
    try {
      switch (message.kind) {
        case 'start':
          own = message;
          send({ kind: 'ready' });
          return;
        case 'lend':
          lent.set(message.memoryId, instantiateKernels(own!.module, message.memory));
          return;
        case 'takeBack':
          lent.delete(message.memoryId);
          return;
        case 'run':
          runShare(lent.get(message.memoryId)!, message, own!.thread);
      }
    } catch (error) {
      send({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
    }
  };
}

function runShare(kernels: KernelExports, run: SharedRun, thread: number): void {
  try {
    callShare(kernels, run, thread);
  } catch (error) {
    kernels.abandon(run.sync);
    throw error;
  } finally {
    kernels.leave(run.sync);
  }
}
