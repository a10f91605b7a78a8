/** What `throughput.ts` times, whatever runs it. */

/** Work that is prepared once and done as often as one likes. */
export interface PreparedWork {
  run(): Promise<void>;
  dispose(): void;
}

/** What runs the probe. */
export interface ThroughputProbe {
  /** How many kernels `starts` starts. */
  readonly startedAtOnce: number;
  /** A product of `[rows, inputs]` and `[inputs, outputs]`, all ones, and waiting for it. */
  product(rows: number, inputs: number, outputs: number): PreparedWork;
  /** Kernels that do nothing but start. */
  starts(): PreparedWork;
}
