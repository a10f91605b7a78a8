/** Makes LensNets and their trainers for one model: what the runtime needs to train, exchange and bring back. */
import { createLensNet } from '../lens-net.ts';
import type { LensNetConfig } from '../../model-folder/manifest.ts';
import type { LensWorkshop } from '../../ports.ts';
import { SafetensorsFile } from '../../model-folder/safetensors.ts';

/**
 * @param hiddenSize - d, the base's.
 * @param epsilon - the base's, for every norm.
 * @param shippedWeights - a safetensors file, verified; kept.
 */
export function createLensWorkshop(
  hiddenSize: number,
  epsilon: number,
  config: LensNetConfig,
  shippedWeights: ArrayBuffer,
): LensWorkshop {
  const trainable = config.variant === 'dual-cross-attention' && config.tailGists !== false ? config : null;
  return {
    shippedWeights,
    canTrain: trainable !== null,
    createNet: (weights, file) =>
      createLensNet(hiddenSize, epsilon, config, SafetensorsFile.parse(weights, file)),
    createTrainer: async (weights, file) => {
      if (trainable === null) throw new RangeError(`No gradients for the variant ${config.variant}.`);
      const shape = { hiddenSize, epsilon, config: trainable };
      const { DualCrossTrainer } = await import('./trainer.ts');
      return new DualCrossTrainer(shape, SafetensorsFile.parse(weights, file));
    },
  };
}
