import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { selectBackend } from '../backend/device.ts';
import { memoryReport } from '../backend/memory-report.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';
import { syntheticConfig } from '../testing/synthetic-weights.ts';
import { KvCache } from './kv-cache.ts';

const CONFIG = syntheticConfig();

beforeAll(() => selectBackend('cpu', { wasmPaths: nodeWasmPaths() }));
afterEach(() => vi.restoreAllMocks());

/** The device is full after so many tensors. */
function failAfter(tensors: number): void {
  const engine = tf.engine();
  const make = engine.makeTensor.bind(engine);
  let made = 0;
  vi.spyOn(engine, 'makeTensor').mockImplementation((...args) => {
    if (made++ === tensors) throw new RangeError('out of memory');
    return make(...args);
  });
}

it.each([0, 1, CONFIG.layers, 2 * CONFIG.layers - 1])(
  'gives everything back where the device is full after %i tensors',
  (tensors) => {
    const before = memoryReport();
    failAfter(tensors);
    expect(() => new KvCache(CONFIG, 16)).toThrow('out of memory');
    expect(memoryReport()).toEqual(before);
  },
);

it('holds keys and values of every layer, and gives them back', () => {
  const before = memoryReport();
  const cache = new KvCache(CONFIG, 16);
  const shape = [16, CONFIG.kvHeads * CONFIG.headDim];
  expect([...cache.keys, ...cache.values].map((tensor) => tensor.shape)).toEqual(
    new Array(2 * CONFIG.layers).fill(shape),
  );
  cache.dispose();
  expect(memoryReport()).toEqual(before);
});
