/** How fast the active backend multiplies, measured: what decoding costs most of, and what it could do at best. */
import { kernelModule, startTensorFlow } from './device.ts';
import { KernelProbe } from './kernel-probe.ts';
import type { PreparedWork, ThroughputProbe } from './throughput-probe.ts';

const INPUTS = 1024;
/** More than a processor keeps near itself: a base’s weights are read anew for every token. */
const OUTPUTS = 16_384;
/** Square matrices whose product is arithmetic alone. */
const SQUARE = 512;
const LONGEST_MS = 100;

/** What a machine can do on the active backend at best, as a short probe has it. */
export interface BackendLimits {
  /** Reading float32 weights in a product with one row. */
  readonly bytesPerSecond: number;
  /** Multiplications and additions of a product of square matrices. */
  readonly flopsPerSecond: number;
  /** Starting one kernel. */
  readonly dispatchMs: number;
}

/** What networks run on here: the project's own kernels, or TensorFlow.js. */
async function openProbe(): Promise<ThroughputProbe> {
  const module = kernelModule();
  if (module !== null) return new KernelProbe(module);
  await startTensorFlow();
  const { TensorProbe } = await import('./tensor-probe.ts');
  return new TensorProbe();
}

/** Takes less than a second. @param now - milliseconds. */
export async function measureBackend(now: () => number): Promise<BackendLimits> {
  const probe = await openProbe();
  const bytesPerSecond = Float32Array.BYTES_PER_ELEMENT * (await weightsPerSecond(probe, now));
  const squareMs = await bestMs(probe.product(SQUARE, SQUARE, SQUARE), now);
  return {
    bytesPerSecond,
    flopsPerSecond: (2 * SQUARE ** 3) / (squareMs / 1000),
    dispatchMs: (await bestMs(probe.starts(), now)) / probe.startedAtOnce,
  };
}

/** @returns float32 weights per second that one row of activations is multiplied by. */
export async function measureWeightsPerSecond(now: () => number): Promise<number> {
  return weightsPerSecond(await openProbe(), now);
}

async function weightsPerSecond(probe: ThroughputProbe, now: () => number): Promise<number> {
  return (INPUTS * OUTPUTS) / ((await bestMs(probe.product(1, INPUTS, OUTPUTS), now)) / 1000);
}

/** The shortest of as many runs as fit, so that what else runs on the machine counts little. */
async function bestMs(work: PreparedWork, now: () => number): Promise<number> {
  try {
    // The first run compiles.
    await work.run();
    const began = now();
    let best = Infinity;
    for (let at = began; at - began < LONGEST_MS;) {
      await work.run();
      const ended = now();
      best = Math.min(best, ended - at);
      at = ended;
    }
    return Math.max(best, 0.01);
  } finally {
    work.dispose();
  }
}
