/** Counts live tensors and blocks, so that others can hold the room to "nothing leaks" without TensorFlow.js. */
import * as tf from '@tensorflow/tfjs';
import { gpuUse } from '../gpu/buffers.ts';
import { kernelUse } from './kernel-memory.ts';

export interface MemoryReport {
  readonly tensors: number;
  /** Buffers of the active backend, tensors that share one count once, blocks under the WASM kernels, and our own on the GPU. */
  readonly buffers: number;
  readonly bytes: number;
}

export function memoryReport(): MemoryReport {
  const own = {
    tensors: 0,
    buffers: kernelUse.blocks + gpuUse.buffers,
    bytes: kernelUse.bytes + gpuUse.bytes,
  };
  // Asked, it would start a backend of its own choice.
  if ((tf.getBackend() as string | undefined) === undefined) return own;
  const { numTensors, numBytes } = tf.memory();
  return {
    tensors: numTensors,
    buffers: own.buffers + tf.backend().numDataIds(),
    bytes: own.bytes + numBytes,
  };
}
