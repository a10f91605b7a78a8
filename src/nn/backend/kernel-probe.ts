/** The probe of `throughput.ts` on the WASM kernels, in a memory of its own and on one thread. */
import { KernelMemory } from './kernel-memory.ts';
import type { PreparedWork, ThroughputProbe } from './throughput-probe.ts';

/** `Format.F32` of `kernels/products.ts`. */
const F32 = 0;
const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;

export class KernelProbe implements ThroughputProbe {
  readonly startedAtOnce = 10_000;

  constructor(private readonly module: WebAssembly.Module) {}

  /** All sizes are whole vectors. */
  product(rows: number, inputs: number, outputs: number): PreparedWork {
    const memory = new KernelMemory(this.module);
    const [inputBytes, outputBytes] = [inputs * FLOAT_BYTES, outputs * FLOAT_BYTES];
    const weight = memory.allocate(outputs * inputBytes);
    const x = memory.allocate(rows * inputBytes);
    for (const [at, count] of [
      [weight, outputs],
      [x, rows],
    ] as const)
      memory.floats(at, count * inputs).fill(1);
    const linear = memory.record([F32, outputs, inputs, inputBytes, weight, 0, 0, 0]);
    const out = memory.allocate(rows * outputBytes);
    return {
      run: () => {
        memory.kernels.product(linear, x, inputBytes, 0, rows, out, outputBytes, false, 0, 0, outputs);
        return Promise.resolve();
      },
      dispose: () => {
        memory.dispose();
      },
    };
  }

  starts(): PreparedWork {
    const memory = new KernelMemory(this.module);
    return {
      run: () => {
        // No rows.
        for (let i = 0; i < this.startedAtOnce; i++) memory.kernels.swiGlu(0, 0, 0, 0, 0, 0);
        return Promise.resolve();
      },
      dispose: () => {
        memory.dispose();
      },
    };
  }
}
