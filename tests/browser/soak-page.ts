/** The engine's soak on WebGPU, inside the page. */
import { BROWSER_WASM_PATHS } from '../../src/nn/backend/wasm-paths-browser.ts';
import { selectBackend } from '../../src/nn/backend/device.ts';
import { type MemoryReport, memoryReport } from '../../src/nn/backend/memory-report.ts';
import { loadModel } from '../../src/nn/loader/load-model.ts';
import { createFetchSource } from '../../src/nn/model-folder/fetch-source.ts';
import { soakEngine } from '../../src/runtime/testing/engine-soak.ts';

export interface GpuRound extends MemoryReport {
  readonly refocuses: number;
}

/** What is on the device after each round; the device's own count of buffers may keep spare ones. */
export async function soakOnGpu(refocuses: number): Promise<readonly GpuRound[]> {
  const rounds: GpuRound[] = [];
  await soakEngine({
    loadModel: async () => ({
      backend: await selectBackend('webgpu', { wasmPaths: BROWSER_WASM_PATHS }),
      model: await loadModel(createFetchSource('/models/tiny/')),
    }),
    refocuses,
    charactersPerSession: 1500,
    onRound: (round) => {
      const held = { refocuses: round.refocuses, ...memoryReport() };
      console.info(JSON.stringify(held));
      rounds.push(held);
    },
  });
  return rounds;
}
