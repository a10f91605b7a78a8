import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../src/nn/backend/device.ts';
import { nodeWasmPaths } from '../src/nn/backend/wasm-paths-node.ts';
import { measureBackend } from '../src/nn/backend/throughput.ts';
import { loadModel } from '../src/nn/loader/load-model.ts';
import { createFileSource } from '../src/nn/model-folder/file-source.ts';
import { withKernelRuns } from '../src/nn/profiling/kernel-times.ts';
import { gistBlocks, gistView, randomSlots } from './bench/network-inputs.ts';
import { withoutForeignKernels, withoutJsonSchema } from './vite-trim-plugin.ts';

const backend = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'));
const code = readFileSync(join(backend, 'dist/register_all_kernels.js'), 'utf8');
const listed = (text: string): string[] => [...text.matchAll(/^ +(\w+)Config,$/gm)].map(([, name]) => name!);

describe('the WASM backend’s kernels', () => {
  it('lose those for pictures, texts and sparse tensors alone', () => {
    const kept = listed(withoutForeignKernels(code));
    const gone = listed(code).filter((name) => !kept.includes(name));
    expect(kept.length + gone.length).toBe(listed(code).length);
    for (const name of ['conv2D', 'resizeBilinear', 'stringSplit', 'sparseToDense', 'unique', 'topK'])
      expect(gone).toContain(name);
    // What the networks, their gradients and the probe of the machine run.
    for (const name of [
      ...['_fusedMatMul', 'batchMatMul', 'softmax', 'sigmoid', 'tanh', 'relu', 'rsqrt', 'square', 'sqrt'],
      ...['add', 'sub', 'multiply', 'realDiv', 'maximum', 'max', 'mean', 'sum', 'neg', 'exp', 'log', 'pow'],
      ...['reshape', 'slice', 'concat', 'splitV', 'transpose', 'tile', 'padV2', 'gatherV2', 'fill', 'cast'],
      ...['identity', 'expandDims', 'pack', 'unpack', 'onesLike', 'oneHot', 'select', 'step', 'addN'],
      ...['equal', 'greater', 'greaterEqual', 'less', 'lessEqual', 'logicalAnd', 'range', 'cumsum', 'argMax'],
    ])
      expect(kept).toContain(name);
  });

  it('are not taken for left out when they are registered in another way', () => {
    expect(() => withoutForeignKernels('registerEverything();')).toThrow('another way');
  });
});

describe('the schema library', () => {
  const schemas = readFileSync(
    join(dirname(createRequire(import.meta.url).resolve('zod/package.json')), 'v4/classic/schemas.js'),
    'utf8',
  );

  it('loses how a schema is written as JSON Schema, and no other line', () => {
    const left = withoutJsonSchema(schemas);
    const lines = new Set(left.split('\n'));
    const gone = schemas.split('\n').filter((line) => !lines.has(line));
    expect(gone.length).toBeGreaterThan(30);
    expect(gone.filter((line) => !/JSONSchema/.test(line))).toEqual([]);
  });

  it('is not taken for shortened when it is made in another way', () => {
    expect(() => withoutJsonSchema('export class ZodString {}')).toThrow('another way');
    expect(() => withoutJsonSchema(`${schemas}\nprocessors.newProcessor(inst)`)).toThrow('more ways');
  });
});

describe('the shipped model', () => {
  // Without the project's own kernels, so that TensorFlow.js runs the base as well.
  const paths = nodeWasmPaths();
  const wasmPaths = {
    ...paths,
    kernels: { ...paths.kernels, plain: () => Promise.resolve(new Uint8Array(8)) },
  };
  beforeAll(() => selectBackend('wasm', { wasmPaths }));

  it('runs and learns on the kernels that are left', async () => {
    const model = await loadModel(createFileSource(join(import.meta.dirname, '../models/tiny')));
    const { base, gistNet, lensNet, otherLensNets, lensWorkshops } = model;
    const d = base.hiddenSize;
    const { embeddings, positions } = randomSlots(base, 80);
    const view = gistView(embeddings, d, lensNet!.tailTokens, 0);
    const session = base.createDecodeSession(96);
    const workshop = lensWorkshops.get(model.manifest.lensNet!.variant)!;
    const trainer = await workshop.createTrainer(await workshop.shippedWeights(), 'lensnet');
    const target = { firstSlot: 0, slotCount: 1, target: 0.5, weight: 1, group: 'expand' };
    const targets = [target, { ...target, firstSlot: 1, target: -0.5 }];
    const { runs } = await withKernelRuns(async () => {
      await session.append(embeddings, positions, 'last', undefined, 'mean');
      session.rearrange(Int32Array.from({ length: 40 }, (_, i) => 2 * i));
      await session.append(embeddings.subarray(0, d), positions.subarray(0, 1), 'last');
      const { children, contextCounts } = gistBlocks(gistNet, embeddings, d, 3);
      await gistNet.compress(1, children, contextCounts, new Uint32Array(3 * 32));
      for (const net of [lensNet!, ...otherLensNets.values()]) await net.score(view);
      await trainer.addExample({ ...view, targets });
      trainer.applyStep(1e-3);
      await measureBackend(() => performance.now());
    });
    trainer.dispose();
    session.dispose();
    model.dispose();
    const kept = new Set(listed(withoutForeignKernels(code)));
    const used = [...new Set(runs.map(({ name }) => name.replace(/[A-Z]/, (first) => first.toLowerCase())))];
    const known = new Set(listed(code));
    expect(used.length).toBeGreaterThan(15);
    expect(used.filter((name) => known.has(name) && !kept.has(name))).toEqual([]);
  });
});
