/**
 * What rounding costs in answers: the likeliest token and the whole distribution with weights in groups of 8 and of 4 bits,
 * beside the very same weights in float32 and beside the weights before they were grouped; and LensNet's scores on the
 * kernels, beside those of TensorFlow.js. Deterministic.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { kernelModule, startTensorFlow } from '../../src/nn/backend/device.ts';
import { BaseModel } from '../../src/nn/base-model/base-model.ts';
import { type BaseConfig, parseBaseConfig } from '../../src/nn/base-model/config.ts';
import { canRunOnKernels, KernelLensNet } from '../../src/nn/lens-net/kernel-lens-net.ts';
import { SlotLensNet } from '../../src/nn/lens-net/slot-lens-net.ts';
import { readGgufBase } from '../../src/nn/loader/published-base.ts';
import { createFileSource } from '../../src/nn/model-folder/file-source.ts';
import { SafetensorsFile } from '../../src/nn/model-folder/safetensors.ts';
import { GROUP_VALUES, storedRows } from '../../src/nn/model-folder/stored-rows.ts';
import type { StoredMatrix, TensorFile } from '../../src/nn/model-folder/tensor-file.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { root } from '../open-model.ts';
import { type BenchRow, rowOf } from './measure.ts';
import { gistView } from './network-inputs.ts';

const TEXT = join(root, 'public/examples/harbour-chronicle.txt');
const POSITIONS = 1000;
/** Of a real base, whose float32 takes its time. */
const REAL_POSITIONS = 512;
/** Rows of logits asked for at once. */
const CHUNK = 64;
const LENS_VIEWS = 32;
const LENS_SLOTS = 256;
const BILLIONTH = 1e-9;
const BITS = [8, 4] as const;

/** @param model - the shipped one, on the WASM kernels. */
export async function roundingSuite(model: LoadedModel): Promise<readonly BenchRow[]> {
  const folder = join(root, 'models', model.id);
  const { base, lensNet } = model.manifest;
  const open = (name: string): ArrayBuffer => new Uint8Array(readFileSync(join(folder, name))).buffer;
  const config = parseBaseConfig(JSON.parse(new TextDecoder().decode(open(base.config))), base.config);
  const plain = SafetensorsFile.parse(open(base.weights), base.weights);
  const ids = model.tokenizer
    .encode(readFileSync(TEXT, 'utf8').slice(0, 20 * POSITIONS))
    .subarray(0, POSITIONS);
  const rows: BenchRow[] = [];
  const unrounded = await logitsOf(config, plain, ids);
  for (const bits of BITS) {
    const grouped = inGroups(plain, bits);
    const [found, same] = [
      await logitsOf(config, grouped, ids),
      await logitsOf(config, inFloats(grouped), ids),
    ];
    const what = `${bits}-bit groups`;
    rows.push(
      ...compared(`${what}, activations of 16 bits, against float32`, found, same, config.vocabularySize),
    );
    rows.push(...compared(`${what} against the weights before`, found, unrounded, config.vocabularySize));
  }
  const real = process.env['MEGACONTEXT_SMOLLM2'];
  if (real !== undefined) rows.push(...(await realBaseRows(real)));
  if (lensNet !== undefined) rows.push(...(await lensRows(model, open(lensNet.weights), config.epsilon)));
  return rows;
}

/** A published base of 4-bit groups, as its file stores them. */
async function realBaseRows(path: string): Promise<readonly BenchRow[]> {
  const { config, weights, tokenizer } = await readGgufBase(createFileSource(dirname(path)), basename(path));
  const ids = tokenizer
    .encode(readFileSync(TEXT, 'utf8').slice(0, 20 * REAL_POSITIONS))
    .subarray(0, REAL_POSITIONS);
  const found = await logitsOf(config, weights, ids);
  const same = await logitsOf(config, inFloats(weights), ids);
  return compared(
    `SmolLM2 as stored, activations of 16 bits, against float32`,
    found,
    same,
    config.vocabularySize,
  );
}

/** The likeliest slot, and the distribution that a softmax makes of the scores. */
async function lensRows(
  { manifest, base, tokenizer }: LoadedModel,
  weights: ArrayBuffer,
  epsilon: number,
): Promise<readonly BenchRow[]> {
  const { lensNet } = manifest;
  if (lensNet === undefined || !canRunOnKernels(lensNet)) return [];
  const d = base.hiddenSize;
  const file = SafetensorsFile.parse(weights, lensNet.weights);
  await startTensorFlow();
  const rounded = new KernelLensNet(d, epsilon, lensNet, file, kernelModule()!, null);
  const plain = new SlotLensNet(d, epsilon, lensNet, file);
  const ids = tokenizer.encode(readFileSync(TEXT, 'utf8'));
  const found: Float32Array[] = [];
  const same: Float32Array[] = [];
  for (let view = 0; view < LENS_VIEWS; view++) {
    const slots = base.embed(ids.subarray(view * LENS_SLOTS, (view + 1) * LENS_SLOTS));
    const input = gistView(slots, d, lensNet.tailTokens, view);
    found.push(await rounded.logits(input));
    same.push(await plain.logits(input));
  }
  rounded.dispose();
  plain.dispose();
  return compared('LensNet in 16 bits against float32', joined(found), joined(same), LENS_SLOTS);
}

/** `[positions, vocabulary]`, each token given those before it. */
async function logitsOf(config: BaseConfig, file: TensorFile, ids: Uint32Array): Promise<Float32Array> {
  const base = await BaseModel.open(config, file);
  const session = base.createDecodeSession(ids.length);
  const parts: Float32Array[] = [];
  for (let at = 0; at < ids.length; at += CHUNK) {
    const chunk = ids.subarray(at, at + CHUNK);
    parts.push(
      await session.append(
        base.embed(chunk),
        Float64Array.from(chunk, (_, i) => at + i),
        'all',
      ),
    );
  }
  session.dispose();
  base.dispose();
  return joined(parts);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Two rows: how often the largest is the same, and how far the distributions are apart. */
function compared(
  name: string,
  found: Float32Array,
  expected: Float32Array,
  size: number,
): readonly BenchRow[] {
  const count = expected.length / size;
  const divergences = Array.from({ length: count }, (_, i) => {
    const part = (values: Float32Array): Float32Array => values.subarray(i * size, (i + 1) * size);
    return divergence(part(expected), part(found)) / BILLIONTH;
  });
  const agreed = divergences.filter(
    (_, i) => largest(found, i * size, size) === largest(expected, i * size, size),
  );
  const mean = divergences.reduce((sum, value) => sum + value, 0) / count;
  return [
    {
      ...rowOf(`${name}: the same is the most likely`, [(100 * agreed.length) / count], '% of positions'),
      n: count,
    },
    { ...rowOf(`${name}: mean KL`, divergences, 'billionths of a nat'), ours: mean },
  ];
}

function largest(values: Float32Array, from: number, size: number): number {
  let best = 0;
  for (let i = 1; i < size; i++) if (values[from + i]! > values[from + best]!) best = i;
  return best;
}

/** KL(p‖q) in nats of the softmax of two rows of logits. */
function divergence(p: Float32Array, q: Float32Array): number {
  const [logP, logQ] = [logShares(p), logShares(q)];
  return Math.max(0, logP.reduce((sum, value, i) => sum + Math.exp(value) * (value - logQ[i]!), 0)); // prettier-ignore
}

function logShares(logits: Float32Array): Float64Array {
  const most = logits.reduce((greatest, value) => Math.max(greatest, value), -Infinity);
  const total = logits.reduce((sum, value) => sum + Math.exp(value - most), 0);
  return Float64Array.from(logits, (value) => value - most - Math.log(total));
}

/** The same file with every matrix in groups of 32: symmetric with 8 bits, from the least to the largest with 4. */
function inGroups(file: TensorFile, bits: (typeof BITS)[number]): TensorFile {
  return withStored(file, (name, shape) => {
    const values = file.floats(name, shape);
    const groups = values.length / GROUP_VALUES;
    const [scale, least] = [new Float32Array(groups), new Float32Array(groups)];
    const numbers = new Int8Array(values.length);
    for (let group = 0; group < groups; group++) {
      const own = values.subarray(group * GROUP_VALUES, (group + 1) * GROUP_VALUES);
      const [low, high] = [Math.min(...own), Math.max(...own)];
      least[group] = bits === 8 ? 0 : low;
      scale[group] = bits === 8 ? Math.max(-low, high) / 127 || 1 : (high - low) / 15 || 1;
      own.forEach((value, i) => {
        numbers[group * GROUP_VALUES + i] = Math.round((value - least[group]!) / scale[group]!);
      });
    }
    return bits === 8
      ? { format: 'q8', values: new Uint8Array(numbers.buffer), scale, least: null }
      : { format: 'q4', values: packed(numbers), scale, least };
  });
}

/** Number i of a group in the low half of byte i, number 16 + i in its high half. */
function packed(numbers: Int8Array): Uint8Array {
  const half = GROUP_VALUES / 2;
  return Uint8Array.from({ length: numbers.length / 2 }, (_, i) => {
    const at = Math.floor(i / half) * GROUP_VALUES + (i % half);
    return numbers[at]! | (numbers[at + half]! << 4);
  });
}

/** The same file with every matrix as the float32 numbers that it is worth. */
function inFloats(file: TensorFile): TensorFile {
  return withStored(file, (name, shape) => {
    const [outputs, inputs] = shape;
    return { format: 'f32', values: storedRows(file.stored(name, shape), inputs, 0, outputs) };
  });
}

function withStored(
  file: TensorFile,
  stored: (name: string, shape: readonly [number, number]) => StoredMatrix,
): TensorFile {
  return {
    file: file.file,
    names: file.names,
    has: (name) => file.has(name),
    shape: (name) => file.shape(name),
    floats: (name, shape) => file.floats(name, shape),
    stored,
  };
}
