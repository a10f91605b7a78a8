/** Reads a model from files that the browser holds: picked, dropped, or kept. Weights are read by pieces. */
import { ModelSourceError } from './errors.ts';
import type { FileBytes } from './file-bytes.ts';
import type { ModelSource } from './model-source.ts';

/** Reads a blob at once; browsers offer that in workers only (`FileReaderSync`). */
export type ReadBlob = (blob: Blob) => ArrayBuffer;

/** @param files - by the names that they have in the model's folder. */
export function createBlobSource(files: ReadonlyMap<string, Blob>, readBlob: ReadBlob): ModelSource {
  const find = (file: string): Blob => {
    const blob = files.get(file);
    if (blob === undefined) throw new ModelSourceError(file, 'missing', 'is not among the files');
    return blob;
  };
  return {
    async read(file, { signal, onProgress } = {}) {
      const blob = find(file);
      try {
        const buffer = await blob.arrayBuffer();
        onProgress?.(buffer.byteLength);
        return buffer;
      } catch (error) {
        signal?.throwIfAborted();
        throw unreadable(file, error);
      }
    },
    open: (file) => Promise.resolve().then(() => new BlobBytes(file, find(file), readBlob)),
  };
}

class BlobBytes implements FileBytes {
  constructor(
    private readonly file: string,
    private readonly blob: Blob,
    private readonly readBlob: ReadBlob,
  ) {}

  get byteLength(): number {
    return this.blob.size;
  }

  slice(start: number, end?: number): ArrayBuffer {
    try {
      return this.readBlob(this.blob.slice(start, end));
    } catch (error) {
      throw unreadable(this.file, error);
    }
  }
}

function unreadable(file: string, error: unknown): ModelSourceError {
  const what =
    'cannot be read any more: it was moved, changed or deleted since it was chosen. Choose it again';
  return new ModelSourceError(file, 'missing', what, { cause: error });
}
