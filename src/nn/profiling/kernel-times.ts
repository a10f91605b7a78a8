/** The kernels that TensorFlow.js runs within a piece of work: how long each takes, by its backend's own clock. */
import * as tf from '@tensorflow/tfjs';

/** One kernel's run. */
export interface KernelRun {
  readonly name: string;
  /** By timestamp queries on WebGPU where the adapter has them; else by the clock around it. */
  readonly ms: number;
  /** Of its inputs and outputs. */
  readonly bytes: number;
  /** Of a matrix product; not known of other kernels. */
  readonly flops: number | undefined;
}

type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/**
 * Runs of two pieces of work at once would be taken for one's: the caller lets one end before the next begins.
 *
 * @returns what the work returns. @throws what it throws.
 */
export async function withKernelRuns<T>(
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly runs: readonly KernelRun[] }> {
  let outcome: Outcome<T> | undefined;
  // TensorFlow.js goes on profiling for good where the work throws.
  const { kernels } = await tf.profile(async () => {
    outcome = await work().then(
      (value) => ({ ok: true, value }),
      (error: unknown) => ({ ok: false, error }),
    );
    return [];
  });
  if (!outcome!.ok) throw outcome!.error;
  const own = kernels.filter(({ name }) => !isNone(name));
  const runs = own.map(({ name, inputShapes, outputShapes, kernelTimeMs }) => ({
    name,
    ms: Number(kernelTimeMs),
    bytes:
      Float32Array.BYTES_PER_ELEMENT *
      [...inputShapes, ...outputShapes].reduce((sum, shape) => sum + sizeOf(shape), 0),
    flops: flopsOf(name, inputShapes, outputShapes),
  }));
  return { value: outcome!.value, runs };
}

/** A shape that is seen anew starts nothing; an operation with a gradient of its own is told besides its kernels. */
function isNone(name: string): boolean {
  return name === tf.Reshape || name === tf.Identity || name.endsWith(tf.OP_SCOPE_SUFFIX);
}

type Shape = readonly number[] | null | undefined;

function sizeOf(shape: Shape): number {
  return shape?.reduce((product, size) => product * size, 1) ?? 0;
}

/** `[.., m, k] · [.., k, n]`, either transposed: the first holds m · k for every row m of the outcome. */
function flopsOf(name: string, inputs: readonly Shape[], [output]: readonly Shape[]): number | undefined {
  if (name !== tf.BatchMatMul && name !== tf._FusedMatMul) return undefined;
  const rows = output?.at(-2) ?? 0;
  const batches = (output?.slice(0, -2) ?? []).reduce((product, size) => product * size, 1);
  const inner = sizeOf(inputs[0]) / Math.max(1, rows * batches);
  return 2 * sizeOf(output) * inner;
}
