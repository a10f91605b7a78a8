/** The WASM kernels against what they mean, in float64 on the CPU, at shapes that fill no vector, tile or panel. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attendLoop } from '../backend/attention-loop.ts';
import { KernelMemory } from '../backend/kernel-memory.ts';
import { largestError } from '../testing/fixture-parity.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import { type KnownMatrix, knownMatrix } from '../testing/stored-matrices.ts';
import { randomValues, syntheticBase, syntheticConfig } from '../testing/synthetic-weights.ts';
import { KernelWeights, paddedColumns } from './kernel-weights.ts';

const MODULE = new WebAssembly.Module(
  readFileSync(join(import.meta.dirname, '../../../kernels/build/kernels.wasm')),
);
const FILE = syntheticBase(syntheticConfig({ vocab_size: 8, num_hidden_layers: 1 }));

/** Rows padded to whole vectors. @returns where they begin. */
function put(memory: KernelMemory, values: Float32Array, columns: number): number {
  const stride = paddedColumns(columns);
  const rows = values.length / columns;
  const at = memory.allocate(rows * stride * 4);
  const target = memory.floats(at, rows * stride);
  for (let row = 0; row < rows; row++) {
    target.set(values.subarray(row * columns, (row + 1) * columns), row * stride);
  }
  return at;
}

function take(memory: KernelMemory, at: number, rows: number, columns: number): Float32Array {
  const stride = paddedColumns(columns);
  const source = memory.floats(at, rows * stride);
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    return source[Math.floor(i / columns) * stride + (i % columns)]!;
  });
}

/** Relative to the largest product: 16 bits an activation where weights are grouped, float32 elsewhere. */
const TOLERANCE = { f32: 1e-6, f16: 1e-6, bf16: 1e-6, q8: 3e-5, q4: 3e-5 } as const;

describe.each(['f32', 'f16', 'bf16', 'q8', 'q4'] as const)('products with %s weights', (format) => {
  const isGrouped = format === 'q8' || format === 'q4';
  it.each([
    { rows: 1, outputs: 1, inputs: 32 },
    { rows: 1, outputs: 7, inputs: isGrouped ? 96 : 37 },
    { rows: 3, outputs: 13, inputs: isGrouped ? 64 : 50 },
    { rows: 4, outputs: 6, inputs: isGrouped ? 32 : 5 },
    { rows: 5, outputs: 29, inputs: isGrouped ? 160 : 131 },
    { rows: 17, outputs: 24, inputs: isGrouped ? 32 : 64 },
  ])('$rows rows, $inputs → $outputs', ({ rows, outputs, inputs }) => {
    const memory = new KernelMemory(MODULE);
    const weights = new KernelWeights(memory, FILE);
    const { stored, values } = knownMatrix(format, outputs, inputs, 5 * rows + outputs);
    const x = randomValues(rows * inputs, 77);
    const bias = randomValues(outputs, 78);
    const linear = weights.store(stored, outputs, inputs, put(memory, bias, outputs));
    const xAt = put(memory, x, inputs);
    const stride = paddedColumns(inputs) * 4;
    const groups = Math.ceil(inputs / 32);
    const rounded = memory.record([
      memory.allocate(rows * inputs * 2),
      memory.allocate(rows * groups * 4),
      memory.allocate(rows * groups * 4),
    ]);
    if (isGrouped) memory.kernels.round(xAt, stride, inputs, rounded, 0, rows, 32767);
    const out = put(memory, new Float32Array(rows * outputs).fill(3), outputs);
    const panel = memory.allocate(12 * stride);
    // Two shares of the outputs, as two threads would take them.
    const middle = Math.min(outputs, Math.ceil(outputs / 8) * 4);
    for (const [from, to] of [
      [0, middle],
      [middle, outputs],
    ] as const) {
      const outStride = paddedColumns(outputs) * 4;
      memory.kernels.product(linear, xAt, stride, rounded, rows, out, outStride, true, panel, from, to);
    }
    const expected = Float64Array.from({ length: rows * outputs }, (_, i) => {
      const [row, output] = [Math.floor(i / outputs), i % outputs];
      let sum = 3 + bias[output]!;
      for (let j = 0; j < inputs; j++) sum += x[row * inputs + j]! * values[output * inputs + j]!;
      return sum;
    });
    const most = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
    const found = take(memory, out, rows, outputs);
    expect(largestError(found, Float32Array.from(expected)) / most).toBeLessThan(TOLERANCE[format]);
    // A row as float32 is exactly what it is worth.
    const decoded = memory.allocate(stride);
    const ids = memory.allocate(4);
    memory.words(ids, 1)[0] = outputs - 1;
    memory.kernels.lookUp(linear, ids, 1, decoded);
    const last = values.subarray((outputs - 1) * inputs);
    expect(largestError(memory.floats(decoded, inputs), last)).toBeLessThan(1e-6 * most);
    memory.dispose();
  });
});

/** A file of one such matrix. */
function fileOf({ stored, values }: KnownMatrix, shape: readonly [number, number]): TensorFile {
  return {
    file: 'one.safetensors',
    names: ['one.weight'],
    has: (name) => name === 'one.weight',
    shape: () => shape,
    floats: () => Float32Array.from(values),
    stored: () => stored,
  };
}

describe.each(['f16', 'bf16', 'q8'] as const)('a small file with %s weights', (format) => {
  const [outputs, inputs] = [13, 64];
  /** `[rows, outputs]` of a matrix put there as a file of up to so many bytes is widened. */
  const multiplied = (widenedBytes: number, rows: number) => {
    const memory = new KernelMemory(MODULE);
    const known = knownMatrix(format, outputs, inputs, 3);
    const weights = new KernelWeights(memory, fileOf(known, [outputs, inputs]), widenedBytes);
    const linear = weights.linear('one', outputs, inputs);
    const storedAs = memory.words(linear, 1)[0]!;
    const stride = inputs * 4;
    const xAt = put(memory, randomValues(rows * inputs, 79), inputs);
    const room = [2 * inputs, inputs / 8, inputs / 8].map((bytes) => memory.allocate(rows * bytes));
    const rounded = memory.record(room);
    memory.kernels.round(xAt, stride, inputs, rounded, 0, rows, 32767);
    const out = put(memory, new Float32Array(rows * outputs), outputs);
    const panel = memory.allocate(12 * stride);
    const outStride = paddedColumns(outputs) * 4;
    memory.kernels.product(linear, xAt, stride, rounded, rows, out, outStride, false, panel, 0, outputs);
    const values = take(memory, out, rows, outputs);
    memory.dispose();
    return { storedAs, values };
  };

  it.each([1, 2, 4, 7])(
    'is widened where that is no guess, and %i rows come out the same to the bit',
    (rows) => {
      const bytes = outputs * inputs * 4;
      const [asStored, widened] = [multiplied(bytes - 1, rows), multiplied(bytes, rows)];
      expect([asStored.storedAs, widened.storedAs]).toEqual(
        { f16: [1, 0], bf16: [2, 0], q8: [3, 3] }[format],
      );
      expect(widened.values).toEqual(asStored.values);
    },
  );
});

describe('products with float32 weights as whole numbers', () => {
  it.each([
    { rows: 1, outputs: 5, inputs: 32, scale: 1 },
    { rows: 7, outputs: 13, inputs: 160, scale: 1e-4 },
    // Weights of one size each: their sums are as large as they may be.
    { rows: 6, outputs: 8, inputs: 64, scale: 0 },
  ])('$rows rows, $inputs → $outputs, weights of $scale', ({ rows, outputs, inputs, scale }) => {
    const memory = new KernelMemory(MODULE);
    const weights = new KernelWeights(memory, FILE);
    const isExtreme = scale === 0;
    const values = randomValues(outputs * inputs, 91).map((value) => (isExtreme ? 1 : scale * value));
    const x = randomValues(rows * inputs, 92).map((value) => (isExtreme ? 1 : value));
    const linear = weights.rounded(values, outputs, inputs);
    const xAt = put(memory, x, inputs);
    const stride = inputs * 4;
    const room = [2 * inputs, inputs / 8, inputs / 8].map((bytes) => memory.allocate(rows * bytes));
    const rounded = memory.record(room);
    memory.kernels.round(xAt, stride, inputs, rounded, 0, rows, 16383);
    const out = put(memory, new Float32Array(rows * outputs), outputs);
    const outStride = paddedColumns(outputs) * 4;
    memory.kernels.product(linear, xAt, stride, rounded, rows, out, outStride, false, 0, 0, outputs);
    const expected = Float32Array.from({ length: rows * outputs }, (_, i) => {
      const [row, output] = [Math.floor(i / outputs), i % outputs];
      let sum = 0;
      for (let j = 0; j < inputs; j++) sum += x[row * inputs + j]! * values[output * inputs + j]!;
      return sum;
    });
    const most = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    expect(largestError(take(memory, out, rows, outputs), expected) / most).toBeLessThan(3e-4);
    memory.dispose();
  });
});

it('a softmax over each part of a row leaves the others alone', () => {
  const memory = new KernelMemory(MODULE);
  const [parts, size] = [3, 5];
  const x = randomValues(2 * parts * size, 93).map((value) => 50 * value);
  const at = put(memory, x, parts * size);
  memory.kernels.softmaxParts(at, paddedColumns(parts * size) * 4, 2, parts, size);
  const expected = x.map((value, i) => {
    const part = x.subarray(i - (i % size), i - (i % size) + size);
    const most = Math.max(...part);
    return Math.exp(value - most) / part.reduce((sum, other) => sum + Math.exp(other - most), 0);
  });
  expect(largestError(take(memory, at, 2, parts * size), expected)).toBeLessThan(1e-6);
  memory.dispose();
});

describe('attention', () => {
  it.each([
    { heads: 3, kvHeads: 1, headDim: 64, queries: 1, keyCount: 9, causalOffset: 8, firstKey: 0 },
    { heads: 9, kvHeads: 3, headDim: 20, queries: 5, keyCount: 70, causalOffset: 65, firstKey: 0 },
    { heads: 4, kvHeads: 4, headDim: 32, queries: 1, keyCount: 33, causalOffset: 32, firstKey: 3 },
    { heads: 4, kvHeads: 2, headDim: 4, queries: 7, keyCount: 7, causalOffset: 0, firstKey: 2 },
    { heads: 2, kvHeads: 2, headDim: 12, queries: 8, keyCount: 11, causalOffset: 99, firstKey: 5 },
    { heads: 1, kvHeads: 1, headDim: 16, queries: 4, keyCount: 1, causalOffset: 3, firstKey: 0 },
  ])('$heads/$kvHeads heads of $headDim, $queries queries, $keyCount keys', (shape) => {
    const { heads, kvHeads, headDim, queries, keyCount, causalOffset, firstKey } = shape;
    const memory = new KernelMemory(MODULE);
    const q = randomValues(queries * heads * headDim, 31).map((value) => 3 * value);
    const k = randomValues(keyCount * kvHeads * headDim, 32).map((value) => 3 * value);
    const v = randomValues(keyCount * kvHeads * headDim, 33);
    const at = [q, k, v, q].map((values) => put(memory, values, values.length));
    const strides = [kvHeads * headDim * 4, headDim * 4, heads * headDim * 4, heads * headDim * 4];
    const record = memory.record([
      ...[heads, kvHeads, headDim, ...strides],
      ...[at[1]!, at[2]!, at[0]!, at[3]!],
      ...[firstKey, keyCount, causalOffset],
    ]);
    const scores = memory.allocate(3 * paddedColumns(keyCount) * 4);
    const middle = Math.floor(queries / 2);
    memory.kernels.attend(record, 0, middle, 0, kvHeads, scores);
    memory.kernels.attend(record, middle, queries, 0, kvHeads, scores);
    const expected = new Float32Array(q.length);
    const full = { batch: 1, queriesPerBatch: queries, keyRowsPerBatch: keyCount };
    attendLoop(q, k, v, expected, Int32Array.of(firstKey), { ...shape, ...full });
    expect(largestError(memory.floats(at[3]!, q.length), expected)).toBeLessThan(1e-5);
    memory.dispose();
  });
});

describe('steps of a layer', () => {
  it.each([4, 7, 32, 131])('RMSNorm over %i columns', (columns) => {
    const memory = new KernelMemory(MODULE);
    const [x, weight] = [randomValues(3 * columns, 41), randomValues(columns, 42)];
    const stride = paddedColumns(columns) * 4;
    const [xAt, weightAt] = [put(memory, x, columns), put(memory, weight, columns)];
    const out = memory.allocate(3 * stride);
    memory.kernels.rmsNorm(xAt, stride, weightAt, out, stride, 0, 3, columns, 1e-5);
    const expected = x.map((value, i) => {
      const row = x.subarray(i - (i % columns), i - (i % columns) + columns);
      const squares = row.reduce((sum, other) => sum + other * other, 0);
      return (value / Math.sqrt(squares / columns + 1e-5)) * weight[i % columns]!;
    });
    expect(largestError(take(memory, out, 3, columns), expected)).toBeLessThan(2e-6);
    memory.dispose();
  });

  it.each([4, 8, 20, 64])('rotation of heads of %i', (headDim) => {
    const memory = new KernelMemory(MODULE);
    const x = randomValues(3 * headDim, 51);
    const angles = randomValues(headDim / 2, 52).map((value) => 9 * value);
    const [xAt, cos, sin] = [x, angles.map(Math.cos), angles.map(Math.sin)].map((values) =>
      put(memory, values, values.length),
    );
    // Heads apart from each other, as a cache has them.
    const out = memory.allocate(3 * (headDim + 12) * 4);
    memory.kernels.rotate(xAt!, 3, headDim, cos!, sin!, 0.5, out, (headDim + 12) * 4);
    for (let head = 0; head < 3; head++) {
      const own = x.subarray(head * headDim, (head + 1) * headDim);
      const expected = own.map((value, i) => {
        const half = headDim / 2;
        const other = i < half ? -own[i + half]! : own[i - half]!;
        return 0.5 * (value * Math.cos(angles[i % half]!) + other * Math.sin(angles[i % half]!));
      });
      const found = memory.floats(out + head * (headDim + 12) * 4, headDim);
      expect(largestError(found, expected)).toBeLessThan(1e-6);
    }
    memory.dispose();
  });

  it('SwiGLU from the far left of the sigmoid to the far right', () => {
    const memory = new KernelMemory(MODULE);
    const gate = Float32Array.from({ length: 401 }, (_, i) => i - 200);
    const up = randomValues(401, 61);
    const [gateAt, upAt] = [put(memory, gate, 401), put(memory, up, 401)];
    memory.kernels.swiGlu(gateAt, upAt, paddedColumns(401) * 4, 0, 1, 401);
    const expected = gate.map((value, i) => (value / (1 + Math.exp(-value))) * up[i]!);
    const found = take(memory, gateAt, 1, 401);
    expected.forEach((value, i) => {
      expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
    });
    memory.dispose();
  });
});

it('memory gives zeroed blocks that do not overlap, and takes every one back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 5000 })), { maxLength: 60 }),
      (acts) => {
        const memory = new KernelMemory(MODULE);
        const held: { at: number; bytes: number }[] = [];
        for (const [takes, size] of acts) {
          if (!takes && held.length > 0) {
            const [block] = held.splice(size % held.length, 1);
            memory.free(block!.at);
            continue;
          }
          const at = memory.allocate(size);
          expect(memory.bytes(at, size).every((byte) => byte === 0)).toBe(true);
          for (const other of held) {
            expect(at + size <= other.at || other.at + other.bytes <= at).toBe(true);
          }
          memory.bytes(at, size).fill(255);
          held.push({ at, bytes: size });
        }
        const first = memory.allocate(1);
        memory.dispose();
        expect(() => {
          memory.free(first);
        }).toThrow('No block');
      },
    ),
    { numRuns: 30 },
  );
});
