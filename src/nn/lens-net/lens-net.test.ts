import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { kernelModule, selectBackend, startTensorFlow } from '../backend/device.ts';
import { WeightError } from '../model-folder/errors.ts';
import { SLOT_FEATURES } from '../../core/context/slot-view.ts';
import { LEXICAL_FEATURES } from '../../core/lexical/history-words.ts';
import { readFixture } from '../testing/fixture-files.ts';
import { createFixtureLens, largestError, lensFixtureInput } from '../testing/fixture-parity.ts';
import type { LensInput } from '../ports.ts';
import { canRunOnKernels, KernelLensNet } from './kernel-lens-net.ts';
import { createLensNet } from './lens-net.ts';
import { SlotLensNet } from './slot-lens-net.ts';
import type { LensNetConfig } from '../model-folder/manifest.ts';
import { memoryReport } from '../backend/memory-report.ts';
import { randomValues } from '../testing/synthetic-weights.ts';
import { SafetensorsFile } from '../model-folder/safetensors.ts';
import { Rng } from '../../base/rng.ts';
import { ThreadPool } from '../backend/thread-pool.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';

beforeAll(() => selectBackend('wasm', { wasmPaths: nodeWasmPaths() }));

/** 70 slots, so that the transformer's windows of 32 are three, and a tail of 12. */
const VARIANTS = [
  'lensnet-n70-m12',
  'lensnet-mean-tail-n70-m12',
  'lensnet-transformer-n70-m12',
  'lensnet-perceiver-n70-m12',
  'lensnet-words-n70-m12',
  'lensnet-transformer-words-n70-m12',
  'lensnet-perceiver-words-n70-m12',
];

async function open(name: string) {
  const { fixture, weights, io } = readFixture(name);
  const file = SafetensorsFile.parse(weights, name);
  return {
    net: await createFixtureLens(fixture.config, file),
    input: lensFixtureInput(SafetensorsFile.parse(io, name)),
    file,
  };
}

/** The input with one row of d values set to zero. */
function without(input: LensInput, field: 'tail' | 'embeddings', row: number): LensInput {
  const values = input[field].slice();
  const d = input.tail.length / input.tailCount;
  return { ...input, [field]: values.fill(0, row * d, (row + 1) * d) };
}

describe.each(VARIANTS)('%s', (name) => {
  it('sees the query at the tail: each of its tokens moves every score', async () => {
    const { net, input } = await open(name);
    const before = await net.logits(input);
    for (let row = 0; row < input.tailCount; row++) {
      const after = await net.logits(without(input, 'tail', row));
      expect(after.every((logit, slot) => logit !== before[slot])).toBe(true);
    }
    net.dispose();
  });

  it('is not causal: the newest slot moves the oldest one’s score', async () => {
    const { net, input } = await open(name);
    const before = await net.logits(input);
    const after = await net.logits(without(input, 'embeddings', input.slotCount - 1));
    expect(after[0]).not.toBe(before[0]);
    net.dispose();
  });

  it('scores slots in any order alike, where the order says nothing', async () => {
    const { net, input } = await open(name);
    // Within one window: the first 32 slots backwards.
    const reverse = (values: Float32Array): Float32Array => {
      const width = values.length / input.slotCount;
      return Float32Array.from(values, (_, i) => {
        const slot = Math.floor(i / width);
        return values[(slot < 32 ? 31 - slot : slot) * width + (i % width)]!;
      });
    };
    const { embeddings, blockVectors, features, lexical } = input;
    const turned = await net.logits({
      ...input,
      embeddings: reverse(embeddings),
      blockVectors: reverse(blockVectors),
      features: reverse(features),
      lexical: lexical && reverse(lexical),
    });
    expect(largestError(reverse(turned), await net.logits(input))).toBeLessThan(5e-4);
    net.dispose();
  });

  it('asks for nothing without a tail, and leaves no tensor behind', async () => {
    const before = memoryReport();
    const { net, input } = await open(name);
    const nothing = await net.logits({ ...input, tail: new Float32Array(0), tailCount: 0 });
    expect(nothing).toEqual(new Float32Array(input.slotCount));
    // The room for a pass is kept.
    await net.logits(input);
    const held = memoryReport();
    for (let pass = 0; pass < 3; pass++) await net.score(scoreView(input));
    expect(memoryReport()).toEqual(held);
    net.dispose();
    expect(memoryReport()).toEqual(before);
  });
});

it('needs the words that it was trained with, and reads them', async () => {
  const { net, input } = await open('lensnet-words-n70-m12');
  expect(net.readsWords).toBe(true);
  await expect(net.logits({ ...input, lexical: null })).rejects.toThrow('lexical');
  const before = await net.logits(input);
  const after = await net.logits({ ...input, lexical: input.lexical!.map((value) => 1 - value) });
  expect(after.every((logit, slot) => logit !== before[slot])).toBe(true);
  net.dispose();
});

it('scores without words as before where it was made without', async () => {
  const { net, input } = await open('lensnet-n70-m12');
  expect(net.readsWords).toBe(false);
  const words = new Float32Array(input.slotCount * LEXICAL_FEATURES).fill(1);
  expect(await net.logits({ ...input, lexical: words })).toEqual(await net.logits(input));
  net.dispose();
});

describe('the kernels', () => {
  it('are what the default variant runs on, wide enough for them, and no other', async () => {
    for (const name of VARIANTS) {
      const { net } = await open(name);
      const isOnKernels = name === 'lensnet-n70-m12' || name === 'lensnet-words-n70-m12';
      expect(net instanceof KernelLensNet, name).toBe(isOnKernels);
      expect(net.work !== undefined, name).toBe(isOnKernels);
      net.dispose();
    }
  });

  /** Slots that share nothing, a few and many of one block; the shortest tail, and more slots than room is made for at once. */
  it.each([
    { slots: 1, tail: 1, alike: 1 },
    { slots: 5, tail: 3, alike: 2 },
    { slots: 49, tail: 12, alike: 32 },
    { slots: 700, tail: 7, alike: 32 },
  ])('score $slots slots as the layers on TensorFlow.js do', async ({ slots, tail, alike }) => {
    const { fixture, weights } = readFixture('lensnet-words-n70-m12');
    const { hiddenSize, epsilon } = fixture.config as { hiddenSize: number; epsilon: number };
    const config = fixture.config['lensNet'] as LensNetConfig;
    const file = SafetensorsFile.parse(weights, 'weights');
    if (!canRunOnKernels(config)) throw new Error('The fixture does not run on the kernels.');
    const net = new KernelLensNet(hiddenSize, epsilon, config, file, kernelModule()!, null);
    await startTensorFlow();
    const layers = new SlotLensNet(hiddenSize, epsilon, config, file);
    const shared = (columns: number, seed: number): Float32Array => {
      const rows = randomValues(slots * columns, seed);
      return rows.map((_, i) => {
        const slot = Math.floor(i / columns);
        return rows[(slot - (slot % alike)) * columns + (i % columns)]!;
      });
    };
    const input = {
      slotCount: slots,
      embeddings: randomValues(slots * hiddenSize, 1),
      blockVectors: shared(hiddenSize, 2),
      features: shared(SLOT_FEATURES, 3),
      lexical: shared(LEXICAL_FEATURES, 4),
      tail: randomValues(tail * hiddenSize, 5),
      tailCount: tail,
    };
    const expected = await layers.logits(input);
    // A second pass finds the room of the first.
    for (let pass = 0; pass < 2; pass++)
      expect(largestError(await net.logits(input), expected)).toBeLessThan(5e-4);
    expect(new Set(expected).size).toBeGreaterThan(slots / 2);
    net.dispose();
    layers.dispose();
  });

  it.each([1, 2, 3])(
    'score the same with %i threads whichever tails were read before, to the bit',
    async (threads) => {
      const { net: once, input } = await open('lensnet-words-n70-m12');
      once.dispose();
      const { fixture, weights } = readFixture('lensnet-words-n70-m12');
      const { hiddenSize, epsilon } = fixture.config as { hiddenSize: number; epsilon: number };
      const config = fixture.config['lensNet'] as LensNetConfig;
      const file = SafetensorsFile.parse(weights, 'weights');
      if (!canRunOnKernels(config)) throw new Error('The fixture does not run on the kernels.');
      const pool = threads === 1 ? null : await startPool(threads);
      const create = (own: ThreadPool | null) =>
        new KernelLensNet(hiddenSize, epsilon, config, file, kernelModule()!, own, 1);
      const kept = create(pool);
      const rng = new Rng(threads);
      // More tails than are kept, of two lengths, each with windows of its own.
      for (let pass = 0; pass < 60; pass++) {
        const which = rng.nextInt(20);
        const tailCount = 11 + (which % 2);
        const asked = {
          ...input,
          embeddings: input.embeddings.map((value) => value * rng.nextFloat()),
          tail: randomValues(tailCount * hiddenSize, 100 + which),
          tailCount,
        };
        const fresh = create(null);
        expect(await kept.logits(asked)).toEqual(await fresh.logits(asked));
        fresh.dispose();
      }
      kept.dispose();
      expect(pool?.threads ?? 1).toBe(threads);
      pool?.close();
    },
  );
});

async function startPool(threads: number): Promise<ThreadPool> {
  const build = join(import.meta.dirname, '../../../kernels/build/kernels-shared.wasm');
  const module = await WebAssembly.compile(await readFile(build));
  const pool = await ThreadPool.start({ threads, module, startThread: nodeWasmPaths().kernels.startThread });
  if (typeof pool === 'string') throw new Error(pool);
  return pool;
}

it('gives slots the same scores where fewer are asked for, and others that of the nearest before', async () => {
  const { net, input } = await open('lensnet-words-n70-m12');
  const all = await net.logits(input);
  const asked = Uint32Array.of(0, 1, 5, 33, 69);
  const some = await net.logits({ ...input, scoredSlots: asked });
  expect(some).toEqual(all.map((_, slot) => all[asked.findLast((first) => first <= slot)!]!));
  // The other variants score all of them.
  const { net: layers, input: plain } = await open('lensnet-transformer-n70-m12');
  expect(await layers.logits({ ...plain, scoredSlots: asked })).toEqual(await layers.logits(plain));
  net.dispose();
  layers.dispose();
});

it('refuses weights that were made without words, by the tensor’s name', async () => {
  const { fixture } = readFixture('lensnet-words-n70-m12');
  const { file, net } = await open('lensnet-n70-m12');
  net.dispose();
  await expect(createLensNet(16, 1e-5, fixture.config['lensNet'] as LensNetConfig, file)).rejects.toThrow(
    /slot_in/,
  );
});

it('refuses the weights of another variant, and leaves no tensor behind', async () => {
  const { fixture } = readFixture('lensnet-perceiver-n70-m12');
  const { file, net } = await open('lensnet-transformer-n70-m12');
  net.dispose();
  const before = memoryReport();
  await expect(createLensNet(16, 1e-5, fixture.config['lensNet'] as LensNetConfig, file)).rejects.toThrow(
    WeightError,
  );
  expect(memoryReport()).toEqual(before);
});

function scoreView(input: LensInput) {
  return {
    ...input,
    entries: [],
    hiddenSize: 16,
    positions: new Float64Array(input.slotCount),
    entryOfSlot: new Uint32Array(input.slotCount),
    cursor: 0,
  };
}
