/** The port of the journal: small files that are only ever appended to. */

export interface JournalFile {
  readonly sizeBytes: number;
  /** Fill `into` from byte `at` on. @returns how many bytes there were. */
  read(at: number, into: Uint8Array): number;
  /** On return the bytes outlive this process. @throws what the platform says when they do not. */
  append(bytes: Uint8Array): void;
  truncate(sizeBytes: number): void;
  close(): void;
}

export interface JournalFiles {
  /** The sessions that have a journal. */
  list(): Promise<readonly string[]>;
  /** For appending; made if need be. Null while another writer holds it. */
  open(id: string): Promise<JournalFile | null>;
  /** All its bytes. */
  read(id: string): Promise<Uint8Array>;
  /** Nothing happens where there is none. */
  remove(id: string): Promise<void>;
}

/** Journals in memory, for tests. Every store over one such object sees the same files. */
export function createMemoryJournals(): JournalFiles & { readonly files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  return {
    files,
    list: () => Promise.resolve([...files.keys()]),
    read: (id) => Promise.resolve(files.get(id) ?? new Uint8Array(0)),
    remove: (id) => {
      files.delete(id);
      return Promise.resolve();
    },
    open: (id) => {
      const bytes = () => files.get(id) ?? new Uint8Array(0);
      files.set(id, bytes());
      return Promise.resolve({
        get sizeBytes() {
          return bytes().length;
        },
        read: (at, into) => {
          const part = bytes().subarray(at, at + into.length);
          into.set(part);
          return part.length;
        },
        append: (added) => {
          const joined = new Uint8Array(bytes().length + added.length);
          joined.set(bytes());
          joined.set(added, bytes().length);
          files.set(id, joined);
        },
        truncate: (sizeBytes) => {
          files.set(id, bytes().slice(0, sizeBytes));
        },
        close: () => undefined,
      });
    },
  };
}
