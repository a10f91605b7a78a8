/** Heads made for a published base: used where they fit, refused by name where they were asked for and do not. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { K } from '../../core/tree/ids.ts';
import { selectBackend } from '../backend/device.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';
import { parseBaseConfig } from '../base-model/config.ts';
import { ModelSourceError } from '../model-folder/errors.ts';
import { createFileSource } from '../model-folder/file-source.ts';
import type { HeadsManifest } from '../model-folder/heads-manifest.ts';
import type { ModelManifest } from '../model-folder/manifest.ts';
import type { ModelSource } from '../model-folder/model-source.ts';
import { headFiles } from '../model-folder/manifest.ts';
import { readVerified } from '../model-folder/verified-files.ts';
import { createBareModel } from './bare-model.ts';
import { createHeads, readHeadsManifest, SHIPPED_HEADS } from './heads.ts';
import { readFolderBase } from './published-base.ts';

const TINY = join(import.meta.dirname, '../../../models/tiny');
const shipped = JSON.parse(readFileSync(join(TINY, 'manifest.json'), 'utf8')) as ModelManifest;
const SAMPLED = [7, 100, 1000];
const COLUMNS = 16;

beforeAll(() => selectBackend('wasm', { wasmPaths: nodeWasmPaths() }));

const encode = (value: unknown): ArrayBuffer => new TextEncoder().encode(JSON.stringify(value)).buffer;

/** The shipped base, published without its heads. */
function tinyBase() {
  const config = { ...readJson('config.json'), max_position_embeddings: 512 };
  const disk = createFileSource(TINY);
  return readFolderBase(
    {
      ...disk,
      read: (file, options) =>
        file === 'config.json' ? Promise.resolve(encode(config)) : disk.read(file, options),
    },
    'Tiny',
  );
}

function readJson(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(TINY, name), 'utf8')) as Record<string, unknown>;
}

/** The shipped heads as somebody might publish them for that base. */
async function tinyHeads(
  changes: (manifest: HeadsManifest) => unknown = (same) => same,
): Promise<ModelSource> {
  const { weights, config } = await tinyBase();
  const d = config.hiddenSize;
  const table = weights.floats('model.embed_tokens.weight', [config.vocabularySize, d]);
  const { formatVersion, title, licence, maxLod, hiddenSize, defaults, gistNet, lensNet, files } = shipped;
  const own = [gistNet!.weights, lensNet!.weights];
  const manifest: HeadsManifest = {
    formatVersion,
    kind: 'heads',
    id: 'tiny-heads',
    title: `Heads for ${title}`,
    licence,
    blockSize: K,
    maxLod,
    hiddenSize,
    defaults: { ...defaults, policy: 'lensnet', gistInput: 'vector' },
    gistNet: gistNet!,
    lensNet: lensNet!,
    files: Object.fromEntries(own.map((name) => [name, files[name]!])),
    madeFor: {
      name: title,
      layers: parseBaseConfig(readJson('config.json')).layers,
      vocabularySize: config.vocabularySize,
      sample: {
        tokens: SAMPLED,
        columns: COLUMNS,
        values: SAMPLED.flatMap((token) => [...table.subarray(token * d, token * d + COLUMNS)]),
      },
    },
  };
  const disk = createFileSource(TINY);
  return {
    ...disk,
    read: (file, options) =>
      file === 'heads.json' ? Promise.resolve(encode(changes(manifest))) : disk.read(file, options),
  };
}

const missing: ModelSource = {
  read: (file) => Promise.reject(new ModelSourceError(file, 'missing', 'is not there')),
  open: (file) => Promise.reject(new ModelSourceError(file, 'missing', 'is not there')),
};

/** `config.json` of the bases that heads are shipped for. */
const BASES: Readonly<Record<string, Record<string, unknown>>> = {
  'smollm2-135m': {
    model_type: 'llama',
    hidden_act: 'silu',
    vocab_size: 49_152,
    hidden_size: 576,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    intermediate_size: 1536,
    rms_norm_eps: 1e-5,
    rope_theta: 100_000,
    tie_word_embeddings: true,
  },
};

describe.each(SHIPPED_HEADS)('the heads of %s', (id) => {
  const folder = join(import.meta.dirname, '../../../models', id);

  it('are whole, fit their base, and take at most 40 MB', async () => {
    const source = createFileSource(folder);
    const manifest = await readHeadsManifest(source);
    const files = await readVerified(source, headFiles(manifest), manifest.files, {});
    const config = parseBaseConfig(BASES[id], 'config.json');
    const heads = await createHeads(
      config,
      manifest,
      (name) => files.get(name)!,
      () => Promise.reject(new Error('later')),
    );
    expect(heads.gistNet).not.toBeNull();
    expect([...heads.lensWorkshops.keys()]).toEqual(['dual-cross-attention']);
    heads.dispose();
    expect([...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(40e6);
  });

  it('say what they were measured to be worth, and begin with what measured best', async () => {
    const { defaults, figures, training, madeFor } = await readHeadsManifest(createFileSource(folder));
    expect(figures?.length).toBeGreaterThan(0);
    expect(training?.commands.length).toBeGreaterThan(0);
    expect(defaults.policy).toBeDefined();
    expect(defaults.gistInput).toBeDefined();
    expect(madeFor.layers).toBe(BASES[id]!['num_hidden_layers']);
  });
});

describe('heads of a published base', () => {
  it('are used, with their defaults, and named; the base’s hash alone does not name the model', async () => {
    const bare = await createBareModel(await tinyBase());
    const model = await createBareModel(await tinyBase(), {
      heads: [
        { source: missing, isChosen: false },
        { source: await tinyHeads(), isChosen: false },
      ],
    });
    expect(model.headsTitle).toBe(`Heads for ${shipped.title}`);
    expect(model.lensNet?.readsWords).toBe(true);
    expect([...model.lensWorkshops.keys()]).toEqual(['dual-cross-attention']);
    expect(model.gistNet.contextChildren).toBe(shipped.gistNet!.contextChildren);
    expect(model.manifest.defaults).toMatchObject({ policy: 'lensnet', gistInput: 'vector' });
    expect(model.hash).not.toBe(bare.hash);
    expect(bare).toMatchObject({ lensNet: null });
    expect(bare.headsTitle).toBeUndefined();
    model.dispose();
    bare.dispose();
  });

  it('are known by embeddings up to rounding, so that any quantisation has them', async () => {
    const scaled = (by: number) => (manifest: HeadsManifest) => ({
      ...manifest,
      madeFor: {
        ...manifest.madeFor,
        sample: {
          ...manifest.madeFor.sample,
          values: manifest.madeFor.sample.values.map((value, i) => value * (1 + (i % 2 === 0 ? by : -by))),
        },
      },
    });
    const near = { source: await tinyHeads(scaled(0.01)), isChosen: true };
    const model = await createBareModel(await tinyBase(), { heads: [near] });
    expect(model.lensNet).not.toBeNull();
    model.dispose();
    const far = { source: await tinyHeads(scaled(0.2)), isChosen: true };
    await expect(createBareModel(await tinyBase(), { heads: [far] })).rejects.toThrow(
      'embeddings of Tiny are others',
    );
  });

  it.each([
    ['another block size', { blockSize: 64 }, 'blocks of 64 tokens; here they have 32'],
    ['another width', { hiddenSize: 576 }, 'with width 576; Tiny has 128'],
    ['a damaged manifest', { maxLod: 99 }, 'maxLod'],
  ])('that were asked for and are for %s are refused by name', async (_, changes, message) => {
    const source = await tinyHeads((manifest) => ({ ...manifest, ...changes }));
    await expect(createBareModel(await tinyBase(), { heads: [{ source, isChosen: true }] })).rejects.toThrow(
      message,
    );
  });

  it('that are only on offer are left alone where they are for another base', async () => {
    const source = await tinyHeads((manifest) => ({ ...manifest, hiddenSize: 576 }));
    const model = await createBareModel(await tinyBase(), { heads: [{ source, isChosen: false }] });
    expect(model.lensNet).toBeNull();
    expect(model.manifest.defaults).toMatchObject({ policy: 'bm25', gistInput: 'none' });
    model.dispose();
  });

  it('whose files are damaged are refused, wherever they come from', async () => {
    const heads = await tinyHeads();
    const bytes = new Uint8Array(readFileSync(join(TINY, shipped.gistNet!.weights)));
    bytes[bytes.length - 1]! ^= 1;
    expect(createHash('sha256').update(bytes).digest('hex')).not.toBe(
      shipped.files[shipped.gistNet!.weights]!.sha256,
    );
    const source: ModelSource = {
      ...heads,
      read: (file, options) =>
        file === shipped.gistNet!.weights ? Promise.resolve(bytes.buffer) : heads.read(file, options),
    };
    await expect(createBareModel(await tinyBase(), { heads: [{ source, isChosen: false }] })).rejects.toThrow(
      'corrupted',
    );
  });
});
