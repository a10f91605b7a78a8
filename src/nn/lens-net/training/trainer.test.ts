/** Holds training to inference, its gradients to finite differences, and its learning to a problem it can solve. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { SLOT_FEATURES } from '../../../core/context/slot-view.ts';
import { selectBackend, startTensorFlow } from '../../backend/device.ts';
import { TrainingError } from '../../errors.ts';
import { WeightError } from '../../model-folder/errors.ts';
import { largestError, lensFixtureInput } from '../../testing/fixture-parity.ts';
import { createLensNet } from '../lens-net.ts';
import { memoryReport } from '../../backend/memory-report.ts';
import type { EntryTarget, LensExample, LensInput } from '../../ports.ts';
import { SafetensorsFile } from '../../model-folder/safetensors.ts';
import { SYNTHETIC_LENS_NET, randomValues, syntheticLensNet } from '../../testing/synthetic-weights.ts';
import { nodeWasmPaths } from '../../backend/wasm-paths-node.ts';
import type { LensShape } from './trainable-weights.ts';
import { SlotLensTrainer } from './trainer.ts';
import { createLensWorkshop } from './workshop.ts';

const FIXTURES = join(import.meta.dirname, '../../../../tests/fixtures');
const bytesOf = (name: string, file: string): ArrayBuffer =>
  new Uint8Array(readFileSync(join(FIXTURES, name, file))).buffer;

function openFixture(name: string): { shape: LensShape; weights: ArrayBuffer; input: LensInput } {
  const { config } = JSON.parse(readFileSync(join(FIXTURES, name, 'fixture.json'), 'utf8')) as {
    config: { hiddenSize: number; epsilon: number; lensNet: LensShape['config'] };
  };
  const io = SafetensorsFile.parse(bytesOf(name, 'io.safetensors'), name);
  return {
    shape: { hiddenSize: config.hiddenSize, epsilon: config.epsilon, config: config.lensNet },
    weights: bytesOf(name, 'weights.safetensors'),
    input: lensFixtureInput(io),
  };
}

function trainerOf(shape: LensShape, weights: ArrayBuffer): SlotLensTrainer {
  return new SlotLensTrainer(shape, SafetensorsFile.parse(weights, 'weights'));
}

const target = (firstSlot: number, slotCount: number, value: number, group = 'expand'): EntryTarget => ({
  firstSlot,
  slotCount,
  target: value,
  weight: 1,
  group,
});

const names = readdirSync(FIXTURES).filter(
  (name) => name.startsWith('lensnet-') && existsSync(join(FIXTURES, name, 'weights.safetensors')),
);

describe.each(['cpu', 'wasm'] as const)('%s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend, { wasmPaths: nodeWasmPaths() });
    await startTensorFlow();
  });

  it.each(names)('reads %s as inference does', async (name) => {
    const { shape, weights, input } = openFixture(name);
    const net = await createLensNet(
      shape.hiddenSize,
      shape.epsilon,
      shape.config,
      SafetensorsFile.parse(weights, name),
    );
    const trainer = trainerOf(shape, weights);
    // The kernels round what all slots are multiplied by.
    const tolerance = net.work === undefined ? 1e-4 : 5e-4;
    expect(largestError(await trainer.logits(input), await net.logits(input))).toBeLessThan(tolerance);
    trainer.dispose();
    net.dispose();
  });
});

const SHAPE: LensShape = {
  hiddenSize: 16,
  epsilon: 1e-5,
  config: { ...SYNTHETIC_LENS_NET, width: 32, heads: 2, tailTokens: 8, tailQueries: 4 },
};

function syntheticWeights(): ArrayBuffer {
  return syntheticLensNet(SHAPE.hiddenSize, 3, SHAPE.config).bytes.slice(0);
}

/** The entry whose vector is the tail's own wants detail; the others do not. */
function matchingExample(seed: number): LensExample {
  const slotCount = 12;
  const tailCount = 4;
  const d = SHAPE.hiddenSize;
  const vectors = randomValues(slotCount * d, seed);
  const wanted = seed % slotCount;
  const tail = new Float32Array(tailCount * d);
  for (let t = 0; t < tailCount; t++) tail.set(vectors.subarray(wanted * d, (wanted + 1) * d), t * d);
  return {
    slotCount,
    tailCount,
    embeddings: vectors,
    blockVectors: vectors,
    features: new Float32Array(slotCount * SLOT_FEATURES).fill(0.1),
    lexical: null,
    tail,
    targets: Array.from({ length: slotCount }, (_, i) => target(i, 1, i === wanted ? 0.8 : -0.4)),
  };
}

const RATE = 3e-3;

async function train(trainer: SlotLensTrainer, from: number, to: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = from; step < to; step++) {
    let loss = 0;
    for (let i = 0; i < 4; i++)
      loss += (await trainer.addExample(matchingExample(1 + step * 4 + i))).total / 4;
    trainer.applyStep(RATE);
    losses.push(loss);
  }
  return losses;
}

/** Share of unseen examples whose wanted entry scores highest. */
async function hitRate(weights: ArrayBuffer): Promise<number> {
  const net = await createLensNet(
    SHAPE.hiddenSize,
    SHAPE.epsilon,
    SHAPE.config,
    SafetensorsFile.parse(weights, 'weights'),
  );
  let hits = 0;
  for (let seed = 9000; seed < 9040; seed++) {
    const logits = await net.logits(matchingExample(seed));
    if (logits.indexOf(Math.max(...logits)) === seed % logits.length) hits++;
  }
  net.dispose();
  return hits / 40;
}

describe('training on wasm', () => {
  beforeAll(async () => {
    await selectBackend('wasm', { wasmPaths: nodeWasmPaths() });
    await startTensorFlow();
  });

  it.each([
    'lensnet-n7-m5',
    'lensnet-mean-tail-n70-m12',
    'lensnet-transformer-n70-m12',
    'lensnet-perceiver-words-n70-m12',
  ])('has the gradient that finite differences have, for every tensor of %s', async (fixture) => {
    const { shape, weights, input } = openFixture(fixture);
    const targets = [
      target(0, 2, 0.9),
      target(2, 1, -0.8),
      target(3, 1, 0.1),
      target(5, 2, -0.5, 'collapse'),
    ];
    const trainer = trainerOf(shape, weights);
    const example = { ...input, targets };
    const names = SafetensorsFile.parse(weights, 'weights').names;
    const wrong: string[] = [];
    await trainer.addExample(example);
    const gradient = trainer.gradientByName();
    trainer.dropStep();
    const start = trainer.snapshot();
    for (const [name, { offset, values }] of gradient) {
      const direction = randomValues(values.length, offset + 1);
      const along = values.reduce((sum, value, i) => sum + value * direction[i]!, 0);
      const length = Math.hypot(...direction);
      const lossAt = async (step: number): Promise<number> => {
        const moved = start.weights.slice();
        direction.forEach((value, i) => (moved[offset + i]! += (step * value) / length));
        trainer.restore({ ...start, weights: moved });
        const { total } = await trainer.addExample(example);
        trainer.dropStep();
        return total;
      };
      const step = 2e-2;
      const slope = (await lossAt(step)) - (await lossAt(-step));
      const found = along / length;
      const expected = slope / (2 * step);
      if (Math.abs(found - expected) > 2e-4 + 0.04 * Math.abs(expected)) {
        wrong.push(`${name}: ${found} instead of ${expected}`);
      }
    }
    expect([...gradient.keys()].sort()).toEqual([...names].sort());
    expect(wrong).toEqual([]);
    trainer.dispose();
  });

  it('learns to find what the tail names, and says the same after a pause', async () => {
    const weights = syntheticWeights();
    const trainer = trainerOf(SHAPE, weights);
    const losses = await train(trainer, 0, 8);
    const early = trainer.snapshot();
    losses.push(...(await train(trainer, 8, 45)));
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(losses.slice(-10))).toBeLessThan(0.5 * mean(losses.slice(0, 5)));
    expect(await hitRate(trainer.encodeWeights('trained'))).toBeGreaterThan((await hitRate(weights)) + 0.4);

    const paused = trainerOf(SHAPE, weights);
    await train(paused, 0, 3);
    await paused.addExample(matchingExample(1));
    const state = paused.snapshot();
    const resumed = trainerOf(SHAPE, weights);
    resumed.restore(state);
    await train(resumed, 3, 8);
    expect(resumed.snapshot()).toEqual(early);
    for (const each of [trainer, paused, resumed]) each.dispose();
  });

  it('holds no tensor between steps', async () => {
    const trainer = trainerOf(SHAPE, syntheticWeights());
    await train(trainer, 0, 1);
    const before = memoryReport();
    await train(trainer, 1, 6);
    expect(memoryReport()).toEqual(before);
    trainer.dispose();
    expect(memoryReport().tensors).toBeLessThanOrEqual(before.tensors);
  });

  it('refuses an example that is no number and keeps the weights', async () => {
    const trainer = trainerOf(SHAPE, syntheticWeights());
    const before = trainer.snapshot();
    const example = matchingExample(1);
    await expect(
      trainer.addExample({ ...example, embeddings: example.embeddings.map(() => NaN) }),
    ).rejects.toThrow(TrainingError);
    expect(trainer.snapshot()).toEqual(before);
    trainer.dispose();
  });

  it('writes files that come back the same, and refuses files of another shape by name', async () => {
    const shipped = syntheticWeights();
    const workshop = createLensWorkshop(SHAPE.hiddenSize, SHAPE.epsilon, SHAPE.config, () =>
      Promise.resolve(shipped),
    );
    const once = await workshop.createTrainer(await workshop.shippedWeights(), 'shipped');
    const written = once.encodeWeights('once');
    const twice = await workshop.createTrainer(written, 'once');
    expect(new Uint8Array(twice.encodeWeights('twice'))).toEqual(new Uint8Array(written));
    const narrow = syntheticLensNet(8, 3, SHAPE.config).bytes.slice(0);
    await expect(workshop.createTrainer(narrow, 'narrow')).rejects.toThrow(WeightError);
    await expect(workshop.createNet(narrow, 'narrow.safetensors')).rejects.toThrow(/narrow\.safetensors.*slot_in/);
  });
});
