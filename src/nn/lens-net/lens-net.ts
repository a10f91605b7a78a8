/**
 * LensNet: scores the slots of a working context by the variant that the manifest names (docs/models.md). Chooses what
 * runs it: the project's own kernels where they can, TensorFlow.js everywhere else.
 */
import { kernelModule, kernelPool, startTensorFlow } from '../backend/device.ts';
import type { LensNetConfig } from '../model-folder/manifest.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import { canRunOnKernels, KernelLensNet } from './kernel-lens-net.ts';
import type { LensLogits } from './lens-logits.ts';

/** Makes a net of weights that fit. @throws {WeightError} if they do not; no tensor is left behind. */
export type LensMaker = (file: TensorFile) => LensLogits;

/**
 * A LensNet on the active backend; the caller disposes it.
 *
 * @param hiddenSize - d, the base's.
 * @param epsilon - the base's, for every norm.
 * @throws {WeightError} if the file does not fit the configuration; no tensor is left behind.
 */
export async function createLensNet(
  hiddenSize: number,
  epsilon: number,
  config: LensNetConfig,
  file: TensorFile,
): Promise<LensLogits> {
  return (await openLensMaker(hiddenSize, epsilon, config))(file);
}

/** What makes LensNets of one configuration, once everything that runs them is there. Parameters as above. */
export async function openLensMaker(
  hiddenSize: number,
  epsilon: number,
  config: LensNetConfig,
): Promise<LensMaker> {
  const module = kernelModule();
  if (module !== null && canRunOnKernels(config)) {
    return (file) => new KernelLensNet(hiddenSize, epsilon, config, file, module, kernelPool());
  }
  await startTensorFlow();
  const { SlotLensNet } = await import('./slot-lens-net.ts');
  return (file) => new SlotLensNet(hiddenSize, epsilon, config, file);
}
