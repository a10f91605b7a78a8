import { beforeAll, describe, expect, it } from 'vitest';
import { K } from '../../core/tree/ids.ts';
import { parseBaseConfig } from '../base-model/config.ts';
import { kernelModule, selectBackend, startTensorFlow } from '../backend/device.ts';
import { openKernels } from '../backend/kernel-module.ts';
import { ThreadPool } from '../backend/thread-pool.ts';
import { fixtureNames, readFixture } from '../testing/fixture-files.ts';
import { largestError, readTensor } from '../testing/fixture-parity.ts';
import {
  randomValues,
  SYNTHETIC_GIST_NET,
  syntheticConfig,
  syntheticGistNet,
} from '../testing/synthetic-weights.ts';
import { createGistNet } from './gist-net.ts';
import { KernelGistNet } from './kernel-gist-net.ts';
import { TensorGistNet } from './tensor-gist-net.ts';
import { SafetensorsFile } from '../model-folder/safetensors.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';

beforeAll(() => selectBackend('wasm', { wasmPaths: nodeWasmPaths() }));

/** Far above the noise of float32, far below what a block's own content does. */
const NOTICEABLE = 1e-3;

async function open(name: string) {
  const { fixture, weights, io } = readFixture(name);
  const base = parseBaseConfig(fixture.config['base']);
  const config = fixture.config['gistNet'] as Parameters<typeof createGistNet>[1];
  const net = await createGistNet(base, config, SafetensorsFile.parse(weights, name));
  const d = base.hiddenSize;
  const blocks = readTensor(SafetensorsFile.parse(io, name), 'lod1.children');
  const rows = net.contextChildren + K;
  const file = SafetensorsFile.parse(weights, name);
  /** All children are one token, so that each weighs the same. */
  const tokens = new Uint32Array(K).fill(1);
  /** What the mean's dimension j becomes before the learned residual is added. */
  const mapped = (mean: Float32Array): Float32Array => {
    if (config.residual !== 'affine') return mean;
    const map = readTensor(file, 'lod1.map.weight');
    return readTensor(file, 'lod1.map.bias').map((bias, j) =>
      mean.reduce((sum, value, i) => sum + map[j * d + i]! * value, bias),
    );
  };
  /** The gist's learned part: without what the mean of the children makes, which differs from block to block anyhow. */
  const learned = async (children: Float32Array, context?: Float32Array): Promise<Float32Array> => {
    const input = new Float32Array(rows * d);
    input.set(children, net.contextChildren * d);
    if (context !== undefined) input.set(context.subarray(-net.contextChildren * d));
    const gist = await net.compress(1, input, [context === undefined ? 0 : net.contextChildren], tokens);
    const mean = new Float32Array(d);
    children.forEach((value, i) => (mean[i % d]! += value / K));
    const start = mapped(mean);
    return gist.map((value, j) => value - start[j]!);
  };
  return { net, d, learned, block: (index: number) => blocks.slice(index * K * d, (index + 1) * K * d) };
}

describe.each(fixtureNames().filter((name) => name.startsWith('gistnet-')))('%s', (name) => {
  it('makes another gist of every block, whatever the attention and the pooling', async () => {
    const { net, learned, block } = await open(name);
    const gists = [await learned(block(0)), await learned(block(1)), await learned(block(2))];
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      expect(largestError(gists[a]!, gists[b]!)).toBeGreaterThan(NOTICEABLE);
    }
    net.dispose();
  });

  it('reads every child of the block and what stands before it', async () => {
    const { net, d, learned, block } = await open(name);
    const whole = await learned(block(0));
    for (const child of [0, 1, K / 2, K - 1]) {
      const changed = block(0).map((value, i) => (Math.floor(i / d) === child ? -value : value));
      expect(largestError(await learned(changed), whole), `child ${child}`).toBeGreaterThan(NOTICEABLE);
    }
    expect(largestError(await learned(block(0), block(1)), whole)).toBeGreaterThan(NOTICEABLE);
    net.dispose();
  });
});

describe('a GistNet that weighs tokens', () => {
  it('gives the heavier token the larger share of the mean, and none less than nothing', async () => {
    const { net, d, block } = await open('gistnet-affine');
    const input = new Float32Array((net.contextChildren + K) * d);
    input.set(block(0), net.contextChildren * d);
    const weights = readTensor(
      SafetensorsFile.parse(readFixture('gistnet-affine').weights, 'weights'),
      'lod1.token_weights',
    );
    const heaviest = weights.indexOf(Math.max(...weights));
    const negative = weights.findIndex((weight) => weight < 0);
    const gistWith = (token: number) =>
      net.compress(
        1,
        input,
        [0],
        Uint32Array.from({ length: K }, (_, i) => (i === 0 ? token : 1)),
      );
    const [heavy, light] = [await gistWith(heaviest), await gistWith(negative)];
    expect(largestError(heavy, light)).toBeGreaterThan(NOTICEABLE);
    expect(light.every(Number.isFinite)).toBe(true);
    net.dispose();
  });

  it('refuses blocks without their tokens, and tokens that it has no weight for', async () => {
    const { net, d } = await open('gistnet-affine');
    const input = new Float32Array((net.contextChildren + K) * d);
    await expect(net.compress(1, input, [0])).rejects.toThrow('tokens');
    await expect(net.compress(1, input, [0], new Uint32Array(K).fill(40))).rejects.toThrow('Token 40');
    net.dispose();
  });
});

describe('the kernels', () => {
  /** Nothing here fills a vector, a panel or a share. */
  const ODD = syntheticConfig({
    vocab_size: 11,
    hidden_size: 38,
    num_hidden_layers: 1,
    num_attention_heads: 6,
    num_key_value_heads: 3,
    head_dim: 12,
    intermediate_size: 53,
  });
  const VARIANTS = [
    SYNTHETIC_GIST_NET,
    { ...SYNTHETIC_GIST_NET, contextChildren: 7, attention: 'causal' },
    { ...SYNTHETIC_GIST_NET, contextChildren: 0, blocks: 1, lod2Blocks: 2 },
  ] as const;
  /** More than are run at once. */
  const BLOCKS = 19;
  const file = syntheticGistNet(ODD);
  const d = ODD.hiddenSize;

  it.each(VARIANTS)('make of odd sizes what TensorFlow.js makes of them: %o', async (config) => {
    const { contextChildren } = config;
    await startTensorFlow();
    const own = new KernelGistNet(ODD, config, file, kernelModule()!);
    const layers = new TensorGistNet(ODD, config, file);
    const children = randomValues(BLOCKS * (contextChildren + K) * d, 5);
    const counts = Array.from({ length: BLOCKS }, (_, i) => Math.min(i, contextChildren));
    for (const lod of [1, 2]) {
      const found = await own.compress(lod, children, counts);
      expect(largestError(found, await layers.compress(lod, children, counts))).toBeLessThan(1e-5);
    }
    own.dispose();
    layers.dispose();
  });

  it('give the same on several threads to the bit', async () => {
    const { kernels } = nodeWasmPaths();
    const module = (await openKernels(kernels.shared)) as WebAssembly.Module;
    const pool = (await ThreadPool.start({
      threads: 3,
      module,
      startThread: kernels.startThread,
    })) as ThreadPool;
    const children = randomValues(2 * 2 * K * d, 6);
    const gists = await Promise.all(
      [null, pool].map(async (threads) => {
        const net = new KernelGistNet(ODD, SYNTHETIC_GIST_NET, file, kernelModule()!, threads, 1);
        const made = await net.compress(1, children, [0, K]);
        net.dispose();
        return made;
      }),
    );
    pool.close();
    expect(gists[1]).toEqual(gists[0]);
    expect(gists[0]!.every(Number.isFinite)).toBe(true);
  });
});
