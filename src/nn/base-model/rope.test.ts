import { beforeAll, describe, expect, it } from 'vitest';
import { BaseModel } from './base-model.ts';
import { selectBackend, startTensorFlow } from '../backend/device.ts';
import { ShapeError } from '../errors.ts';
import { largestError } from '../testing/fixture-parity.ts';
import { createRopeTables } from './rope-tables.ts';
import { randomValues, syntheticBase, syntheticConfig } from '../testing/synthetic-weights.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';

const HEAD_DIM = 8;
const THETA = 10_000;

beforeAll(async () => {
  await selectBackend('wasm', { wasmPaths: nodeWasmPaths() });
  await startTensorFlow();
});

function tables(positions: number[], deviations?: number[]) {
  const { cos, sin } = createRopeTables(positions, HEAD_DIM, THETA, deviations);
  const values = { cos: cos.dataSync<'float32'>().slice(), sin: sin.dataSync<'float32'>().slice() };
  cos.dispose();
  sin.dispose();
  return values;
}

describe('rotary tables', () => {
  it('are the mean rotation over a Gaussian position', () => {
    const [centre, deviation] = [1040, 9.2];
    const { cos, sin } = tables([centre], [deviation]);
    for (let i = 0; i < HEAD_DIM / 2; i++) {
      const frequency = THETA ** (-(2 * i) / HEAD_DIM);
      const mean = { cos: 0, sin: 0, weight: 0 };
      for (let z = -8; z <= 8; z += 0.001) {
        const weight = Math.exp(-(z * z) / 2);
        mean.weight += weight;
        mean.cos += weight * Math.cos((centre + deviation * z) * frequency);
        mean.sin += weight * Math.sin((centre + deviation * z) * frequency);
      }
      expect(cos[i]).toBeCloseTo(mean.cos / mean.weight, 5);
      expect(sin[i]).toBeCloseTo(mean.sin / mean.weight, 5);
    }
  });

  it('of sharp positions are what they are without deviations, bit for bit', () => {
    const positions = [0, 1, 48, 999_999];
    expect(tables(positions, [0, 0, 0, 0])).toEqual(tables(positions));
    expect(tables(positions, [0, 3, 0, 0]).cos.subarray(8)).toEqual(tables(positions).cos.subarray(8));
  });
});

describe('a base with blurred positions', () => {
  const config = syntheticConfig({
    vocab_size: 32,
    hidden_size: 32,
    num_hidden_layers: 2,
    head_dim: 8,
    intermediate_size: 48,
  });
  const count = 300;
  const positions = Float64Array.from({ length: count }, (_, i) => 16 + 32 * i);

  it('gives the same logits in pieces and slot by slot, and others than without', async () => {
    const model = await BaseModel.open(config, syntheticBase(config));
    const embeddings = randomValues(count * 32, 4);
    const blur = Float64Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 0 : i / 10));
    const session = model.createDecodeSession(count);
    const whole = await session.append(embeddings, positions, 'last', blur);
    session.truncate(0);
    let last = whole;
    const edges = [0, 140, 290, ...Array.from({ length: 10 }, (_, i) => 291 + i)];
    for (let i = 1; i < edges.length; i++) {
      const [from, to] = [edges[i - 1]!, edges[i]!];
      const rows = embeddings.subarray(from * 32, to * 32);
      last = await session.append(rows, positions.subarray(from, to), 'last', blur.subarray(from, to));
    }
    expect(largestError(last, whole)).toBeLessThan(1e-5);
    session.truncate(0);
    const sharp = await session.append(embeddings, positions, 'last');
    expect(largestError(sharp, whole)).toBeGreaterThan(1e-4);
    session.truncate(0);
    expect(await session.append(embeddings, positions, 'last', new Float64Array(count))).toEqual(sharp);
    await expect(session.append(embeddings, positions, 'last', new Float64Array(1))).rejects.toThrow(
      ShapeError,
    );
    session.dispose();
    model.dispose();
  });
});
