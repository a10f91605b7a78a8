/** What a set of files is, is decided by content; what it lacks is said by name. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend/device.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';
import { createBlobSource } from '../model-folder/blob-source.ts';
import { createFileSource } from '../model-folder/file-source.ts';
import { createBareModel } from './bare-model.ts';
import type { LoadProgress } from '../model-folder/verified-files.ts';
import { readModelFiles } from './model-files.ts';
import { hashOfWeights } from './published-base.ts';

const TINY = join(import.meta.dirname, '../../../models/tiny');
const PUBLISHED = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];

/** The shipped base as its own makers might publish it: the same files without our manifest and heads. */
function tinyFiles(): Map<string, Uint8Array<ArrayBuffer>> {
  const files = new Map(PUBLISHED.map((name) => [name, new Uint8Array(readFileSync(join(TINY, name)))]));
  const config = JSON.parse(new TextDecoder().decode(files.get('config.json'))) as object;
  const published = JSON.stringify({ ...config, max_position_embeddings: 512 });
  return files.set('config.json', new TextEncoder().encode(published));
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A source over blobs as a worker reads them; `sizes` are the pieces that were asked for. */
function blobSource(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) {
  const sizes: number[] = [];
  const contents = new Map<Blob, Uint8Array<ArrayBuffer>>();
  class KnownBlob extends Blob {
    constructor(private readonly content: Uint8Array<ArrayBuffer>) {
      super([content]);
    }
    override slice(start?: number, end?: number): Blob {
      const piece = new KnownBlob(this.content.slice(start, end));
      contents.set(piece, this.content.slice(start, end));
      return piece;
    }
  }
  const blobs = new Map([...files].map(([name, bytes]) => [name, new KnownBlob(bytes)]));
  const source = createBlobSource(blobs, (blob) => {
    sizes.push(blob.size);
    return contents.get(blob)!.buffer;
  });
  return { source, sizes };
}

beforeAll(() => selectBackend('wasm', { wasmPaths: nodeWasmPaths() }));

describe('readModelFiles', () => {
  it('reads a folder in Hugging Face’s layout by pieces, no larger than its largest tensor', async () => {
    const files = tinyFiles();
    const { source, sizes } = blobSource(files);
    const published = (await readModelFiles(source, [...files.keys()], 'Tiny'))!;
    expect(published).toMatchObject({ name: 'Tiny', licence: null });
    const ofWeights = sha256(files.get('model.safetensors')!);
    expect(await hashOfWeights(published)).toBe(sha256(new TextEncoder().encode(ofWeights)));
    const headerPieces = sizes.length;
    const progress: LoadProgress[] = [];
    const hashes = new Map([['model.safetensors', 'ab'.repeat(32)]]);
    const model = await createBareModel(published, {
      knownHashes: hashes,
      onProgress: (step) => progress.push(step),
    });
    expect(model).toMatchObject({ id: 'tiny', lensNet: null, manifest: { licence: 'not stated' } });
    const largest = Math.max(...sizes.slice(headerPieces));
    expect(largest).toBeLessThan(files.get('model.safetensors')!.length / 2);
    const shares = progress.map(({ receivedBytes, totalBytes }) => receivedBytes / totalBytes);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
    model.dispose();
  });

  it('leaves a folder with a manifest to its own loader', async () => {
    expect(await readModelFiles(createFileSource(TINY), ['manifest.json'], 'Tiny')).toBeNull();
  });

  it.each<[string, readonly string[], string]>([
    ['weights alone', ['model.safetensors'], 'choose the whole folder'],
    ['PyTorch files', ['config.json', 'pytorch_model.bin'], 'can run code and are not read'],
    ['heads alone', ['heads.json', 'gistnet.safetensors'], 'holds heads and no base'],
    ['something else', ['notes.txt'], 'is no model: a GGUF file, or a folder with config.json'],
  ])('says what is wrong with %s', async (_, names, message) => {
    const { source } = blobSource(new Map(names.map((name) => [name, new Uint8Array(64)])));
    await expect(readModelFiles(source, names, 'Chosen')).rejects.toThrow(message);
  });

  it('knows GGUF files by content, and asks for one of several', async () => {
    const gguf = new TextEncoder().encode('GGUF and nothing that fits');
    const one = blobSource(new Map([['weights.txt', gguf]]));
    await expect(readModelFiles(one.source, ['weights.txt'], 'Chosen')).rejects.toThrow('GGUF version');
    const names = ['a.gguf', 'b.gguf'];
    const two = blobSource(new Map(names.map((name) => [name, gguf])));
    await expect(readModelFiles(two.source, names, 'Chosen')).rejects.toThrow('holds 2 GGUF files');
  });

  it('says that a file is gone since it was chosen', async () => {
    const source = createBlobSource(new Map([['a.gguf', new Blob(['GGUF'])]]), () => {
      throw new DOMException('gone', 'NotFoundError');
    });
    await expect(readModelFiles(source, ['a.gguf'], 'Chosen')).rejects.toThrow('Choose it again');
  });
});
