import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { selectBackend } from '../backend/device.ts';
import { ModelSourceError, WeightError } from '../model-folder/errors.ts';
import { createFetchSource } from '../model-folder/fetch-source.ts';
import { createFileSource } from '../model-folder/file-source.ts';
import { readFixture } from '../testing/fixture-files.ts';
import type { LoadProgress } from '../model-folder/verified-files.ts';
import { loadModel } from './load-model.ts';
import type { SlotView } from '../../core/context/slot-view.ts';
import { KernelMemory } from '../backend/kernel-memory.ts';
import { memoryReport } from '../backend/memory-report.ts';
import type { ModelSource } from '../model-folder/model-source.ts';
import {
  SYNTHETIC_GIST_NET,
  SYNTHETIC_LENS_NET,
  syntheticBase,
  syntheticConfig,
  syntheticGistNet,
  syntheticLensNet,
} from '../testing/synthetic-weights.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';

const TINY = join(import.meta.dirname, '../../../models/tiny');
const TINY_CONFIG = JSON.parse(readFileSync(join(TINY, 'config.json'), 'utf8')) as { vocab_size: number };
const RAW_CONFIG = {
  vocab_size: TINY_CONFIG.vocab_size,
  hidden_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 2,
  head_dim: 8,
  intermediate_size: 16,
  attention_bias: true,
  tie_word_embeddings: true,
};

/** A context of nothing: every LensNet has a score for none. */
const NO_SLOTS: SlotView = {
  entries: [],
  slotCount: 0,
  hiddenSize: 16,
  embeddings: new Float32Array(0),
  blockVectors: new Float32Array(0),
  features: new Float32Array(0),
  lexical: null,
  positions: new Float64Array(0),
  entryOfSlot: new Uint32Array(0),
  tail: new Float32Array(0),
  tailCount: 0,
  cursor: 0,
};

type Files = Map<string, Uint8Array<ArrayBuffer>>;
type Json = Record<string, unknown>;

/** LensNets of the variants that the folder's own is not of. */
const OTHER_LENS_NETS = ['transformer', 'perceiver'].map((variant) => {
  const { fixture, weights } = readFixture(`lensnet-${variant}-n1-m1`);
  const file = `lensnet-${variant}.safetensors`;
  return { file, weights, section: { ...(fixture.config['lensNet'] as Json), weights: file, version: 1 } };
});

function modelFolder(otherLensNets: typeof OTHER_LENS_NETS = []): Files {
  const config = syntheticConfig(RAW_CONFIG);
  const files: Files = new Map([
    ['config.json', json(RAW_CONFIG)],
    ['tokenizer.json', new Uint8Array(readFileSync(join(TINY, 'tokenizer.json')))],
    ['tokenizer_config.json', new Uint8Array(readFileSync(join(TINY, 'tokenizer_config.json')))],
    ['model.safetensors', new Uint8Array(syntheticBase(config).bytes.slice(0))],
    ['gistnet.safetensors', new Uint8Array(syntheticGistNet(config).bytes.slice(0))],
    ['lensnet.safetensors', new Uint8Array(syntheticLensNet(config.hiddenSize).bytes.slice(0))],
    ...otherLensNets.map(({ file, weights }) => [file, new Uint8Array(weights.slice(0))] as const),
  ]);
  files.set('manifest.json', json(manifestOf(files)));
  if (otherLensNets.length > 0) {
    change(files, (m) => (m['otherLensNets'] = otherLensNets.map(({ section }) => section)));
  }
  return files;
}

function change(files: Files, edit: (manifest: Json) => unknown): void {
  const manifest = JSON.parse(new TextDecoder().decode(files.get('manifest.json'))) as Json;
  edit(manifest);
  files.set('manifest.json', json(manifest));
}

function json(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

function manifestOf(files: Files): Json {
  const hashed = [...files].map(([name, bytes]) => [
    name,
    { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
  ]);
  return {
    formatVersion: 1,
    id: 'synthetic',
    title: 'Synthetic',
    licence: 'Apache-2.0',
    blockSize: 32,
    maxLod: 4,
    hiddenSize: 16,
    trainedContextTokens: 512,
    defaults: { budgetTokens: 1024, recentTokens: 256 },
    chat: { userPrefix: 'Q: ', userSuffix: '\n', assistantPrefix: 'A:', stop: ['\n'] },
    base: {
      config: 'config.json',
      weights: 'model.safetensors',
      tokenizer: 'tokenizer.json',
      tokenizerConfig: 'tokenizer_config.json',
    },
    gistNet: { weights: 'gistnet.safetensors', ...SYNTHETIC_GIST_NET },
    lensNet: { weights: 'lensnet.safetensors', ...SYNTHETIC_LENS_NET },
    files: Object.fromEntries(hashed) as unknown,
  };
}

function sourceOf(files: Files): ModelSource {
  const read: ModelSource['read'] = (file, options) => {
    const bytes = files.get(file);
    if (bytes === undefined) return Promise.reject(new ModelSourceError(file, 'missing', 'not there'));
    options?.onProgress?.(bytes.length);
    return Promise.resolve(bytes.slice().buffer);
  };
  return { read, open: read };
}

beforeAll(() => selectBackend('wasm', { wasmPaths: nodeWasmPaths() }));

describe('a sound folder', () => {
  it('loads, reports its progress to the last byte, and leaves nothing when disposed', async () => {
    const before = memoryReport();
    const progress: LoadProgress[] = [];
    const model = await loadModel(sourceOf(modelFolder()), { onProgress: (step) => progress.push(step) });
    expect(model.id).toBe('synthetic');
    expect(model.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(model.base.embed(model.tokenizer.encode('harbour')).length % 16).toBe(0);
    const last = progress.at(-1)!;
    expect(last.receivedBytes).toBe(last.totalBytes);
    expect(progress.every((step, i) => i === 0 || step.receivedBytes >= progress[i - 1]!.receivedBytes)).toBe(
      true,
    );
    model.dispose();
    expect(memoryReport()).toEqual(before);
  });

  it('brings LensNets of other variants, whose bytes are read when one first scores', async () => {
    const before = memoryReport();
    const files = modelFolder(OTHER_LENS_NETS);
    const read: string[] = [];
    const source = { ...sourceOf(files) };
    const counting: typeof source = {
      ...source,
      read: (name, options) => {
        read.push(name);
        return source.read(name, options);
      },
    };
    const model = await loadModel(counting);
    expect([...model.otherLensNets.keys()]).toEqual(['transformer', 'perceiver']);
    const perceiver = model.otherLensNets.get('perceiver')!;
    expect(perceiver.tailTokens).toBe(12);
    expect(model.lensNet!.tailTokens).toBe(SYNTHETIC_LENS_NET.tailTokens);
    expect(read.filter((name) => name.startsWith('lensnet'))).toEqual(['lensnet.safetensors']);

    const weights = 'lensnet-perceiver.safetensors';
    files.get(weights)![900]! ^= 1;
    await expect(perceiver.score(NO_SLOTS)).rejects.toThrow(/^lensnet-perceiver\.safetensors: corrupted/);
    files.get(weights)![900]! ^= 1;
    await Promise.all([perceiver.score(NO_SLOTS), perceiver.score(NO_SLOTS)]);
    expect(read.filter((name) => name === weights)).toHaveLength(2);
    expect(read).not.toContain('lensnet-transformer.safetensors');

    const lone = await loadModel(sourceOf(modelFolder()));
    expect(lone.otherLensNets.size).toBe(0);
    lone.dispose();
    const late = model.otherLensNets.get('transformer')!.score(NO_SLOTS);
    model.dispose();
    await expect(late).rejects.toThrow('disposed');
    await expect(perceiver.score(NO_SLOTS)).rejects.toThrow('disposed');
    expect(memoryReport()).toEqual(before);
  });

  it('brings a LensNet for staging, read when it first scores, and refuses one of other dimensions by name', async () => {
    const before = memoryReport();
    const stagingOf = async (edit: (section: Json) => unknown) => {
      const files = modelFolder();
      const name = 'staging-lensnet.safetensors';
      files.set(name, new Uint8Array(syntheticLensNet(16).bytes.slice(0)));
      const { files: known } = manifestOf(files) as { files: Json };
      change(files, (m) => {
        const section: Json = { ...SYNTHETIC_LENS_NET, weights: name };
        edit(section);
        m['stagingLensNet'] = section;
        m['files'] = Object.fromEntries(Object.entries(known).filter(([file]) => file !== 'manifest.json'));
      });
      return loadModel(sourceOf(files));
    };
    const model = await stagingOf((section) => (section['version'] = 77));
    expect([model.stagingLensNet!.version, model.lensNet!.version]).toEqual([77, SYNTHETIC_LENS_NET.version]);
    expect(await model.stagingLensNet!.score(NO_SLOTS)).toHaveLength(0);
    model.dispose();
    const narrow = await stagingOf((section) => (section['tailTokens'] = 7));
    await expect(narrow.stagingLensNet!.score(NO_SLOTS)).rejects.toThrow(
      /^staging-lensnet\.safetensors, tensor "tail_pos": shape \[\d+, \d+\], expected \[7, \d+\]/,
    );
    narrow.dispose();
    await expect(stagingOf((section) => (section['heads'] = 3))).rejects.toThrow(
      /stagingLensNet\.heads: must divide stagingLensNet\.width/,
    );
    expect(memoryReport()).toEqual(before);
  });

  it('loads from disk and over HTTP alike', async () => {
    const files = modelFolder();
    const folder = mkdtempSync(join(tmpdir(), 'model-'));
    for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
    const server = createServer((request, response) => {
      const bytes = files.get(request.url!.slice(1));
      if (bytes !== undefined) response.end(bytes);
      else if (request.url === '/page/manifest.json') {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<!doctype html>');
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const url = `http://localhost:${(server.address() as AddressInfo).port}`;
    try {
      const fromDisk = await loadModel(createFileSource(folder));
      const fromServer = await loadModel(createFetchSource(url));
      expect(fromServer.hash).toBe(fromDisk.hash);
      fromDisk.dispose();
      fromServer.dispose();
      await expect(loadModel(createFetchSource(`${url}/page`))).rejects.toThrow(/web page instead/);
      await expect(loadModel(createFetchSource(`${url}/none`))).rejects.toThrow(/no such file \(404/);
      await expect(loadModel(createFileSource(join(folder, 'none')))).rejects.toThrow(/no such file/);
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
    await expect(loadModel(createFetchSource(url))).rejects.toThrow(/could not be fetched/);
  });
});

describe('a faulty folder is refused, naming the file, and leaves no tensor', () => {
  const changeOther = (index: number, changes: Json) => (files: Files) => {
    change(files, (m) => Object.assign((m['otherLensNets'] as Json[])[index]!, changes));
  };
  const cases: [string, (files: Files) => void, RegExp][] = [
    [
      'a flipped bit',
      (files) => (files.get('lensnet.safetensors')![900]! ^= 1),
      /^lensnet\.safetensors: corrupted: expected SHA-256 [0-9a-f]{64}, found/,
    ],
    [
      'a cut file',
      (files) => files.set('gistnet.safetensors', new Uint8Array(10)),
      /^gistnet\.safetensors: expected \d+ bytes, found 10/,
    ],
    ['no file', (files) => files.delete('tokenizer.json'), /^tokenizer\.json: not there/],
    ['no manifest', (files) => files.delete('manifest.json'), /^manifest\.json: not there/],
    [
      'a manifest that is a page',
      (files) => files.set('manifest.json', new TextEncoder().encode('<html>')),
      /^manifest\.json: is not JSON/,
    ],
    [
      'another block size',
      (files) => {
        change(files, (m) => (m['blockSize'] = 16));
      },
      /^manifest\.json: blockSize/,
    ],
    [
      'a huge count',
      (files) => {
        change(files, (m) => (m['hiddenSize'] = 1e12));
      },
      /^manifest\.json: hiddenSize/,
    ],
    [
      'a file outside',
      (files) => {
        change(files, (m) => (m['base'] = { config: '../../etc/passwd' }));
      },
      /^manifest\.json: base\.config/,
    ],
    [
      'another hidden size',
      (files) => {
        change(files, (m) => (m['hiddenSize'] = 32));
      },
      /^config\.json: hidden_size 16/,
    ],
    [
      'the own LensNet’s variant again',
      changeOther(0, { ...SYNTHETIC_LENS_NET, layers: undefined, window: undefined }),
      /^manifest\.json: otherLensNets\.0\.variant: "dual-cross-attention" is there already/,
    ],
    [
      'another LensNet’s variant again',
      changeOther(1, { ...OTHER_LENS_NETS[0]!.section, iterations: undefined }),
      /^manifest\.json: otherLensNets\.1\.variant: "transformer" is there already/,
    ],
    [
      'another number of lexical features',
      changeOther(0, { lexicalFeatures: 3 }),
      /^manifest\.json: otherLensNets\.0\.lexicalFeatures: must be 5 \(bm25, asked, askedNear, tail, tailNear\)/,
    ],
    [
      'heads that do not divide another LensNet',
      changeOther(1, { heads: 5 }),
      /^manifest\.json: otherLensNets\.1\.heads: must divide otherLensNets\.1\.width/,
    ],
    [
      'heads that do not divide the own LensNet',
      (files) => {
        change(files, (m) => ((m['lensNet'] as Json)['heads'] = 5));
      },
      /^manifest\.json: lensNet\.heads: must divide lensNet\.width/,
    ],
    [
      'another LensNet’s file that is not listed',
      changeOther(0, { weights: 'elsewhere.safetensors' }),
      /^manifest\.json: files\.elsewhere\.safetensors: has no size and SHA-256/,
    ],
  ];

  it.each(cases)('%s', async (_, spoil, message) => {
    const before = memoryReport();
    const files = modelFolder(OTHER_LENS_NETS);
    spoil(files);
    await expect(loadModel(sourceOf(files))).rejects.toThrow(message);
    expect(memoryReport()).toEqual(before);
  });

  it.each(['lensnet.safetensors'])(
    'weights that do not fit in %s, after other networks are on the device',
    async (file) => {
      const before = memoryReport();
      const files = modelFolder(OTHER_LENS_NETS);
      files.set(file, files.get('gistnet.safetensors')!);
      change(files, (m) => {
        const { [file]: changed } = manifestOf(files)['files'] as Json;
        (m['files'] as Json)[file] = changed;
      });
      const loading = loadModel(sourceOf(files));
      await expect(loading).rejects.toThrow(WeightError);
      await expect(loading).rejects.toThrow(file);
      expect(memoryReport()).toEqual(before);
    },
  );

  it('an abort rejects with the signal’s reason', async () => {
    const signal = AbortSignal.abort(new Error('stopped by hand'));
    await expect(loadModel(sourceOf(modelFolder()), { signal })).rejects.toThrow('stopped by hand');
  });
});

describe.each(['the project’s own kernels', 'TensorFlow.js'])(
  'fault 14: memory that runs out while a model is loaded on %s',
  (runner) => {
    const paths = nodeWasmPaths();
    const isOwn = runner !== 'TensorFlow.js';
    const plain = isOwn ? paths.kernels.plain : () => Promise.resolve(new Uint8Array(8));
    beforeAll(() => selectBackend('wasm', { wasmPaths: { ...paths, kernels: { ...paths.kernels, plain } } }));

    /** Load a folder and let the n-th array find no memory. @returns how many were made. */
    async function loadUntil(nth: number): Promise<number> {
      let made = 0;
      const count = (): void => {
        made += 1;
        if (made === nth) throw new RangeError('Array buffer allocation failed');
      };
      const restore = isOwn ? countBlocks(count) : countTensors(count);
      try {
        (await loadModel(sourceOf(modelFolder(OTHER_LENS_NETS)))).dispose();
      } finally {
        restore();
      }
      return made;
    }

    it.each([0.01, 0.3, 0.6, 1])(
      'after %s of its arrays: it is refused, nothing of it is left, and it loads when there is room',
      async (share) => {
        const before = memoryReport();
        const arrays = await loadUntil(Infinity);
        expect(arrays).toBeGreaterThan(20);
        await expect(loadUntil(Math.ceil(share * arrays))).rejects.toThrow('allocation failed');
        expect(memoryReport()).toEqual(before);
        await loadUntil(Infinity);
        expect(memoryReport()).toEqual(before);
      },
    );
  },
);

/** Tells each block that a network asks for under the kernels. @returns what ends that. */
function countBlocks(count: () => void): () => void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its memory below
  const { allocate } = KernelMemory.prototype;
  const allocating = vi.spyOn(KernelMemory.prototype, 'allocate').mockImplementation(function (
    this: KernelMemory,
    bytes,
  ) {
    count();
    return allocate.call(this, bytes);
  });
  return () => {
    allocating.mockRestore();
  };
}

/** The same of each tensor that is written. */
function countTensors(count: () => void): () => void {
  const backend = tf.backend();
  const write = backend.write.bind(backend);
  const writing = vi.spyOn(backend, 'write').mockImplementation((...values) => {
    count();
    return write(...values);
  });
  return () => {
    writing.mockRestore();
  };
}
