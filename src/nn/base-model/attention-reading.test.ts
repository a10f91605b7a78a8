import { beforeAll, describe, expect, it } from 'vitest';
import { ATTENTION_READINGS } from '../../core/parameters/measurement.ts';
import { measureWeightError } from '../testing/attention-parity.ts';
import { BaseModel } from './base-model.ts';
import { selectBackend } from '../backend/device.ts';
import { memoryReport } from '../backend/memory-report.ts';
import { randomValues, syntheticBase, syntheticConfig } from '../testing/synthetic-weights.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';

/** Two query heads a key head, as SmolLM2 has three. */
const CONFIG = syntheticConfig({
  vocab_size: 64,
  hidden_size: 32,
  num_hidden_layers: 3,
  num_key_value_heads: 2,
  head_dim: 8,
  intermediate_size: 48,
});
const SIZE = CONFIG.hiddenSize;

describe.each(['wasm', 'cpu'] as const)('attention reading on %s', (backend) => {
  let model: BaseModel;
  beforeAll(async () => {
    await selectBackend(backend, { wasmPaths: nodeWasmPaths() });
    model = await BaseModel.open(CONFIG, syntheticBase(CONFIG));
  });

  it('weighs keys by the definition', async () => {
    expect(await measureWeightError()).toBeLessThan(1e-6);
  });

  it('gives the newest slot’s weights along, in a prefill and slot by slot, and changes no logit', async () => {
    const count = 300;
    const vectors = randomValues((count + 1) * SIZE, 17);
    const places = Float64Array.from({ length: count + 1 }, (_, i) => i);
    const session = model.createDecodeSession(count + 1);
    const run = async (reading?: (typeof ATTENTION_READINGS)[number]) => {
      session.truncate(0);
      const [first, last] = [vectors.subarray(0, count * SIZE), vectors.subarray(count * SIZE)];
      const prefilled = await session.append(first, places.subarray(0, count), 'last', undefined, reading);
      const early = session.lastAttention;
      const decoded = await session.append(last, places.subarray(count), 'last', undefined, reading);
      return { logits: [prefilled, decoded], early, late: session.lastAttention };
    };
    const plain = await run();
    expect([plain.early, plain.late]).toEqual([null, null]);
    const seen = new Set<string>();
    for (const reading of ATTENTION_READINGS) {
      const { memory, result } = { memory: memoryReport(), result: await run(reading) };
      expect(memoryReport()).toEqual(memory);
      expect(result.logits).toEqual(plain.logits);
      expect([result.early!.length, result.late!.length]).toEqual([count, count + 1]);
      for (const weights of [result.early!, result.late!]) {
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
        expect(Math.min(...weights)).toBeGreaterThan(0);
      }
      seen.add(result.late!.join());
    }
    expect(seen.size).toBe(ATTENTION_READINGS.length);
    session.dispose();
  });
});
