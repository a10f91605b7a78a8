/** Counts live tensors, so that others can hold the room to "nothing leaks" without importing TensorFlow.js. */
import * as tf from '@tensorflow/tfjs';

export interface MemoryReport {
  readonly tensors: number;
  /** Buffers of the active backend; tensors that share one count once. */
  readonly buffers: number;
  readonly bytes: number;
}

export function memoryReport(): MemoryReport {
  const { numTensors, numBytes } = tf.memory();
  return { tensors: numTensors, buffers: tf.backend().numDataIds(), bytes: numBytes };
}
