/**
 * GistNet: 32 children and what stands before them in, one gist out (docs/models.md). Batched and stateless. Chooses what
 * runs it: the project's own kernels where they can, TensorFlow.js everywhere else.
 */
import { kernelModule, kernelPool } from '../backend/device.ts';
import type { BaseConfig } from '../base-model/config.ts';
import { canRunOnKernels } from '../base-model/kernel-stack.ts';
import type { GistNetConfig } from '../model-folder/manifest.ts';
import type { SafetensorsFile } from '../model-folder/safetensors.ts';
import type { GistNet } from '../ports.ts';
import { KernelGistNet } from './kernel-gist-net.ts';
import { TensorGistNet } from './tensor-gist-net.ts';

/**
 * A GistNet on the active backend; the caller disposes it.
 *
 * @throws {WeightError} if the file does not fit the configuration; nothing is left behind.
 */
export function createGistNet(base: BaseConfig, config: GistNetConfig, file: SafetensorsFile): GistNet {
  const module = kernelModule();
  return module !== null && canRunOnKernels(base)
    ? new KernelGistNet(base, config, file, module, kernelPool())
    : new TensorGistNet(base, config, file);
}
