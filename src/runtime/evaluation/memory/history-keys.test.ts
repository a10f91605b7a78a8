import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import { K } from '../../../core/tree/ids.ts';
import { selectBackend } from '../../../nn/backend/device.ts';
import { nodeWasmPaths } from '../../../nn/backend/wasm-paths-node.ts';
import { BaseModel } from '../../../nn/base-model/base-model.ts';
import { syntheticBase, syntheticConfig } from '../../../nn/testing/synthetic-weights.ts';
import { createFakeModel } from '../../testing/fake-model.ts';
import { type HeadId, type KeyCache, readHistoryKeys } from './history-keys.ts';
import { rememberHistory } from './history-memory.ts';

const step = () => Promise.resolve();
const idsOf = (length: number) => Uint32Array.from({ length }, (_, i) => (i * 7 + (i >> 5)) % 64);
const HEADS: readonly HeadId[] = [
  [1, 3],
  [0, 0],
];

function mapCache(): KeyCache & { readonly kept: Map<string, Float32Array> } {
  const kept = new Map<string, Float32Array>();
  return {
    kept,
    load: (key) => Promise.resolve(kept.get(key)?.slice() ?? null),
    save: (key, values) => Promise.resolve(void kept.set(key, values.slice())),
  };
}

describe('readHistoryKeys', () => {
  let base: BaseModel;
  beforeAll(async () => {
    await selectBackend('wasm', { wasmPaths: nodeWasmPaths() });
    const config = syntheticConfig({
      vocab_size: 64,
      hidden_size: 32,
      num_hidden_layers: 2,
      num_key_value_heads: 2,
      head_dim: 8,
      intermediate_size: 48,
    });
    base = await BaseModel.open(config, syntheticBase(config));
  });
  const modelWith = async (length: number) => {
    const fake = createFakeModel();
    const tree = await rememberHistory(fake, idsOf(length), undefined, step);
    return { model: { ...fake, base }, tree };
  };

  it('is a plain prefill up to the window: bounds and keys as of one whole forward', async () => {
    const { model, tree } = await modelWith(500);
    const read = await readHistoryKeys(model, tree, HEADS, undefined, systemClock, step);
    const session = base.createDecodeSession(500);
    const { keys } = await session.appendForHeads(
      base.embed(idsOf(500)),
      Float64Array.from({ length: 500 }, (_, i) => i),
    );
    session.dispose();
    const width = 16;
    for (const layer of [0, 1]) {
      const least = new Float32Array(15 * width).fill(Infinity);
      const most = new Float32Array(15 * width).fill(-Infinity);
      for (let i = 0; i < 15 * K * width; i++) {
        const at = Math.floor(i / (K * width)) * width + (i % width);
        least[at] = Math.min(least[at]!, keys[layer]![i]!);
        most[at] = Math.max(most[at]!, keys[layer]![i]!);
      }
      expect(read.least[layer]).toEqual(least);
      expect(read.most[layer]).toEqual(most);
    }
    for (const [i, [layer, keyHead]] of [
      [1, 1],
      [0, 0],
    ].entries()) {
      const own = Float32Array.from(
        { length: 15 * K * 8 },
        (_, j) => keys[layer!]![Math.floor(j / 8) * width + keyHead! * 8 + (j % 8)]!,
      );
      expect(read.keys[i]).toEqual(own);
    }
    expect(read.baseTokens).toBe(500 + 500);
    read.dispose();
  });

  it('reads beyond the window at a bounded cost, and asks alike from a cache', async () => {
    const { model, tree } = await modelWith(1600);
    const cache = mapCache();
    const asked = idsOf(20);
    const first = await readHistoryKeys(model, tree, HEADS, cache, systemClock, step);
    const queries = await first.ask(asked);
    expect(queries.map(({ length }) => length)).toEqual([20 * 32, 20 * 32]);
    expect(first.baseTokens).toBe(1600 + 4 + 512);
    for (const part of [...first.least, ...first.most, ...first.keys]) {
      expect(part.every(Number.isFinite)).toBe(true);
      expect(part.subarray(-16).some((value) => value !== 0)).toBe(true);
    }
    let ran = 0;
    const counting: BaseModel = Object.create(base) as BaseModel;
    counting.embed = (ids) => {
      ran += ids.length;
      return base.embed(ids);
    };
    const again = await readHistoryKeys({ ...model, base: counting }, tree, HEADS, cache, systemClock, step);
    expect(ran).toBe(4 + 512);
    expect(again.least).toEqual(first.least);
    expect(again.keys).toEqual(first.keys);
    expect([again.baseTokens, again.ms]).toEqual([first.baseTokens, Math.fround(first.ms)]);
    expect(await again.ask(asked)).toEqual(queries);
    // Asking leaves nothing behind.
    expect(await again.ask(asked)).toEqual(queries);
    first.dispose();
    again.dispose();
  });

  it('keeps other heads, tokens and weights apart, and reads anew what does not fit', async () => {
    const { model, tree } = await modelWith(64);
    const cache = mapCache();
    const read = async (changes: Partial<typeof model>, heads: readonly HeadId[] = HEADS) => {
      (await readHistoryKeys({ ...model, ...changes }, tree, heads, cache, systemClock, step)).dispose();
    };
    await read({});
    await read({});
    await read({ hash: 'e'.repeat(64) });
    await read({}, [[0, 1]]);
    expect(cache.kept.size).toBe(3);
    for (const key of cache.kept.keys()) cache.kept.set(key, new Float32Array(3));
    await read({});
    expect([...cache.kept.values()].some(({ length }) => length > 3)).toBe(true);
  });
});
