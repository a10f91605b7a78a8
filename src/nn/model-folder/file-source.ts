/** Reads a model folder from disk under Node. Not for the browser bundle. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelSourceError } from './errors.ts';
import type { ModelSource, ReadOptions } from './model-source.ts';

/** @param folder - path of the folder that holds `manifest.json`. */
export function createFileSource(folder: string): ModelSource {
  const read = async (file: string, { signal, onProgress }: ReadOptions = {}): Promise<ArrayBuffer> => {
    const path = join(folder, file);
    try {
      const content = await readFile(path, { signal });
      onProgress?.(content.byteLength);
      return new Uint8Array(content).buffer;
    } catch (error) {
      signal?.throwIfAborted();
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const what = isMissing ? `there is no such file (${path})` : `cannot be read (${path})`;
      throw new ModelSourceError(file, isMissing ? 'missing' : 'network', what, { cause: error });
    }
  };
  return { read, open: read };
}
