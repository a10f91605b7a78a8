import { beforeAll, describe, expect, it } from 'vitest';
import { K } from '../../core/tree/ids.ts';
import { parseBaseConfig } from '../base-model/config.ts';
import { selectBackend } from '../backend/device.ts';
import { fixtureNames, readFixture } from '../testing/fixture-files.ts';
import { largestError, readTensor } from '../testing/fixture-parity.ts';
import { TransformerGistNet } from './gist-net.ts';
import { SafetensorsFile } from '../model-folder/safetensors.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';

beforeAll(() => selectBackend('wasm', { wasmPaths: nodeWasmPaths() }));

/** Far above the noise of float32, far below what a block's own content does. */
const NOTICEABLE = 1e-3;

function open(name: string) {
  const { fixture, weights, io } = readFixture(name);
  const base = parseBaseConfig(fixture.config['base']);
  const config = fixture.config['gistNet'] as ConstructorParameters<typeof TransformerGistNet>[1];
  const net = new TransformerGistNet(base, config, SafetensorsFile.parse(weights, name));
  const d = base.hiddenSize;
  const blocks = readTensor(SafetensorsFile.parse(io, name), 'lod1.children');
  const rows = net.contextChildren + K;
  /** The gist's learned part: without the mean of the children, which differs from block to block anyhow. */
  const learned = async (children: Float32Array, context?: Float32Array): Promise<Float32Array> => {
    const input = new Float32Array(rows * d);
    input.set(children, net.contextChildren * d);
    if (context !== undefined) input.set(context.subarray(-net.contextChildren * d));
    const gist = await net.compress(1, input, [context === undefined ? 0 : net.contextChildren]);
    return gist.map((value, j) => {
      let sum = 0;
      for (let child = 0; child < K; child++) sum += children[child * d + j]!;
      return value - sum / K;
    });
  };
  return { net, d, learned, block: (index: number) => blocks.slice(index * K * d, (index + 1) * K * d) };
}

describe.each(fixtureNames().filter((name) => name.startsWith('gistnet-')))('%s', (name) => {
  it('makes another gist of every block, whatever the attention and the pooling', async () => {
    const { net, learned, block } = open(name);
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
    const { net, d, learned, block } = open(name);
    const whole = await learned(block(0));
    for (const child of [0, 1, K / 2, K - 1]) {
      const changed = block(0).map((value, i) => (Math.floor(i / d) === child ? -value : value));
      expect(largestError(await learned(changed), whole), `child ${child}`).toBeGreaterThan(NOTICEABLE);
    }
    expect(largestError(await learned(block(0), block(1)), whole)).toBeGreaterThan(NOTICEABLE);
    net.dispose();
  });
});
