/** Journals in the origin's private file system. Only a worker can append there at once; elsewhere there are none. */
import type { JournalFile, JournalFiles } from './journal-files.ts';

const FOLDER = 'session-journals';
const ENDING = '.journal';

/** What the types of a page leave out: iterating a folder, and what only a worker has. */
type Folder = FileSystemDirectoryHandle & { keys(): AsyncIterable<string> };
type WorkerFile = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccess> };

interface SyncAccess {
  read(into: Uint8Array, options: { readonly at: number }): number;
  write(bytes: Uint8Array, options: { readonly at: number }): number;
  getSize(): number;
  truncate(size: number): void;
  close(): void;
}

/** Null where the platform has no such files, or refuses them (private windows). */
export async function openOpfsJournals(): Promise<JournalFiles | null> {
  const isWorker = 'FileSystemSyncAccessHandle' in globalThis;
  const storage = (globalThis.navigator as Partial<Navigator> | undefined)?.storage;
  if (!isWorker || storage === undefined || !('getDirectory' in storage)) return null;
  try {
    const root = await storage.getDirectory();
    return journalsIn(await root.getDirectoryHandle(FOLDER, { create: true }));
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

function journalsIn(folder: Folder): JournalFiles {
  const nameOf = (id: string) => `${id}${ENDING}`;
  return {
    list: async () => {
      const ids: string[] = [];
      for await (const name of folder.keys()) {
        if (name.endsWith(ENDING)) ids.push(name.slice(0, -ENDING.length));
      }
      return ids;
    },
    read: async (id) => {
      const handle = await folder.getFileHandle(nameOf(id));
      return new Uint8Array(await (await handle.getFile()).arrayBuffer());
    },
    remove: async (id) => {
      try {
        await folder.removeEntry(nameOf(id));
      } catch (error) {
        if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
      }
    },
    open: async (id) => {
      const handle = (await folder.getFileHandle(nameOf(id), { create: true })) as WorkerFile;
      try {
        return journalOf(await handle.createSyncAccessHandle());
      } catch (error) {
        if (error instanceof DOMException && error.name === 'NoModificationAllowedError') return null;
        throw error;
      }
    },
  };
}

function journalOf(access: SyncAccess): JournalFile {
  let sizeBytes = access.getSize();
  return {
    get sizeBytes() {
      return sizeBytes;
    },
    read: (at, into) => access.read(into, { at }),
    append: (bytes) => {
      const written = access.write(bytes, { at: sizeBytes });
      if (written < bytes.length) {
        access.truncate(sizeBytes);
        throw new DOMException('The journal could not be written whole.', 'QuotaExceededError');
      }
      sizeBytes += written;
    },
    truncate: (size) => {
      access.truncate(size);
      sizeBytes = size;
    },
    close: () => {
      access.close();
    },
  };
}
