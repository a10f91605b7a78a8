/** Holds the shipped model, loaded as the application loads it, to PyTorch's outputs. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { K } from '../../core/tree/ids.ts';
import { selectBackend } from '../backend/device.ts';
import { createFileSource } from '../model-folder/file-source.ts';
import { largestError, readTensor } from '../testing/fixture-parity.ts';
import { loadModel } from './load-model.ts';
import { SafetensorsFile } from '../model-folder/safetensors.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';

const ROOT = join(import.meta.dirname, '../../..');
const TINY = join(ROOT, 'models/tiny');
const IO = join(ROOT, 'tests/fixtures/tiny/io.safetensors');
const TEXT = join(ROOT, 'tests/fixtures/tiny/fixture.json');

it.runIf(existsSync(IO) && existsSync(join(TINY, 'manifest.json')))(
  'agrees with PyTorch end to end',
  async () => {
    await selectBackend('wasm', { wasmPaths: nodeWasmPaths() });
    const model = await loadModel(createFileSource(TINY));
    const io = SafetensorsFile.parse(new Uint8Array(readFileSync(IO)).buffer, 'io.safetensors');
    const { config } = JSON.parse(readFileSync(TEXT, 'utf8')) as { config: { text: string } };
    const size = model.base.hiddenSize;
    const errors: Record<string, number> = {};

    const ids = model.tokenizer.encode(config.text);
    expect([...ids]).toEqual([...readTensor(io, 'ids')]);

    const width = model.gistNet.contextChildren;
    const children = new Float32Array((width + K) * size);
    children.set(model.base.embed(ids.subarray(0, K)), width * size);
    const gist = await model.gistNet.compress(1, children, [0]);
    errors['gist'] = largestError(gist, readTensor(io, 'gist'));
    for (let i = 0; i < K; i++) children.set(gist, (width + i) * size);
    errors['gist2'] = largestError(await model.gistNet.compress(2, children, [0]), readTensor(io, 'gist2'));

    const positions = Float64Array.from(readTensor(io, 'position_ids'));
    const inputs = new Float32Array(positions.length * size);
    inputs.set(gist);
    inputs.set(model.base.embed(ids.subarray(K)), size);
    const session = model.base.createDecodeSession(positions.length);
    // The fixture keeps the logits of the last entries only.
    const expected = readTensor(io, 'logits');
    const logits = await session.append(inputs, positions, 'all');
    errors['logits'] = largestError(logits.subarray(-expected.length), expected);
    session.dispose();

    const lensNets = new Map([['lens', model.lensNet!]]);
    for (const [variant, lensNet] of model.otherLensNets) lensNets.set(`lens.${variant}`, lensNet);
    for (const [name, lensNet] of lensNets) {
      const tail = readTensor(io, 'lens.tail');
      const scores = await lensNet.score({
        entries: [{ lod: 1, start: 0, end: K, cost: 1 }],
        slotCount: 1,
        hiddenSize: size,
        embeddings: gist,
        blockVectors: gist,
        features: readTensor(io, 'lens.feats'),
        lexical: readTensor(io, 'lens.lexical'),
        positions: positions.subarray(0, 1),
        entryOfSlot: Uint32Array.of(0),
        tail,
        tailCount: tail.length / size,
        cursor: ids.length,
      });
      errors[name] = largestError(scores, readTensor(io, `${name}.logits`).map(Math.tanh));
    }
    model.dispose();
    console.info(errors);
    for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThanOrEqual(1e-3);
  },
);
