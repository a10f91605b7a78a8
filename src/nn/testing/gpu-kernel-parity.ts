/**
 * Measures every WebGPU kernel against what it means, in float64 on the CPU, at shapes that fill no vector, tile or
 * workgroup. Shared by whoever has a device.
 */
import { attendLoop, weighKeysLoop } from '../backend/attention-loop.ts';
import {
  attentionKernel,
  foldKernel,
  type HeadShape,
  QUERY_TILE,
  readingKernel,
  readingStride,
} from '../gpu/attention.ts';
import { GpuBuffers } from '../gpu/buffers.ts';
import { appendGroups, appendKernel, moveGroups, moveKernel } from '../gpu/cache.ts';
import { CHOICE_WORDS, choiceKernel, choiceParts, partsKernel, readChoices } from '../gpu/choice.ts';
import { type Kernel, KernelSet } from '../gpu/kernel.ts';
import { uploadMatrix } from '../gpu/matrix.ts';
import { dispatchOf, normKernel, type ProductShape, takeProduct } from '../gpu/product.ts';
import { Recorder } from '../gpu/recorder.ts';
import { type Run, runBytes } from '../gpu/run.ts';
import { largestError } from './fixture-parity.ts';
import { knownMatrix } from './stored-matrices.ts';
import { randomValues } from './synthetic-weights.ts';

/** Runs single kernels on a device. */
class Bench {
  readonly buffers: GpuBuffers;
  readonly kernels: KernelSet;
  private readonly runs: GPUBuffer;

  constructor(
    readonly device: GPUDevice,
    hasSubgroups: boolean,
  ) {
    this.buffers = new GpuBuffers(device);
    this.kernels = new KernelSet(device, hasSubgroups);
    this.runs = this.buffers.uniform(256);
  }

  hold(values: ArrayBufferView): GPUBuffer {
    return this.buffers.filled(values);
  }

  /** @returns what `target` holds afterwards. */
  async run(
    { kernel, x, y }: { readonly kernel: Kernel; readonly x: number; readonly y: number },
    bound: Readonly<Record<string, GPUBuffer>>,
    run: Run,
    target: GPUBuffer,
    count: number,
  ): Promise<Float32Array> {
    await this.kernels.ready();
    this.buffers.write(this.runs, runBytes([run]));
    const group = this.kernels.bind(kernel, { run: this.runs, ...bound });
    const recorder = new Recorder(this.device);
    recorder.run([{ kernel, group, run: 0, x, y }]);
    const back = this.buffers.readback(count * 4);
    recorder.copy(target, 0, back, 0, count * 4);
    recorder.submit();
    return this.buffers.read(back, count);
  }
}

const FORMATS = ['f32', 'f16', 'bf16', 'q8', 'q4'] as const;
type StoredFormat = (typeof FORMATS)[number];
const EPSILON = 1e-5;
/** The first row of a run in its room: others must be left alone. */
const FIRST_ROW = 2;

/**
 * @param hasSubgroups - whether kernels may sum across subgroups.
 * @returns the largest error by kernel and shape, relative to the largest value wanted where that is above 1.
 */
export async function measureGpuKernels(
  device: GPUDevice,
  hasSubgroups: boolean,
): Promise<Readonly<Record<string, number>>> {
  const bench = new Bench(device, hasSubgroups);
  const errors: Record<string, number> = {};
  try {
    for (const format of FORMATS) {
      const isGrouped = format === 'q8' || format === 'q4';
      for (const [into, inputs, outputs] of [
        ['store', isGrouped ? 96 : 36, 13],
        ['add', isGrouped ? 160 : 132, 29],
        ['gate', isGrouped ? 32 : 4, 45],
      ] as const) {
        const [epsilon, hasBias] = [into === 'add' ? null : EPSILON, into === 'store'];
        const shape: ProductShape = { label: 'product', format, inputs, outputs, epsilon, hasBias, into };
        for (const rows of [1, 3, 9, 37]) {
          errors[`product ${format} ${into}, ${rows} rows`] = await productError(bench, shape, rows);
        }
      }
    }
    for (const [format, other, common] of [
      ['q4', 'q8', 'q8'],
      ['f16', 'q4', 'f32'],
    ] as const) {
      const shape: ProductShape = {
        ...{ label: 'product', format: common, inputs: 64, outputs: 21 },
        ...{ epsilon: EPSILON, hasBias: false, into: 'store' },
      };
      errors[`product ${format} beside ${other}`] = await productError(bench, shape, 10, [format, other]);
    }
    errors['norm'] = await normError(bench, 5, 68);
    for (const shape of [
      { heads: 3, kvHeads: 1, headDim: 12 },
      { heads: 4, kvHeads: 2, headDim: 64 },
      { heads: 2, kvHeads: 2, headDim: 256 },
    ]) {
      const name = `${shape.heads}/${shape.kvHeads} heads of ${shape.headDim}`;
      for (const [queries, rows, cached] of [
        [1, 1, 0],
        [1, 3, 130],
        [QUERY_TILE, 8, 0],
        [QUERY_TILE, 19, 61],
      ] as const) {
        errors[`attention ${queries}, ${rows} rows, ${name}`] = await attentionError(
          bench,
          shape,
          queries,
          rows,
          cached,
        );
      }
      errors[`attention weights, ${name}`] = await readingError(bench, shape);
      errors[`append, ${name}`] = await appendError(bench, shape, true);
      errors[`append without rope, ${name}`] = await appendError(bench, shape, false);
      errors[`move, ${name}`] = await moveError(bench, shape);
    }
    errors['fold by sum'] = await foldError(bench, false);
    errors['fold by the greatest'] = await foldError(bench, true);
    for (const format of FORMATS) errors[`choice, ${format}`] = await choiceError(bench, format);
    return errors;
  } finally {
    bench.buffers.dispose();
  }
}

function relative(found: Float32Array, expected: Float32Array): number {
  const most = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  return largestError(found, expected) / most;
}

/** @param formats - of the two matrices that the product's is made of. */
async function productError(
  bench: Bench,
  shape: ProductShape,
  rows: number,
  formats: readonly [StoredFormat, StoredFormat] = [shape.format, shape.format],
): Promise<number> {
  const { inputs, outputs, into, epsilon, hasBias } = shape;
  const weightRows = into === 'gate' ? 2 * outputs : outputs;
  // Two matrices in one, as q, k and v are.
  const cut = Math.floor(weightRows / 2);
  const parts = [cut, weightRows - cut]
    .map((count, i) => ({ format: formats[i]!, outputs: count, seed: 7 * rows + i }))
    .filter((part) => part.outputs > 0)
    .map((part) => ({ ...knownMatrix(part.format, part.outputs, inputs, part.seed), outputs: part.outputs }));
  const values = parts.flatMap((part) => [...part.values]);
  const bias = hasBias ? randomValues(outputs, 78) : null;
  const matrix = uploadMatrix(bench.buffers, parts, inputs, bias);
  const x = randomValues((FIRST_ROW + rows) * inputs, 77);
  const norm = randomValues(inputs, 79);
  const before = randomValues((FIRST_ROW + rows) * outputs, 80);
  const out = bench.hold(before);
  const product = takeProduct(bench.kernels, shape);
  const found = await bench.run(
    dispatchOf(product, rows),
    {
      x: bench.hold(x),
      weight: matrix.weight,
      out,
      ...(matrix.scales && { scales: matrix.scales }),
      ...(matrix.bias && { bias: matrix.bias }),
      ...(epsilon !== null && { norm: bench.hold(norm) }),
    },
    { rows, firstRow: FIRST_ROW, shift: 0, capacity: 0 },
    out,
    before.length,
  );
  const expected = before.slice();
  for (let row = FIRST_ROW; row < FIRST_ROW + rows; row++) {
    const own = x.subarray(row * inputs, (row + 1) * inputs);
    const input = epsilon === null ? Float64Array.from(own) : normed(own, norm);
    const dot = (output: number): number =>
      input.reduce((sum, value, i) => sum + value * values[output * inputs + i]!, 0);
    for (let output = 0; output < outputs; output++) {
      const sum = dot(output) + (bias?.[output] ?? 0);
      const at = row * outputs + output;
      if (into === 'store') expected[at] = sum;
      else if (into === 'add') expected[at] = before[at]! + sum;
      else expected[at] = (sum / (1 + Math.exp(-sum))) * dot(outputs + output);
    }
  }
  return relative(found, expected);
}

function normed(row: Float32Array, weight: Float32Array): Float64Array {
  const squares = row.reduce((sum, value) => sum + value * value, 0);
  const factor = 1 / Math.sqrt(squares / row.length + EPSILON);
  return Float64Array.from(row, (value, i) => value * weight[i]! * factor);
}

async function normError(bench: Bench, rows: number, columns: number): Promise<number> {
  const x = randomValues((FIRST_ROW + rows) * columns, 11);
  const norm = randomValues(columns, 12);
  const out = bench.buffers.storage(rows * columns * 4);
  const kernel = bench.kernels.take(normKernel(columns, EPSILON));
  const found = await bench.run(
    { kernel, x: rows, y: 1 },
    { x: bench.hold(x), norm: bench.hold(norm), out },
    { rows, firstRow: FIRST_ROW, shift: 0, capacity: 0, outRow: 0 },
    out,
    rows * columns,
  );
  const expected = Array.from({ length: rows }, (_, row) => [
    ...normed(x.subarray((FIRST_ROW + row) * columns, (FIRST_ROW + row + 1) * columns), norm),
  ]).flat();
  return relative(found, Float32Array.from(expected));
}

/** Keys and values as a cache holds them, with room behind what is cached. */
function madeCache({ kvHeads, headDim }: HeadShape, capacity: number, seed: number) {
  const width = kvHeads * headDim;
  const keys = randomValues(capacity * width, seed).map((value) => 2 * value);
  const values = randomValues(capacity * width, seed + 1);
  return { keys, values, both: Float32Array.from([...keys, ...values]), width };
}

async function attentionError(
  bench: Bench,
  shape: HeadShape,
  queries: 1 | typeof QUERY_TILE,
  rows: number,
  cached: number,
): Promise<number> {
  const { heads, headDim } = shape;
  const capacity = cached + rows + 5;
  const { keys, values, both } = madeCache(shape, capacity, 31);
  const width = heads * headDim;
  const q = randomValues((FIRST_ROW + rows) * width, 33);
  const out = bench.buffers.storage((FIRST_ROW + rows) * width * 4);
  const kernel = bench.kernels.take(attentionKernel(shape, queries));
  const found = await bench.run(
    { kernel, x: Math.ceil(rows / queries), y: heads },
    { q: bench.hold(q), cache: bench.hold(both), out },
    { rows, firstRow: FIRST_ROW, shift: cached - FIRST_ROW, capacity },
    out,
    (FIRST_ROW + rows) * width,
  );
  const expected = new Float32Array((FIRST_ROW + rows) * width);
  const wanted = expected.subarray(FIRST_ROW * width);
  attendLoop(q.subarray(FIRST_ROW * width), keys, values, wanted, null, {
    batch: 1,
    queriesPerBatch: rows,
    keyRowsPerBatch: capacity,
    keyCount: cached + rows,
    causalOffset: cached,
    ...shape,
  });
  return relative(found, expected);
}

async function readingError(bench: Bench, shape: HeadShape): Promise<number> {
  const { heads, headDim } = shape;
  const [rows, cached, capacity] = [3, 75, 130];
  const keyCount = cached + rows;
  const { keys, both } = madeCache(shape, capacity, 35);
  const width = heads * headDim;
  const q = randomValues(rows * width, 36);
  const stride = readingStride(capacity);
  const out = bench.buffers.storage(heads * stride * 4);
  const kernel = bench.kernels.take(readingKernel(shape));
  const found = await bench.run(
    { kernel, x: heads, y: 1 },
    { q: bench.hold(q), cache: bench.hold(both), out },
    { rows, firstRow: 0, shift: cached, capacity },
    out,
    heads * stride,
  );
  const weights = new Float32Array(heads * keyCount);
  weighKeysLoop(q.subarray(-width), keys, weights, { keyCount, ...shape });
  const expected = new Float32Array(heads * stride);
  for (let head = 0; head < heads; head++) {
    expected.set(weights.subarray(head * keyCount, (head + 1) * keyCount), head * stride);
  }
  return relative(found, expected);
}

async function foldError(bench: Bench, isGreatest: boolean): Promise<number> {
  const [rows, capacity, slots] = [6, 70, 67];
  const stride = readingStride(capacity);
  const weights = randomValues(rows * stride, 37).map(Math.abs);
  const out = bench.buffers.storage(stride * 4);
  const kernel = bench.kernels.take(foldKernel(rows, isGreatest));
  const found = await bench.run(
    { kernel, x: Math.ceil(slots / 64), y: 1 },
    { weights: bench.hold(weights), out },
    { rows: 2, firstRow: 0, shift: slots - 2, capacity },
    out,
    slots,
  );
  const expected = Float32Array.from({ length: slots }, (_, slot) => {
    const column = Array.from({ length: rows }, (_, row) => weights[row * stride + slot]!);
    return isGreatest ? Math.max(...column) : column.reduce((sum, weight) => sum + weight, 0);
  });
  return relative(found, expected);
}

/** @returns the larger of the queries' error and the cache's. */
async function appendError(bench: Bench, shape: HeadShape, hasRope: boolean): Promise<number> {
  const { heads, kvHeads, headDim } = shape;
  const [rows, slot, capacity] = [5, 4, 11];
  const half = headDim / 2;
  const columns = (heads + 2 * kvHeads) * headDim;
  const { both, width } = madeCache(shape, capacity, 51);
  const qkv = randomValues((FIRST_ROW + rows) * columns, 52);
  const turns = randomValues((FIRST_ROW + rows) * half, 53);
  const angles = Float32Array.from([...turns].flatMap((angle) => [Math.cos(angle), Math.sin(angle)]));
  const cache = bench.hold(both);
  const q = bench.buffers.storage((FIRST_ROW + rows) * heads * headDim * 4);
  const bound = { qkv: bench.hold(qkv), angles: bench.hold(angles), q, cache };
  const kernel = bench.kernels.take(appendKernel(shape, hasRope));
  const run = { rows, firstRow: FIRST_ROW, shift: slot - FIRST_ROW, capacity };
  const dispatch = { kernel, x: appendGroups(shape, rows), y: 1 };
  const foundCache = await bench.run(dispatch, bound, run, cache, both.length);
  const foundQueries = await bench.run(dispatch, bound, run, q, (FIRST_ROW + rows) * heads * headDim);
  const queries = new Float32Array(foundQueries.length);
  const expected = both.slice();
  for (let row = FIRST_ROW; row < FIRST_ROW + rows; row++) {
    for (let head = 0; head < heads + 2 * kvHeads; head++) {
      for (let i = 0; i < headDim; i++) {
        const from = row * columns + head * headDim;
        const isValue = head >= heads + kvHeads;
        const pair = i % half;
        const angle = hasRope && !isValue ? turns[row * half + pair]! : 0;
        const [low, high] = [qkv[from + pair]!, qkv[from + pair + half]!];
        const turned =
          i < half
            ? low * Math.cos(angle) - high * Math.sin(angle)
            : high * Math.cos(angle) + low * Math.sin(angle);
        const ofCache = head - heads - (isValue ? kvHeads : 0);
        const to = ((isValue ? capacity : 0) + slot + row - FIRST_ROW) * width + ofCache * headDim + i;
        if (head < heads) queries[(row * heads + head) * headDim + i] = turned / Math.sqrt(headDim);
        else expected[to] = turned;
      }
    }
  }
  return Math.max(relative(foundCache, expected), relative(foundQueries, queries));
}

/** The error of log-probability, entropy and the embedding looked up; infinite for another token. */
async function choiceError(bench: Bench, format: StoredFormat): Promise<number> {
  const [vocabulary, columns, best] = [5000, 64, 3100];
  const logits = randomValues(vocabulary, 71).map((value) => 4 * value);
  // Equals in the same part of the vocabulary and in another one: the lowest is taken.
  for (const id of [best, best + 64, 4999]) logits[id] = 6;
  const { stored, values } = knownMatrix(format, vocabulary, columns, 72);
  const table = uploadMatrix(bench.buffers, [{ stored, outputs: vocabulary }], columns);
  const groups = choiceParts(vocabulary);
  const parts = bench.buffers.storage(groups * CHOICE_WORDS * 4);
  const x = bench.buffers.storage(4 * columns * 4);
  const choices = bench.buffers.storage(4 * CHOICE_WORDS * 4);
  const run = { rows: 1, firstRow: FIRST_ROW, shift: 0, capacity: 0 };
  const bound = { parts, weight: table.weight, x, choices, ...(table.scales && { scales: table.scales }) };
  const first = { kernel: bench.kernels.take(partsKernel(vocabulary)), x: groups, y: 1 };
  await bench.run(first, { logits: bench.hold(logits), parts }, run, parts, groups * CHOICE_WORDS);
  const second = { kernel: bench.kernels.take(choiceKernel(vocabulary, columns, format)), x: 1, y: 1 };
  const words = await bench.run(second, bound, run, choices, 4 * CHOICE_WORDS);
  const rows = await bench.run(second, bound, run, x, 4 * columns);
  const { tokenId, logProbability, entropy } = readChoices(words)[FIRST_ROW]!;
  if (tokenId !== best) return Infinity;
  const normaliser = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  const known = logits.reduce((sum, logit) => {
    return sum - Math.exp(logit - normaliser) * (logit - normaliser);
  }, 0);
  const row = values.subarray(best * columns, (best + 1) * columns);
  return Math.max(
    Math.abs(logProbability - (6 - normaliser)),
    Math.abs(entropy - known),
    largestError(rows.subarray((FIRST_ROW + 1) * columns), row),
  );
}

/** Slots moved over others and over themselves; exact or wrong. */
async function moveError(bench: Bench, shape: HeadShape): Promise<number> {
  const capacity = 9;
  const { both, width } = madeCache(shape, capacity, 61);
  const [first, sources] = [2, Int32Array.of(5, 1, 8, 2, 3)];
  const cache = bench.hold(both);
  const room = bench.buffers.storage(2 * sources.length * width * 4);
  const run = { rows: sources.length, firstRow: first, shift: 0, capacity };
  const bound = { sources: bench.hold(sources), cache, room };
  let found = both;
  for (const way of ['gather', 'scatter'] as const) {
    const kernel = bench.kernels.take(moveKernel(shape, way));
    found = (await bench.run(
      { kernel, x: 1, y: moveGroups(sources.length) },
      bound,
      run,
      cache,
      both.length,
    )) as typeof both;
  }
  const expected = both.slice();
  sources.forEach((source, i) => {
    for (const half of [0, capacity]) {
      const from = (half + source) * width;
      expected.set(both.subarray(from, from + width), (half + first + i) * width);
    }
  });
  return largestError(found, expected);
}
