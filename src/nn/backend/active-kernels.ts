/** Picks the implementation of the custom kernels that fits the active backend. */
import * as tf from '@tensorflow/tfjs';
import { activeBackend, kernelModule } from './device.ts';
import type { Kernels } from './kernels.ts';
import { HeapKernels } from './kernels-heap.ts';
import { WebGpuKernels } from './kernels-webgpu.ts';

/**
 * A network keeps the kernels of the backend that its weights were loaded on.
 *
 * @throws {Error} where TensorFlow.js was not started on it (`startTensorFlow`): it would take another by itself.
 */
export function activeKernels(): Kernels {
  if (tf.getBackend() !== activeBackend())
    throw new Error('TensorFlow.js does not run on the active backend.');
  return tf.getBackend() === 'webgpu' ? new WebGpuKernels() : new HeapKernels(kernelModule());
}
