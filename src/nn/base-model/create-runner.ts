/** Chooses what runs a base's layers: the WASM kernels where they can, TensorFlow.js everywhere else. */
import { kernelModule, kernelPool } from '../backend/device.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import type { BaseConfig } from './config.ts';
import { canRunOnKernels, KernelRunner } from './kernel-runner.ts';
import type { LayerRunner } from './layer-runner.ts';
import { TensorRunner } from './tensor-runner.ts';

/** @throws {WeightError} if the file does not fit the configuration; nothing is left behind. */
export function createRunner(config: BaseConfig, file: TensorFile): LayerRunner {
  const module = kernelModule();
  return module !== null && canRunOnKernels(config)
    ? new KernelRunner(config, file, module, kernelPool())
    : new TensorRunner(config, file);
}
