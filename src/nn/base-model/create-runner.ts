/** Chooses what runs a base's layers: the project's own kernels where they can, TensorFlow.js everywhere else. */
import { gpuDevice, kernelModule, kernelPool, startTensorFlow } from '../backend/device.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import type { BaseConfig } from './config.ts';
import { KernelRunner } from './kernel-runner.ts';
import { canRunOnKernels } from './kernel-stack.ts';
import type { LayerRunner } from './layer-runner.ts';

export interface ChosenRunner {
  readonly runner: LayerRunner;
  /** One sentence for people where it is slower than the backend lets others; null where it is not. */
  readonly compromise: string | null;
}

/**
 * @throws {WeightError} if the file does not fit the configuration, {BackendError} if the device has no room; nothing is
 *   left behind.
 */
export async function createRunner(config: BaseConfig, file: TensorFile): Promise<ChosenRunner> {
  const device = gpuDevice();
  if (device !== null) return createGpuRunner(config, file, device);
  const module = kernelModule();
  const runner =
    module !== null && canRunOnKernels(config)
      ? new KernelRunner(config, file, module, kernelPool())
      : await createTensorRunner(config, file);
  return { runner, compromise: null };
}

async function createTensorRunner(config: BaseConfig, file: TensorFile): Promise<LayerRunner> {
  await startTensorFlow();
  const { TensorRunner } = await import('./tensor-runner.ts');
  return new TensorRunner(config, file);
}

/** A device may refuse a kernel for reasons of its own; TensorFlow.js, whose kernels are simpler, then takes its place. */
async function createGpuRunner(
  config: BaseConfig,
  file: TensorFile,
  device: GPUDevice,
): Promise<ChosenRunner> {
  // Fetched only by those who have a device.
  const { canRunOnGpu, GpuRunner } = await import('./gpu-runner.ts');
  const slower = async (why: string): Promise<ChosenRunner> => ({
    runner: await createTensorRunner(config, file),
    compromise: `The base runs without the project's own kernels, and slower, because ${why}.`,
  });
  if (!canRunOnGpu(config)) return slower('its sizes are no whole vectors of four');
  const runner = new GpuRunner(config, file, device);
  try {
    await runner.ready();
  } catch (error) {
    runner.dispose();
    return slower(`this device refuses them (${error instanceof Error ? error.message : String(error)})`);
  }
  return { runner, compromise: null };
}
