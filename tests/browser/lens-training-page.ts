/** Takes one training gradient on a backend inside the page; the test imports it from there. */
import { selectBackend, startTensorFlow } from '../../src/nn/backend/device.ts';
import { lensFixtureInput } from '../../src/nn/testing/fixture-parity.ts';
import type { LensShape } from '../../src/nn/lens-net/training/trainable-weights.ts';
import { SlotLensTrainer } from '../../src/nn/lens-net/training/trainer.ts';
import { SafetensorsFile } from '../../src/nn/model-folder/safetensors.ts';
import { BROWSER_WASM_PATHS } from '../../src/nn/backend/wasm-paths-browser.ts';

const FIXTURE = '/tests/fixtures/lensnet-n7-m5';

async function bytesOf(file: string): Promise<ArrayBuffer> {
  const response = await fetch(`${FIXTURE}/${file}`);
  return response.arrayBuffer();
}

/** The whole gradient of one example, tensor by tensor. */
export async function gradientOn(backend: 'wasm' | 'webgpu'): Promise<Record<string, number[]>> {
  await selectBackend(backend, { wasmPaths: BROWSER_WASM_PATHS });
  await startTensorFlow();
  const { config } = JSON.parse(new TextDecoder().decode(await bytesOf('fixture.json'))) as {
    config: { hiddenSize: number; epsilon: number; lensNet: LensShape['config'] };
  };
  const { hiddenSize, epsilon, lensNet } = config;
  const io = SafetensorsFile.parse(await bytesOf('io.safetensors'), 'io');
  const weights = SafetensorsFile.parse(await bytesOf('weights.safetensors'), 'weights');
  const trainer = new SlotLensTrainer({ hiddenSize, epsilon, config: lensNet }, weights);
  const target = (firstSlot: number, slotCount: number, value: number) => {
    return { firstSlot, slotCount, target: value, weight: 1, group: 'expand' };
  };
  await trainer.addExample({
    ...lensFixtureInput(io),
    targets: [target(0, 2, 0.9), target(3, 1, -0.8), target(5, 2, 0.1)],
  });
  const gradient = [...trainer.gradientByName()].map(
    ([name, { values }]) => [name, [...values]] as [string, number[]],
  );
  trainer.dispose();
  return Object.fromEntries(gradient);
}
