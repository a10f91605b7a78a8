/** A file tree in the browser's private file system. Writing needs a dedicated worker: only there it is in place. */
import { type FileAppender, type FileListing, type FileTree, FileTreeError, namesOf } from './file-tree.ts';

/** Parts of the interface that TypeScript's library lacks or gives to other places only. */
interface SyncFile {
  getSize(): number;
  truncate(size: number): void;
  write(bytes: Uint8Array, options: { readonly at: number }): number;
  flush(): void;
  close(): void;
}
type OpfsFileHandle = FileSystemFileHandle & {
  createSyncAccessHandle(): Promise<SyncFile>;
  move?(parent: FileSystemDirectoryHandle, name: string): Promise<void>;
};

/** Bytes between two flushes: what a killed worker can lose of a download. */
const FLUSH_EVERY_BYTES = 8 * 2 ** 20;

export class OpfsFileTree implements FileTree {
  private constructor(private readonly root: FileSystemDirectoryHandle) {}

  /**
   * @param folder - below the origin's root.
   * @throws {FileTreeError} where the browser has no private file system, as in some private windows.
   */
  static async in(folder: string): Promise<OpfsFileTree> {
    try {
      const root = await navigator.storage.getDirectory();
      return new OpfsFileTree(await root.getDirectoryHandle(folder, { create: true }));
    } catch (error) {
      throw new FileTreeError(folder, 'failed', 'this browser keeps no files for this page', {
        cause: error,
      });
    }
  }

  async size(path: string): Promise<number | null> {
    return (await (await this.find(path))?.getFile())?.size ?? null;
  }

  async open(path: string): Promise<Blob> {
    const handle = await this.find(path);
    if (handle === null) throw new FileTreeError(path, 'missing', 'there is no such file');
    return handle.getFile();
  }

  async openForAppend(path: string, from: number): Promise<FileAppender> {
    const { folder, name } = await this.locate(path);
    const handle = (await folder.getFileHandle(name, { create: true })) as OpfsFileHandle;
    const file = await this.guarded(path, () => handle.createSyncAccessHandle());
    if (file.getSize() < from) {
      const found = file.getSize();
      file.close();
      throw new FileTreeError(path, 'failed', `has ${found} bytes, fewer than ${from}`);
    }
    file.truncate(from);
    let at = from;
    let flushed = from;
    return {
      write: (bytes) =>
        this.guarded(path, () => {
          at += file.write(bytes, { at });
          if (at - flushed < FLUSH_EVERY_BYTES) return Promise.resolve();
          file.flush();
          flushed = at;
          return Promise.resolve();
        }),
      close: () => {
        file.flush();
        file.close();
        return Promise.resolve();
      },
    };
  }

  async rename(from: string, to: string): Promise<void> {
    const source = (await this.find(from)) as OpfsFileHandle | null;
    if (source === null) throw new FileTreeError(from, 'missing', 'there is no such file');
    const target = await this.locate(to);
    if (source.move !== undefined) {
      await this.guarded(to, () => source.move!(target.folder, target.name));
      return;
    }
    // A writable's content appears as a whole when it is closed.
    const writable = await (
      await target.folder.getFileHandle(target.name, { create: true })
    ).createWritable();
    await this.guarded(to, async () => (await source.getFile()).stream().pipeTo(writable));
    await this.remove(from);
  }

  async remove(path: string): Promise<void> {
    const names = namesOf(path);
    const folder = await this.folder(names.slice(0, -1));
    try {
      await folder?.removeEntry(names.at(-1)!, { recursive: true });
    } catch (error) {
      if (!isMissing(error)) throw this.error(path, error);
    }
  }

  async list(path: string): Promise<readonly FileListing[]> {
    const folder = await this.folder(path === '' ? [] : namesOf(path));
    if (folder === null) return [];
    const found: FileListing[] = [];
    for await (const [name, handle] of folder.entries()) {
      const isFolder = handle.kind === 'directory';
      const bytes = isFolder ? 0 : (await handle.getFile()).size;
      found.push({ name, isFolder, bytes });
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private async find(path: string): Promise<FileSystemFileHandle | null> {
    const names = namesOf(path);
    const folder = await this.folder(names.slice(0, -1));
    try {
      return (await folder?.getFileHandle(names.at(-1)!)) ?? null;
    } catch (error) {
      if (isMissing(error)) return null;
      throw this.error(path, error);
    }
  }

  private async folder(names: readonly string[]): Promise<FileSystemDirectoryHandle | null> {
    let folder = this.root;
    try {
      for (const name of names) folder = await folder.getDirectoryHandle(name);
      return folder;
    } catch (error) {
      if (isMissing(error)) return null;
      throw this.error(names.join('/'), error);
    }
  }

  private async locate(
    path: string,
  ): Promise<{ readonly folder: FileSystemDirectoryHandle; readonly name: string }> {
    const names = namesOf(path);
    let folder = this.root;
    for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name, { create: true });
    return { folder, name: names.at(-1)! };
  }

  private async guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.error(path, error);
    }
  }

  private error(path: string, error: unknown): FileTreeError {
    const name = error instanceof DOMException ? error.name : '';
    const cause = { cause: error };
    if (name === 'QuotaExceededError')
      return new FileTreeError(path, 'full', 'the browser gives no more space', cause);
    if (name === 'NoModificationAllowedError') {
      return new FileTreeError(path, 'busy', 'another tab is writing it', cause);
    }
    return new FileTreeError(path, 'failed', error instanceof Error ? error.message : String(error), cause);
  }
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof DOMException && (error.name === 'NotFoundError' || error.name === 'TypeMismatchError')
  );
}
