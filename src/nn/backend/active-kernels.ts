/** Picks the implementation of the custom kernels that fits the active backend. */
import * as tf from '@tensorflow/tfjs';
import { kernelModule } from './device.ts';
import type { Kernels } from './kernels.ts';
import { HeapKernels } from './kernels-heap.ts';
import { WebGpuKernels } from './kernels-webgpu.ts';

/** A network keeps the kernels of the backend that its weights were loaded on. */
export function activeKernels(): Kernels {
  return tf.getBackend() === 'webgpu' ? new WebGpuKernels() : new HeapKernels(kernelModule());
}
