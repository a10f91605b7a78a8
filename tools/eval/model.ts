/** Loads a model of the repository under Node, and keeps the gists of evaluated histories on disk. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectBackend } from '../../src/nn/backend/device.ts';
import { createFileSource } from '../../src/nn/model-folder/file-source.ts';
import { loadModel } from '../../src/nn/loader/load-model.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { nodeWasmPaths } from '../../src/nn/backend/wasm-paths-node.ts';
import type { GistCache } from '../../src/runtime/evaluation/memory/history-memory.ts';
import { OptionError } from '../command-line.ts';

export const root = join(import.meta.dirname, '../..');

/** @throws {OptionError} if there is no such model. */
export async function openModel(id: string, backend: 'wasm' | 'cpu'): Promise<LoadedModel> {
  const folder = join(root, 'models', id);
  if (!existsSync(join(folder, 'manifest.json'))) {
    throw new OptionError(`There is no model "${id}" (${join(folder, 'manifest.json')}).`);
  }
  await selectBackend(backend, { wasmPaths: nodeWasmPaths() });
  return loadModel(createFileSource(folder));
}

/** One file a history. A file that cannot be read is as good as none. */
export function gistCacheIn(folder: string): GistCache {
  const pathOf = (key: string): string => join(folder, `${key}.gists`);
  return {
    load: (key) => {
      const path = pathOf(key);
      if (!existsSync(path)) return Promise.resolve(null);
      const bytes = new Uint8Array(readFileSync(path));
      return Promise.resolve(bytes.length % 2 === 0 ? new Uint16Array(bytes.buffer) : null);
    },
    save: (key, bits) => {
      mkdirSync(folder, { recursive: true });
      // Several processes may make the same history: a rename is whole or not at all.
      const part = `${pathOf(key)}.${process.pid}`;
      writeFileSync(part, new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength));
      renameSync(part, pathOf(key));
      return Promise.resolve();
    },
  };
}
