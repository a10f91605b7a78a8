import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergeRows } from '../../../core/heads/merging.ts';
import { MERGERS } from '../../../core/parameters/heads.ts';
import { type Layout, emptyLayout } from '../../../core/context/working-context.ts';
import { selectBackend } from '../../../nn/backend/device.ts';
import { nodeWasmPaths } from '../../../nn/backend/wasm-paths-node.ts';
import { BaseModel } from '../../../nn/base-model/base-model.ts';
import { largestError } from '../../../nn/testing/fixture-parity.ts';
import { randomValues, syntheticBase, syntheticConfig } from '../../../nn/testing/synthetic-weights.ts';
import { readMerged, type ReadHead } from './merged-reading.ts';

const config = syntheticConfig();
let base: BaseModel;

beforeAll(async () => {
  await selectBackend('wasm', { wasmPaths: nodeWasmPaths() });
  base = await BaseModel.open(config, syntheticBase(config));
});

afterAll(() => {
  base.dispose();
});

/** A head whose last slot was run already. */
function headThatRead(id: number, hidden: Float32Array): ReadHead {
  const layout: Layout = emptyLayout();
  return {
    id,
    layout,
    budgetTokens: 8,
    utility: id / 10,
    decoder: { approach: () => Promise.resolve(hidden) },
  };
}

const states = [1, 2, 3].map((seed) => randomValues(config.hiddenSize, seed).map((value) => 3 * value));
const gateOf = (hidden: Float32Array, entropyNats: number): number => hidden[0]! - entropyNats;

describe.each(MERGERS)('%s', (merger) => {
  it('gives what the LM head makes of the weighted sum of final hidden states', async () => {
    const heads = states.map((hidden, id) => headThatRead(id, hidden));
    const { logits, weights } = await readMerged(base, heads, merger, gateOf);
    const joined = Float32Array.from(states.flatMap((hidden) => [...hidden]));
    expect(largestError(logits, await base.logitsOf(mergeRows(joined, weights)))).toBeLessThan(1e-5);
    expect(new Set(weights).size).toBe(merger === 'mean' ? 1 : merger === 'best-head' ? 2 : 3);
  });

  it('runs the LM head once', async () => {
    let runs = 0;
    const counting = {
      hiddenSize: base.hiddenSize,
      vocabularySize: base.vocabularySize,
      logitsOf: (hidden: Float32Array) => {
        runs++;
        return base.logitsOf(hidden);
      },
    };
    const heads = states.map((hidden, id) => headThatRead(id, hidden));
    await readMerged(counting as unknown as BaseModel, heads, merger, gateOf);
    expect(runs).toBe(1);
  });

  it('gives one head’s own logits, to the bit', async () => {
    const { logits, weights } = await readMerged(base, [headThatRead(0, states[0]!)], merger, gateOf);
    expect(logits).toEqual(await base.logitsOf(states[0]!));
    expect(weights).toEqual(Float64Array.of(1));
  });
});
