/** How fast the active backend multiplies, measured: what decoding costs most of, and what it could do at best. */
import * as tf from '@tensorflow/tfjs';

const INPUTS = 1024;
/** More than a processor keeps near itself: a base’s weights are read anew for every token. */
const OUTPUTS = 16_384;
/** Square matrices whose product is arithmetic alone. */
const SQUARE = 512;
/** Kernels that do nothing but start. */
const STARTS = 64;
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

/** Takes less than a second. @param now - milliseconds. */
export async function measureBackend(now: () => number): Promise<BackendLimits> {
  const bytesPerSecond = Float32Array.BYTES_PER_ELEMENT * (await measureWeightsPerSecond(now));
  const squareMs = await bestProductMs([SQUARE, SQUARE], [SQUARE, SQUARE], now);
  return {
    bytesPerSecond,
    flopsPerSecond: (2 * SQUARE ** 3) / (squareMs / 1000),
    dispatchMs: await measureDispatch(now),
  };
}

/** @returns float32 weights per second that one row of activations is multiplied by. */
export async function measureWeightsPerSecond(now: () => number): Promise<number> {
  return (INPUTS * OUTPUTS) / ((await bestProductMs([1, INPUTS], [INPUTS, OUTPUTS], now)) / 1000);
}

async function bestProductMs(
  left: readonly [number, number],
  right: readonly [number, number],
  now: () => number,
): Promise<number> {
  const a = tf.ones([...left]);
  const b = tf.ones([...right]);
  const run = async (): Promise<void> => {
    const products = tf.matMul(a, b);
    await products.data();
    products.dispose();
  };
  try {
    return await bestMs(run, now);
  } finally {
    tf.dispose([a, b]);
  }
}

async function measureDispatch(now: () => number): Promise<number> {
  const one = tf.ones([1]);
  const run = async (): Promise<void> => {
    const last = tf.tidy(() => {
      let x: tf.Tensor = one;
      for (let i = 0; i < STARTS; i++) x = tf.add(x, one);
      return x;
    });
    await last.data();
    last.dispose();
  };
  try {
    return (await bestMs(run, now)) / STARTS;
  } finally {
    one.dispose();
  }
}

/** The shortest of as many runs as fit, so that what else runs on the machine counts little. */
async function bestMs(run: () => Promise<void>, now: () => number): Promise<number> {
  // The first run compiles.
  await run();
  const began = now();
  let best = Infinity;
  for (let at = began; at - began < LONGEST_MS;) {
    await run();
    const ended = now();
    best = Math.min(best, ended - at);
    at = ended;
  }
  return Math.max(best, 0.01);
}
