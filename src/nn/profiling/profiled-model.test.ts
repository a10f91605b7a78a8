import { beforeAll, describe, expect, it } from 'vitest';
import { Profile } from '../../core/profile/profile.ts';
import { selectBackend } from '../backend/device.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';
import { BaseModel } from '../base-model/base-model.ts';
import type { GistNet, LensNet, LoadedModel } from '../ports.ts';
import { SafetensorsFile } from '../model-folder/safetensors.ts';
import { readFixture } from '../testing/fixture-files.ts';
import { createFixtureLens, lensFixtureInput } from '../testing/fixture-parity.ts';
import { randomValues, syntheticBase, syntheticConfig } from '../testing/synthetic-weights.ts';
import { withKernelRuns } from './kernel-times.ts';
import { baseWork, profiledModel } from './profiled-model.ts';

const CONFIG = syntheticConfig({
  vocab_size: 64,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  intermediate_size: 48,
});
const LENS = 'lensnet-transformer-n70-m12';
/** On the project's own kernels. */
const KERNEL_LENS = 'lensnet-n70-m12';

beforeAll(() => selectBackend('wasm', { wasmPaths: nodeWasmPaths() }));

const positions = (from: number, count: number) => Float64Array.from({ length: count }, (_, i) => from + i);

async function open(timesKernels = false, lens = LENS) {
  const { fixture, weights } = readFixture(lens);
  const profile = new Profile(() => performance.now());
  const base = await BaseModel.open(CONFIG, syntheticBase(CONFIG));
  const lensNet: LensNet = await createFixtureLens(fixture.config, SafetensorsFile.parse(weights, lens));
  const nets = { lensNet, gistNet: {} as GistNet, otherLensNets: new Map(), lensWorkshops: new Map() };
  const plain = { base, ...nets, dispose: () => undefined };
  const model = profiledModel(plain as unknown as LoadedModel, { profile, timesKernels: () => timesKernels });
  const rows = () => Object.fromEntries(profile.read().all.rows.map((row) => [row.name, row]));
  return { base, lensNet, model, profile, rows };
}

const lensInput = () =>
  lensFixtureInput(SafetensorsFile.parse(readFixture(LENS).io, LENS)) as Parameters<LensNet['score']>[0];

describe('profiledModel', () => {
  it('gives what the base gives, and counts slots by how they were run', async () => {
    const { base, model, rows } = await open();
    const embeddings = randomValues(8 * CONFIG.hiddenSize, 3);
    const plain = base.createDecodeSession(8);
    const counted = model.base.createDecodeSession(8);
    const first = embeddings.subarray(0, 6 * CONFIG.hiddenSize);
    const next = embeddings.subarray(6 * CONFIG.hiddenSize, 7 * CONFIG.hiddenSize);
    for (const [part, at] of [[first, 0], [next, 6]] as const) {
      const count = part.length / CONFIG.hiddenSize;
      const expected = await plain.append(part, positions(at, count), 'last');
      expect(await counted.append(part, positions(at, count), 'last')).toEqual(expected);
    } // prettier-ignore
    await counted.fill(1, embeddings.subarray(0, 2 * CONFIG.hiddenSize), positions(1, 2));
    const other = model.base.createDecodeSession(8);
    const last = embeddings.subarray(0, 2 * CONFIG.hiddenSize);
    const hidden = await model.base.appendTogether([counted, other], last, Float64Array.of(7, 0));
    expect(hidden).toHaveLength(2 * CONFIG.hiddenSize);
    expect([counted.length, other.length]).toEqual([8, 1]);
    expect(rows()).toMatchObject({
      'base prefill': { calls: 1, tokens: 6 },
      'base decode': { calls: 1, tokens: 1 },
      'base fill': { calls: 1, tokens: 2 },
      'base together': { calls: 1, tokens: 2, bytes: null },
    });
    base.dispose();
  });

  it('knows what the base is asked for by its sizes', async () => {
    const { base } = await open();
    const head = CONFIG.vocabularySize * CONFIG.hiddenSize;
    const layer = 32 * (32 + 16 + 16 + 32) + 3 * 32 * 48 + 2 * 32 + (32 + 16 + 16);
    expect(base.work.headWeights).toBe(head);
    expect(base.work.layerWeights).toBe(2 * layer + 32);
    expect(base.work.bytesPerWeight).toBeGreaterThanOrEqual(4);
    expect(base.work.bytesPerWeight).toBeLessThan(5.5);
    // One slot behind nine: ten pairs a head and layer, two products of eight each.
    const { flops } = baseWork(base, 1, 9, 1);
    expect(flops).toBe(2 * (2 * layer + 32) + 2 * head + 2 * 4 * (2 * 2 * 8) * 10);
    const { hiddenSize, vocabularySize, layers, attention } = base;
    expect(baseWork({ hiddenSize, vocabularySize, layers, attention }, 1, 9, 1)).toEqual({});
    base.dispose();
  });

  it('times LensNet as one call, or kernel by kernel with the arithmetic of its products', async () => {
    const input = lensInput();
    const plain = await open();
    const expected = await plain.lensNet.score(input);
    expect(await plain.model.lensNet!.score(input)).toEqual(expected);
    expect(plain.rows()).toMatchObject({ LensNet: { calls: 1, tokens: 70, flops: null, dispatches: 0 } });

    const timed = await open(true);
    expect(await timed.model.lensNet!.score(input)).toEqual(expected);
    const rows = timed.rows();
    const kernels = Object.values(rows).filter(({ group }) => group === 'kernel');
    expect(kernels.length).toBeGreaterThan(4);
    expect(rows.LensNet!.dispatches).toBe(kernels.reduce((sum, { calls }) => sum + calls, 0));
    expect(rows.LensNet!.flops).toBe(kernels.reduce((sum, { flops }) => sum + (flops ?? 0), 0));
    const { lensNet } = readFixture(LENS).fixture.config as { lensNet: { width: number } };
    expect(rows.LensNet!.flops).toBeGreaterThan(2 * 70 * 4 * lensNet.width ** 2);
    for (const { base } of [plain, timed]) base.dispose();
  });

  it('knows the arithmetic of a LensNet on the project’s own kernels, which is one call either way', async () => {
    const input = lensInput();
    const { base, model, rows, lensNet } = await open(true, KERNEL_LENS);
    expect(await model.lensNet!.score(input)).toEqual(await lensNet.score(input));
    const { work, tailTokens } = lensNet;
    const tail = Math.min(input.tailCount, tailTokens) * work!.tailMultiplications;
    const { slotMultiplications: read, scoredMultiplications: scored } = work!;
    const flops = 2 * (70 * (read + scored) + tail);
    expect(rows()).toMatchObject({ LensNet: { calls: 1, tokens: 70, flops, dispatches: 0 } });
    await model.lensNet!.score({ ...input, scoredSlots: Uint32Array.of(0, 9, 40) });
    const fewer = 2 * (70 * read + 3 * scored + tail);
    expect(rows()).toMatchObject({ LensNet: { calls: 2, tokens: 140, flops: flops + fewer } });
    base.dispose();
  });
});

describe('withKernelRuns', () => {
  it('hands on what the work throws, and profiles no more then', async () => {
    await expect(withKernelRuns(() => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
    const { runs } = await withKernelRuns(() => Promise.resolve(1));
    expect(runs).toEqual([]);
  });
});
