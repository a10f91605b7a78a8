/** Large files in folders: the port that keeps models. */

/** Paths are names joined by `/`, relative to the tree's root; names are plain (`isPlainName`). */
export interface FileTree {
  /** Bytes of a file, or null where there is none. */
  size(path: string): Promise<number | null>;
  /** A file to read from, by pieces if wanted; it is what it was as long as nobody writes it. @throws {FileTreeError} */
  open(path: string): Promise<Blob>;
  /**
   * Open a file for writing from byte `from` on; what stood behind is cut off. Folders are made as needed.
   *
   * @throws {FileTreeError} if the file is shorter than `from`, or another writer has it open.
   */
  openForAppend(path: string, from: number): Promise<FileAppender>;
  /** Atomic: another reader sees the whole file under its new name, or none. Replaces what was there. */
  rename(from: string, to: string): Promise<void>;
  /** A file, or a folder with all that is in it; nothing where there is none. */
  remove(path: string): Promise<void>;
  /** Names in a folder, in order; empty where there is none. */
  list(folder: string): Promise<readonly FileListing[]>;
}

export interface FileListing {
  readonly name: string;
  readonly isFolder: boolean;
  /** 0 for a folder. */
  readonly bytes: number;
}

export interface FileAppender {
  /** What was written is kept even if the writer dies. @throws {FileTreeError} with kind `full` over quota. */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export class FileTreeError extends Error {
  override readonly name = 'FileTreeError';
  constructor(
    readonly path: string,
    readonly kind: 'missing' | 'full' | 'busy' | 'failed',
    what: string,
    options?: ErrorOptions,
  ) {
    super(`${path}: ${what}`, options);
  }
}

/** A name that no platform reads as a way out of its folder. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._@-]{0,199}$/.test(name);
}

/** @throws {FileTreeError} for a path that is not made of plain names. */
export function namesOf(path: string): readonly string[] {
  const names = path.split('/');
  if (names.every(isPlainName)) return names;
  throw new FileTreeError(path, 'failed', 'is not a path of plain names');
}
