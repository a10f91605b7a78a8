import { expect, it } from 'vitest';
import { parameterCount, parseBaseConfig } from '../../../nn/base-model/config.ts';
import { forecastRun } from './run-forecast.ts';

const GIB = 2 ** 30;
const smol = (layers: number, hidden: number, intermediate: number, heads: number, kvHeads: number) =>
  parseBaseConfig({
    vocab_size: 49_152,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    intermediate_size: intermediate,
    tie_word_embeddings: true,
  });
const SMOL_135M = smol(30, 576, 1536, 9, 3);
const SMOL_1_7B = smol(24, 2048, 8192, 32, 32);

it('counts the weights of SmolLM2 as its makers do', () => {
  expect(parameterCount(SMOL_135M)).toBe(134_515_008);
  expect(parameterCount(SMOL_1_7B)).toBe(1_711_376_384);
});

it('says that a small base runs, how much it takes and how fast it is', () => {
  const around = { backend: 'wasm', deviceMemoryBytes: 8 * GIB, weightsPerSecond: 6e9 } as const;
  const forecast = forecastRun(SMOL_135M, around);
  expect(forecast.fits).toBe('yes');
  expect(forecast.memoryBytes / GIB).toBeGreaterThan(0.65);
  expect(forecast.memoryBytes / GIB).toBeLessThan(2.5);
  expect(forecast.tokensPerSecond).toBeCloseTo(20, 0);
});

it('refuses what WASM cannot address, and what the device does not have', () => {
  const around = { backend: 'wasm', deviceMemoryBytes: null, weightsPerSecond: null } as const;
  expect(forecastRun(SMOL_1_7B, around)).toMatchObject({ fits: 'no', tokensPerSecond: null });
  const gpu = { ...around, backend: 'webgpu', deviceMemoryBytes: 4 * GIB } as const;
  expect(forecastRun(SMOL_1_7B, gpu)).toMatchObject({ fits: 'no' });
  expect(forecastRun(SMOL_135M, { ...gpu, deviceMemoryBytes: 2 * GIB }).fits).toBe('tight');
});
