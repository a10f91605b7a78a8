import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend, startTensorFlow } from '../../backend/device.ts';
import { nodeWasmPaths } from '../../backend/wasm-paths-node.ts';
import { applyLinear, type Linear } from '../../model-folder/weights.ts';
import { largestError } from '../../testing/fixture-parity.ts';
import { randomValues } from '../../testing/synthetic-weights.ts';
import { type AttentionWeights, attendOverFew, fewAttendOver, isWorthFolding } from './folded-attention.ts';

const WIDTH = 16;
const HEADS = 2;

let seed = 1;
const matrix = (rows: number, columns = WIDTH): tf.Tensor2D =>
  tf.tensor2d(randomValues(rows * columns, seed++), [rows, columns]);
const linear = (hasBias: boolean): Linear => ({
  weight: matrix(WIDTH),
  bias: hasBias ? tf.tensor1d(randomValues(WIDTH, seed++)) : null,
});

/** As the definition has it, head by head. */
function attend(x: tf.Tensor2D, other: tf.Tensor2D, { q, k, v, output }: AttentionWeights): tf.Tensor2D {
  const [queries, keys, values] = [applyLinear(x, q), applyLinear(other, k), applyLinear(other, v)];
  const size = WIDTH / HEADS;
  const mixed = Array.from({ length: HEADS }, (_, head) => {
    const of = (all: tf.Tensor2D) => tf.slice(all, [0, head * size], [all.shape[0], size]);
    return tf.matMul<tf.Tensor2D>(tf.softmax(tf.matMul(of(queries), of(keys), false, true)), of(values));
  });
  return applyLinear(tf.concat2d(mixed, 1), output);
}

describe.each(['wasm', 'cpu'] as const)('folded attention on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend, { wasmPaths: nodeWasmPaths() });
    await startTensorFlow();
  });

  it.each([
    [70, 9, true],
    [70, 1, false],
    [1, 3, true],
    [33, 2, true],
  ])('is the attention of %i rows and %i others', (many, few, hasBias) => {
    const [folded, plain, foldedBack, plainBack] = tf.tidy(() => {
      const weights = {
        q: linear(hasBias),
        k: linear(hasBias),
        v: linear(hasBias),
        output: linear(false),
      };
      const [x, y] = [matrix(many), matrix(few)];
      return [
        attendOverFew(x, y, weights, HEADS),
        attend(x, y, weights),
        fewAttendOver(y, x, weights, HEADS),
        attend(y, x, weights),
      ].map((tensor) => tensor.dataSync<'float32'>().slice());
    });
    expect(largestError(folded!, plain!)).toBeLessThan(1e-5);
    expect(largestError(foldedBack!, plainBack!)).toBeLessThan(1e-5);
  });
});

it('is worth it where one side is small', () => {
  expect(isWorthFolding(1024, 9, 4, 128)).toBe(true);
  expect(isWorthFolding(1024, 64, 4, 128)).toBe(false);
  expect(isWorthFolding(4, 9, 4, 128)).toBe(false);
});
