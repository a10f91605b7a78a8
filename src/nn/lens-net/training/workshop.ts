/** Makes LensNets and their trainers for one model: what the runtime needs to train, exchange and bring back. */
import { startTensorFlow } from '../../backend/device.ts';
import { createLensNet } from '../lens-net.ts';
import type { LensNetConfig } from '../../model-folder/manifest.ts';
import type { LensWorkshop } from '../../ports.ts';
import { SafetensorsFile } from '../../model-folder/safetensors.ts';

/**
 * @param hiddenSize - d, the base's.
 * @param epsilon - the base's, for every norm.
 * @param shippedWeights - a safetensors file, verified; read when it is asked for.
 */
export function createLensWorkshop(
  hiddenSize: number,
  epsilon: number,
  config: LensNetConfig,
  shippedWeights: () => Promise<ArrayBuffer>,
): LensWorkshop {
  return {
    shippedWeights,
    createNet: (weights, file) =>
      createLensNet(hiddenSize, epsilon, config, SafetensorsFile.parse(weights, file)),
    createTrainer: async (weights, file) => {
      await startTensorFlow();
      const { SlotLensTrainer } = await import('./trainer.ts');
      return new SlotLensTrainer({ hiddenSize, epsilon, config }, SafetensorsFile.parse(weights, file));
    },
  };
}
