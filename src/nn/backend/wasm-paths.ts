/** Where a backend's binaries are: one implementation for pages, one for Node. */
import type { ThreadHandle } from './kernel-thread.ts';

/** Where the binaries of the WASM kernels come from, read when a backend starts, and the threads that share them. */
interface KernelBinaries {
  readonly plain: () => Promise<BufferSource>;
  /** The same kernels over a memory that threads share. */
  readonly shared: () => Promise<BufferSource>;
  /** Starts a thread of `kernel-thread.ts`. @throws where none can be had. */
  readonly startThread: () => ThreadHandle;
}

/** Where the WASM binaries are. */
export interface WasmPaths {
  /** TensorFlow.js's: a folder ending in a slash (Node), or one address for each. */
  readonly tfjs: string | { readonly plain: string; readonly simd: string };
  /** Ours. */
  readonly kernels: KernelBinaries;
}
