/** The WASM kernels of `kernels/`: which binary runs here, and what it exports. Pointers are byte addresses. */

/** Where the binaries come from: read when a backend starts. */
export interface KernelBinaries {
  readonly plain: () => Promise<BufferSource>;
}

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
  readonly round: (x: number, stride: number, inputs: number, out: number, from: number, to: number) => void;
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
}

/** @returns the compiled module, or in a few words why it cannot run here. */
export async function openKernels(binaries: KernelBinaries): Promise<WebAssembly.Module | string> {
  try {
    const bytes = await binaries.plain();
    if (!WebAssembly.validate(bytes)) return 'this browser has no WASM SIMD';
    return await WebAssembly.compile(bytes);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
