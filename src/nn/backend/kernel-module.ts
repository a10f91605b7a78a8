/** The WASM kernels of `kernels/`: which binary runs here, and what it exports. Pointers are byte addresses. */

/** `kernels/index.ts`. */
export interface KernelExports {
  readonly freeFrom: () => number;
  readonly runStack: (stack: number, run: number, thread: number, threads: number) => void;
  readonly runHead: (
    head: number,
    run: number,
    first: number,
    count: number,
    out: number,
    outStride: number,
    thread: number,
    threads: number,
  ) => void;
  readonly runLens: (lens: number, run: number, thread: number, threads: number) => void;
  readonly moveSlots: (
    stack: number,
    cache: number,
    capacity: number,
    first: number,
    sources: number,
    count: number,
    room: number,
  ) => void;
  readonly lookUp: (table: number, ids: number, count: number, out: number) => void;
  readonly round: (
    x: number,
    stride: number,
    inputs: number,
    out: number,
    from: number,
    to: number,
    most: number,
  ) => void;
  readonly product: (
    linear: number,
    x: number,
    xStride: number,
    rounded: number,
    rows: number,
    out: number,
    outStride: number,
    isSum: boolean,
    panel: number,
    from: number,
    to: number,
  ) => void;
  readonly attend: (
    shape: number,
    from: number,
    to: number,
    fromHead: number,
    toHead: number,
    scores: number,
  ) => void;
  readonly foldWeights: (
    shape: number,
    query: number,
    isGreatest: boolean,
    weights: number,
    scores: number,
  ) => void;
  readonly rmsNorm: (
    x: number,
    xStride: number,
    weight: number,
    out: number,
    outStride: number,
    from: number,
    to: number,
    columns: number,
    epsilon: number,
  ) => void;
  readonly rotate: (
    x: number,
    heads: number,
    headDim: number,
    cos: number,
    sin: number,
    scale: number,
    out: number,
    outHeadStride: number,
  ) => void;
  readonly swiGlu: (
    gate: number,
    up: number,
    stride: number,
    from: number,
    to: number,
    columns: number,
  ) => void;
  readonly softmaxParts: (x: number, stride: number, rows: number, parts: number, size: number) => void;
  readonly abandon: (sync: number) => void;
  readonly isAbandoned: (sync: number) => number;
  readonly leave: (sync: number) => void;
  readonly awaitLeft: (sync: number, runs: number, waitMs: number) => number;
}

/** Kernels that threads run together. */
export type SharedKernel = 'runStack' | 'runHead' | 'runLens';

/** One run of such a kernel. */
export interface SharedCall {
  readonly kernel: SharedKernel;
  /** Without the last two: the thread, and how many there are. */
  readonly parameters: readonly number[];
  readonly threads: number;
}

/** A thread's share of a run; returns when all have done theirs. @throws if the run was abandoned. */
export function callShare(
  kernels: KernelExports,
  { kernel, parameters, threads }: SharedCall,
  thread: number,
): void {
  const run: (...all: readonly number[]) => void = kernels[kernel];
  run(...parameters, thread, threads);
}

/** Of a module that `openKernels` or a pool compiled. */
export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  const instance = new WebAssembly.Instance(module, { env: { memory, abort: refuse } });
  return instance.exports as unknown as KernelExports;
}

function refuse(): never {
  throw new Error('A WASM kernel failed.');
}

/** @returns the compiled module, or in a few words why it cannot run here. */
export async function openKernels(binary: () => Promise<BufferSource>): Promise<WebAssembly.Module | string> {
  try {
    const bytes = await binary();
    if (!WebAssembly.validate(bytes)) return 'this browser has no WASM SIMD';
    return await WebAssembly.compile(bytes);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
