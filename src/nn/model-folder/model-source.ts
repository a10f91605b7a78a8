/** Where the files of a model folder come from: a small port that HTTP, disk and caches implement. */
import type { FileBytes } from './file-bytes.ts';

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Bytes of this file received so far. */
  readonly onProgress?: (receivedBytes: number) => void;
}

export interface ModelSource {
  /**
   * The whole content of one file of the folder; owned by the caller.
   *
   * @throws {ModelSourceError} if the file is missing or unreadable; the signal's reason if aborted.
   */
  read(file: string, options?: ReadOptions): Promise<ArrayBuffer>;
  /** A file to be read by pieces; throws as `read` does. The whole file lies in memory where its place can do no better. */
  open(file: string, options?: ReadOptions): Promise<FileBytes>;
}
