/** A file tree in memory, for tests. */
import { type FileAppender, type FileListing, type FileTree, FileTreeError, namesOf } from './file-tree.ts';

export class MemoryFileTree implements FileTree {
  private readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  private readonly beingWritten = new Set<string>();

  /** @param capacityBytes - writing more fails as a full disk does. */
  constructor(private readonly capacityBytes = Infinity) {}

  size(path: string): Promise<number | null> {
    return Promise.resolve(this.files.get(path)?.byteLength ?? null);
  }

  open(path: string): Promise<Blob> {
    const bytes = this.files.get(path);
    if (bytes === undefined) {
      return Promise.reject(new FileTreeError(path, 'missing', 'there is no such file'));
    }
    return Promise.resolve(new Blob([bytes]));
  }

  async openForAppend(path: string, from: number): Promise<FileAppender> {
    namesOf(path);
    if (this.beingWritten.has(path)) throw new FileTreeError(path, 'busy', 'is being written already');
    const before = this.files.get(path) ?? new Uint8Array();
    if (before.byteLength < from) throw new FileTreeError(path, 'failed', `is shorter than ${from} bytes`);
    this.files.set(path, before.slice(0, from));
    this.beingWritten.add(path);
    return Promise.resolve({
      write: (bytes) =>
        Promise.resolve().then(() => {
          this.append(path, bytes);
        }),
      close: () => {
        this.beingWritten.delete(path);
        return Promise.resolve();
      },
    });
  }

  async rename(from: string, to: string): Promise<void> {
    namesOf(to);
    this.files.set(to, new Uint8Array(await (await this.open(from)).arrayBuffer()));
    this.files.delete(from);
  }

  remove(path: string): Promise<void> {
    for (const file of [...this.files.keys()]) {
      if (file === path || file.startsWith(`${path}/`)) this.files.delete(file);
    }
    return Promise.resolve();
  }

  list(folder: string): Promise<readonly FileListing[]> {
    const found = new Map<string, FileListing>();
    const prefix = folder === '' ? '' : `${folder}/`;
    for (const [path, bytes] of this.files) {
      if (!path.startsWith(prefix)) continue;
      const [name, ...rest] = path.slice(prefix.length).split('/');
      const isFolder = rest.length > 0;
      found.set(name!, { name: name!, isFolder, bytes: isFolder ? 0 : bytes.byteLength });
    }
    return Promise.resolve([...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1)));
  }

  private append(path: string, bytes: Uint8Array): void {
    const used = [...this.files.values()].reduce((sum, file) => sum + file.byteLength, 0);
    if (used + bytes.byteLength > this.capacityBytes)
      throw new FileTreeError(path, 'full', 'the disk is full');
    const before = this.files.get(path)!;
    const after = new Uint8Array(before.byteLength + bytes.byteLength);
    after.set(before);
    after.set(bytes, before.byteLength);
    this.files.set(path, after);
  }
}
