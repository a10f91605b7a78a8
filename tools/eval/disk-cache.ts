/** Keeps on disk what evaluated histories cost to read: their gists, and the base's keys over them. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyCache } from '../../src/runtime/evaluation/memory/history-keys.ts';
import type { GistCache } from '../../src/runtime/evaluation/memory/history-memory.ts';

export function gistCacheIn(folder: string): GistCache {
  return cacheIn(folder, 'gists', (bytes) => new Uint16Array(bytes), Uint16Array.BYTES_PER_ELEMENT);
}

export function keyCacheIn(folder: string): KeyCache {
  return cacheIn(folder, 'keys', (bytes) => new Float32Array(bytes), Float32Array.BYTES_PER_ELEMENT);
}

/** One file a history. A file that cannot be read is as good as none. */
function cacheIn<T extends Uint16Array | Float32Array>(
  folder: string,
  ending: string,
  valuesOf: (bytes: ArrayBuffer) => T,
  bytesEach: number,
): { load(key: string): Promise<T | null>; save(key: string, values: T): Promise<void> } {
  const pathOf = (key: string): string => join(folder, `${key}.${ending}`);
  return {
    load: (key) => {
      const path = pathOf(key);
      if (!existsSync(path)) return Promise.resolve(null);
      const bytes = new Uint8Array(readFileSync(path));
      return Promise.resolve(bytes.length % bytesEach === 0 ? valuesOf(bytes.buffer) : null);
    },
    save: (key, values) => {
      mkdirSync(folder, { recursive: true });
      // Several processes may make the same history: a rename is whole or not at all.
      const part = `${pathOf(key)}.${process.pid}`;
      writeFileSync(part, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      renameSync(part, pathOf(key));
      return Promise.resolve();
    },
  };
}
