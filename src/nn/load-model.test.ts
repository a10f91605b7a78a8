import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from './device.ts';
import { ModelSourceError, WeightError } from './errors.ts';
import { createFetchSource } from './fetch-source.ts';
import { createFileSource } from './file-source.ts';
import { type LoadProgress, loadModel } from './load-model.ts';
import { memoryReport } from './memory-report.ts';
import type { ModelSource } from './model-source.ts';
import {
  SYNTHETIC_GIST_NET,
  SYNTHETIC_LENS_NET,
  syntheticBase,
  syntheticConfig,
  syntheticGistNet,
  syntheticLensNet,
} from './synthetic-weights.ts';
import { nodeWasmPaths } from './wasm-paths-node.ts';

const TINY = join(import.meta.dirname, '../../models/tiny');
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

type Files = Map<string, Uint8Array<ArrayBuffer>>;

function modelFolder(): Files {
  const config = syntheticConfig(RAW_CONFIG);
  const files: Files = new Map([
    ['config.json', json(RAW_CONFIG)],
    ['tokenizer.json', new Uint8Array(readFileSync(join(TINY, 'tokenizer.json')))],
    ['tokenizer_config.json', new Uint8Array(readFileSync(join(TINY, 'tokenizer_config.json')))],
    ['model.safetensors', new Uint8Array(syntheticBase(config).buffer)],
    ['gistnet.safetensors', new Uint8Array(syntheticGistNet(config).buffer)],
    ['lensnet.safetensors', new Uint8Array(syntheticLensNet(config.hiddenSize).buffer)],
  ]);
  files.set('manifest.json', json(manifestOf(files)));
  return files;
}

function json(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

function manifestOf(files: Files): Record<string, unknown> {
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
  return {
    read(file, options) {
      const bytes = files.get(file);
      if (bytes === undefined) return Promise.reject(new ModelSourceError(file, 'missing', 'not there'));
      options?.onProgress?.(bytes.length);
      return Promise.resolve(bytes.slice().buffer);
    },
  };
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
  ];

  function change(files: Files, edit: (manifest: Record<string, unknown>) => void): void {
    const manifest = JSON.parse(new TextDecoder().decode(files.get('manifest.json'))) as Record<
      string,
      unknown
    >;
    edit(manifest);
    files.set('manifest.json', json(manifest));
  }

  it.each(cases)('%s', async (_, spoil, message) => {
    const before = memoryReport();
    const files = modelFolder();
    spoil(files);
    await expect(loadModel(sourceOf(files))).rejects.toThrow(message);
    expect(memoryReport()).toEqual(before);
  });

  it('weights that do not fit, after the base is on the device', async () => {
    const before = memoryReport();
    const files = modelFolder();
    files.set('lensnet.safetensors', files.get('gistnet.safetensors')!);
    files.delete('manifest.json');
    files.set('manifest.json', json(manifestOf(files)));
    await expect(loadModel(sourceOf(files))).rejects.toThrow(WeightError);
    expect(memoryReport()).toEqual(before);
  });

  it('an abort rejects with the signal’s reason', async () => {
    const signal = AbortSignal.abort(new Error('stopped by hand'));
    await expect(loadModel(sourceOf(modelFolder()), { signal })).rejects.toThrow('stopped by hand');
  });
});
