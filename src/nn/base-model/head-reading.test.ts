import { beforeAll, describe, expect, it } from 'vitest';
import { BaseModel } from './base-model.ts';
import { selectBackend } from '../backend/device.ts';
import { memoryReport } from '../backend/memory-report.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';
import { CapacityError } from '../errors.ts';
import { largestError } from '../testing/fixture-parity.ts';
import { randomValues, syntheticBase, syntheticConfig } from '../testing/synthetic-weights.ts';

/** Two query heads a key head, and a layer without rotation. */
const CONFIG = syntheticConfig({
  vocab_size: 64,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_key_value_heads: 2,
  head_dim: 8,
  intermediate_size: 48,
  no_rope_layers: [1, 0],
});
const { hiddenSize, heads, kvHeads, headDim, epsilon, ropeTheta } = CONFIG;
/** More than one chunk. */
const COUNT = 300;
const vectors = randomValues(COUNT * hiddenSize, 23);
const places = Float64Array.from({ length: COUNT }, (_, i) => 5 + 1.5 * i);

/** The first layer's projection of one slot by the definition, in float64. */
function reference(kind: 'q' | 'k', slot: number): number[] {
  const file = syntheticBase(CONFIG);
  const outputs = (kind === 'q' ? heads : kvHeads) * headDim;
  const name = `model.layers.0.self_attn.${kind}_proj`;
  const weight = file.floats(`${name}.weight`, [outputs, hiddenSize]);
  const bias = file.floats(`${name}.bias`, [outputs]);
  const norm = file.floats('model.layers.0.input_layernorm.weight', [hiddenSize]);
  const x = Array.from(vectors.subarray(slot * hiddenSize, (slot + 1) * hiddenSize));
  const root = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / hiddenSize + epsilon);
  const plain = Array.from(
    bias,
    (offset, row) =>
      offset +
      x.reduce((sum, value, j) => sum + (value / root) * norm[j]! * weight[row * hiddenSize + j]!, 0),
  );
  const half = headDim / 2;
  return plain.map((value, row) => {
    const j = row % headDim;
    const angle = places[slot]! * ropeTheta ** (-(2 * (j % half)) / headDim);
    const other = j < half ? -plain[row + half]! : plain[row - half]!;
    const rotated = value * Math.cos(angle) + other * Math.sin(angle);
    return kind === 'q' ? rotated / Math.sqrt(headDim) : rotated;
  });
}

describe.each(['wasm', 'cpu'] as const)('keys and queries on %s', (backend) => {
  let model: BaseModel;
  beforeAll(async () => {
    await selectBackend(backend, { wasmPaths: nodeWasmPaths() });
    model = await BaseModel.open(CONFIG, syntheticBase(CONFIG));
  });

  it('are the first layer’s projections by the definition', async () => {
    const session = model.createDecodeSession(COUNT);
    const read = await session.appendForHeads(vectors, places);
    for (const slot of [0, 7, 255, 256, 299]) {
      const key = read.keys[0]!.subarray(slot * kvHeads * headDim, (slot + 1) * kvHeads * headDim);
      const query = read.queries[0]!.subarray(slot * heads * headDim, (slot + 1) * heads * headDim);
      expect(largestError(key, Float32Array.from(reference('k', slot)))).toBeLessThan(1e-4);
      expect(largestError(query, Float32Array.from(reference('q', slot)))).toBeLessThan(1e-4);
    }
    session.dispose();
  });

  it('give the attention that the last layer pays', async () => {
    const session = model.createDecodeSession(COUNT);
    await session.append(vectors, places, 'last', undefined, 'last-layer');
    const paid = session.lastAttention!;
    session.truncate(0);
    const { keys, queries } = await session.appendForHeads(vectors, places);
    const mean = new Float64Array(COUNT);
    for (let head = 0; head < heads; head++) {
      const query = queries[1]!.subarray(((COUNT - 1) * heads + head) * headDim);
      const kvHead = Math.floor((head * kvHeads) / heads);
      const weights = Float64Array.from(mean, (_, slot) => {
        const key = keys[1]!.subarray((slot * kvHeads + kvHead) * headDim);
        let logit = 0;
        for (let j = 0; j < headDim; j++) logit += query[j]! * key[j]!;
        return Math.exp(logit);
      });
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      weights.forEach((weight, slot) => (mean[slot]! += weight / total / heads));
    }
    expect(largestError(Float32Array.from(mean), paid)).toBeLessThan(1e-6);
    session.dispose();
  });

  it('leave the cache as an append does, and no tensor behind', async () => {
    const session = model.createDecodeSession(COUNT);
    const more = vectors.subarray(0, hiddenSize);
    const place = Float64Array.of(999);
    await session.append(vectors.subarray(hiddenSize), places.subarray(1), 0);
    const plain = await session.append(more, place, 'last');
    session.truncate(0);
    const before = memoryReport();
    await session.appendForHeads(vectors.subarray(hiddenSize), places.subarray(1));
    expect(memoryReport()).toEqual(before);
    expect(session.length).toBe(COUNT - 1);
    expect(await session.append(more, place, 'last')).toEqual(plain);
    await expect(session.appendForHeads(more, place)).rejects.toThrow(CapacityError);
    expect(session.length).toBe(COUNT);
    session.dispose();
  });
});
