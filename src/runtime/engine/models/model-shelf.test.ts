/** Models from a hub, as it answers: looked at, fetched, kept, opened; and what is said where that cannot be. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { selectBackend } from '../../../nn/backend/device.ts';
import { nodeWasmPaths } from '../../../nn/backend/wasm-paths-node.ts';
import { FileTreeError } from '../../../storage/files/file-tree.ts';
import { MemoryFileTree } from '../../../storage/files/memory-file-tree.ts';
import { createPublishedTiny, createTestHub, type TestHub } from '../../testing/test-hub.ts';
import type { ModelFetchProgress } from '../protocol/models.ts';
import { totalOf } from './kept-models.ts';
import { ModelShelf, type ShelfPorts } from './model-shelf.ts';

const files = createPublishedTiny();
let hub: TestHub;
let endpoint: string;
const server = createServer((request, response) => {
  hub.answer(request, response);
});

beforeAll(async () => {
  await selectBackend('wasm', { wasmPaths: nodeWasmPaths() });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  hub = createTestHub(files);
});

function shelfOn(change: Partial<ShelfPorts> = {}, tree = new MemoryFileTree()) {
  const progress: ModelFetchProgress[] = [];
  const shelf = new ModelShelf({
    // Whole files in memory, as Node has no reader that blocks.
    readBlob: () => {
      throw new Error('Not under Node.');
    },
    openTree: () => Promise.resolve(tree),
    estimate: () => Promise.resolve({ usage: 1e6, quota: 1e9 }),
    surroundings: () =>
      Promise.resolve({ backend: 'wasm', deviceMemoryBytes: 8 * 2 ** 30, weightsPerSecond: 1e9 }),
    onProgress: (step) => progress.push(step),
    ...change,
  });
  return { shelf, tree, progress };
}

describe('looking at a model on the hub', () => {
  it('says size, licence, architecture and speed, and fetches nothing but the description', async () => {
    const { shelf, tree } = shelfOn();
    const { check, plan, choices, noRoom } = await shelf.find('org/tiny', `${endpoint}/`, undefined);
    expect(check).toMatchObject({
      name: 'org/tiny',
      licence: 'apache-2.0',
      architecture: expect.stringMatching(/^Llama, \d+ layers of \d+$/) as unknown,
      trainedContextTokens: 512,
      hasHeads: false,
      forecast: { fits: 'yes' },
    });
    expect(check.forecast.tokensPerSecond).toBeGreaterThan(1);
    expect(plan.files.map(({ name }) => name).at(-1)).toBe('model.safetensors');
    expect(check.fileBytes).toBe(plan.files.reduce((sum, { bytes }) => sum + bytes, 0));
    expect([choices.length, noRoom]).toEqual([1, null]);
    expect(hub.asked.map((path) => path.split('/').at(-1))).toEqual(['main?blobs=true', 'config.json']);
    expect(await tree.list('')).toEqual([]);
  });

  it('takes the revision that is asked for', async () => {
    await shelfOn().shelf.find('org/tiny@v2', endpoint, undefined);
    expect(hub.asked[0]).toContain('/revision/v2?');
  });

  it('reads a GGUF file’s header before the file is fetched', async () => {
    const gguf = new Uint8Array(
      readFileSync(join(import.meta.dirname, '../../../../tests/fixtures/gguf/blocks.gguf')),
    );
    hub = createTestHub(new Map([['blocks.Q8_0.gguf', gguf]]));
    const { check, file, choices } = await shelfOn().shelf.find('org/tiny', endpoint, undefined);
    expect(file).toBe('blocks.Q8_0.gguf');
    expect(choices).toEqual([{ file, bytes: gguf.length }]);
    expect(check.architecture).toMatch(/^Llama/);
  });

  it.each<[string, string, () => void, string, string]>([
    ['no address', 'tiny', () => undefined, 'write owner/name', ''],
    ['no repository', 'org/tiny', () => (hub.status = 404), 'no such repository', ''],
    ['a private one', 'org/tiny', () => (hub.status = 401), 'private, or gated', ''],
    ['a gated one', 'org/tiny', () => (hub.gated = 'manual'), 'open the folder from disk', ''],
    ['a broken hub', 'org/tiny', () => (hub.status = 500), 'answered 500', 'set a mirror'],
    [
      'another architecture',
      'org/tiny',
      () => (hub.config = { model_type: 'phi3' }),
      'model_type',
      'Llama-type models run here',
    ],
    [
      'PyTorch files only',
      'org/tiny',
      () => (hub = createTestHub(new Map([['pytorch_model.bin', new Uint8Array(8)]]))),
      'can run code and are not read',
      'Llama-type',
    ],
  ])('says what is wrong with %s, and what would work', async (_, address, spoil, message, tryNext) => {
    spoil();
    const found = shelfOn().shelf.find(address, endpoint, undefined);
    await expect(found).rejects.toMatchObject({
      code: 'bad-model',
      message: expect.stringContaining(message) as unknown,
      tryNext: expect.stringContaining(tryNext) as unknown,
    });
  });

  it('says that there is no room, or no place to keep it', async () => {
    const full = shelfOn({ estimate: () => Promise.resolve({ usage: 999_999_000, quota: 1e9 }) });
    expect((await full.shelf.find('org/tiny', endpoint, undefined)).noRoom).toMatch(/too little/);
    const openTree = () => Promise.reject(new FileTreeError('models', 'failed', 'this browser keeps no files'));
    const without = shelfOn({ openTree }).shelf;
    expect((await without.find('org/tiny', endpoint, undefined)).noRoom).toMatch(/opened from disk/);
    expect((await without.list()).unavailable).toMatch(/keeps no files/);
  });
});

describe('keeping models', () => {
  it('fetches with one progress, lists, and deletes', async () => {
    const { shelf, tree, progress } = shelfOn();
    const { plan } = await shelf.find('org/tiny', endpoint, undefined);
    expect(await shelf.fetch(plan)).toBe('whole');
    expect(progress.at(-1)).toMatchObject({ folder: plan.folder });
    expect(progress.at(-1)!.receivedBytes).toBe(progress.at(-1)!.totalBytes);
    const [kept] = (await shelf.list()).models;
    expect(kept).toMatchObject({ isComplete: true, plan: { origin: `org/tiny@${hub.commit}` } });
    // Every file is known by its hash now, those of which the hub stated none too.
    expect(kept!.plan.files.every(({ sha256 }) => sha256 !== null)).toBe(true);
    const asked = hub.asked.length;
    await shelf.fetch(plan);
    expect(hub.asked).toHaveLength(asked);
    await shelf.remove(plan.folder);
    expect((await shelf.list()).models).toEqual([]);
    expect(await tree.list('')).toEqual([]);
  });

  it('pauses, and goes on where it was', async () => {
    const { shelf } = shelfOn();
    const { plan } = await shelf.find('org/tiny', endpoint, undefined);
    hub.holdsAfter = 50_000;
    const fetching = shelf.fetch(plan);
    await expect(shelf.fetch(plan)).rejects.toMatchObject({ code: 'busy' });
    await hub.whenHeld();
    const small = totalOf(plan) - plan.files.at(-1)!.bytes;
    const received = async () => (await shelf.list()).models[0]!.receivedBytes;
    await expect.poll(received, { timeout: 20_000 }).toBeGreaterThan(small);
    shelf.pause();
    expect(await fetching).toBe('paused');
    expect((await shelf.list()).models[0]).toMatchObject({ isComplete: false });
    await expect(shelf.examine({ kind: 'kept', folder: plan.folder, name: 'x' })).rejects.toMatchObject({
      tryNext: expect.stringContaining('goes on where it stopped') as unknown,
    });
    hub.holdsAfter = null;
    expect(await shelf.fetch(plan)).toBe('whole');
    expect(hub.ranges.some((range) => range !== undefined)).toBe(true);
  });

  it('says that the disk is full, and keeps what fitted', async () => {
    const { shelf } = shelfOn({}, new MemoryFileTree(1_000_000));
    const { plan } = await shelf.find('org/tiny', endpoint, undefined);
    await expect(shelf.fetch(plan)).rejects.toMatchObject({
      tryNext: expect.stringContaining('Delete models') as unknown,
    });
  });

  it('copies files from disk and knows them by their hash', async () => {
    const { shelf } = shelfOn();
    const gguf = new File(['GGUF', new Uint8Array(1000)], 'my model.gguf');
    const plan = await shelf.keep('my model', [gguf]);
    const sha256 = createHash('sha256').update(Buffer.from(await gguf.arrayBuffer())).digest('hex');
    expect(plan).toMatchObject({ origin: null, files: [{ name: 'my-model.gguf', bytes: 1004, sha256, url: null }] });
    expect((await shelf.list()).models).toMatchObject([{ isComplete: true }]);
  });
});
