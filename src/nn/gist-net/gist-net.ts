/**
 * GistNet: 32 children and what stands before them in, one gist out (docs/models.md). Batched and stateless. Chooses what
 * runs it: the project's own kernels where they can, TensorFlow.js everywhere else.
 */
import { kernelModule, kernelPool, startTensorFlow } from '../backend/device.ts';
import type { BaseConfig } from '../base-model/config.ts';
import { canRunOnKernels } from '../base-model/kernel-stack.ts';
import type { GistNetConfig } from '../model-folder/manifest.ts';
import type { SafetensorsFile } from '../model-folder/safetensors.ts';
import type { GistNet } from '../ports.ts';
import { KernelGistNet } from './kernel-gist-net.ts';

/**
 * A GistNet on the active backend; the caller disposes it.
 *
 * @throws {WeightError} if the file does not fit the configuration; nothing is left behind.
 */
export async function createGistNet(
  base: BaseConfig,
  config: GistNetConfig,
  file: SafetensorsFile,
): Promise<GistNet> {
  const module = kernelModule();
  if (module !== null && canRunOnKernels(base))
    return new KernelGistNet(base, config, file, module, kernelPool());
  await startTensorFlow();
  const { TensorGistNet } = await import('./tensor-gist-net.ts');
  return new TensorGistNet(base, config, file);
}
