/** Keeps the gists of evaluated histories on disk. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GistCache } from '../../src/runtime/evaluation/memory/history-memory.ts';

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
