/**
 * TensorFlow.js and its backends. Fetched by those who run a network on it: in a page whose base, GistNet and LensNet run
 * on the project's own kernels, by nobody.
 */
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import type { BackendId } from '../ports.ts';
import type { WasmPaths } from './wasm-paths.ts';

/**
 * Make a backend the one that TensorFlow.js runs on; that of WebGPU must be registered already.
 *
 * @throws {Error} saying why it cannot start.
 */
export async function runTensorFlowOn(id: BackendId, paths: WasmPaths['tfjs']): Promise<void> {
  if (tf.getBackend() === id) return;
  if (id === 'wasm') prepareWasm(paths);
  if (id === 'cpu') await import('@tensorflow/tfjs-backend-cpu');
  if (!(await tf.setBackend(id))) throw new Error('TensorFlow.js could not initialise it');
  await tf.ready();
}

function prepareWasm(paths: WasmPaths['tfjs']): void {
  // The paths may be set only before the binary is loaded.
  if (tf.engine().registry['wasm'] !== undefined) return;
  // One thread: the threaded build sends its workers its own source text, which a minifier breaks, and they
  // then hang instead of failing.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  if (typeof paths === 'string') {
    setWasmPaths(paths);
    return;
  }
  setWasmPaths({
    'tfjs-backend-wasm.wasm': paths.plain,
    'tfjs-backend-wasm-simd.wasm': paths.simd,
    'tfjs-backend-wasm-threaded-simd.wasm': paths.simd,
  });
}

/** Let TensorFlow.js's WebGPU backend run on a device that the app owns. */
export async function registerGpuDevice(device: GPUDevice, info: GPUAdapterInfo): Promise<void> {
  // Fetched only by those who run it: it is half as large as all the rest of TensorFlow.js.
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  // Also forgets the factory that importing the package registers, which opens a device of its own.
  forgetGpuDevice();
  // Small tensors would otherwise stay on the CPU, where the kernels of this room cannot write in place.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, info), 3);
}

/** Everything on the device is gone for TensorFlow.js. */
export function forgetGpuDevice(): void {
  if ((tf.findBackendFactory('webgpu') as unknown) !== null) tf.removeBackend('webgpu');
}
