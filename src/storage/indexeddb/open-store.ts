/** Chooses where sessions live: IndexedDB where it works, otherwise memory with the reason in words. */
import { createIndexedDbStore } from './indexeddb-store.ts';
import { defaultLocks } from '../locks.ts';
import type { SessionLocks } from '../locks.ts';
import type { JournalFiles } from '../journal/journal-files.ts';
import { withJournal } from '../journal/journaled-store.ts';
import { openOpfsJournals } from '../journal/opfs-journal.ts';
import { createMemoryStore } from '../memory/memory-store.ts';
import { StorageError } from '../ports.ts';
import type { SessionStore } from '../ports.ts';

export interface OpenStoreOptions {
  /** The browser's own by default; null to do without. */
  readonly indexedDB?: IDBFactory | null;
  readonly locks?: SessionLocks;
  /** The second copies; the browser's own by default, where it has them. Null to do without. */
  readonly journals?: JournalFiles | null;
  /** Told when another tab's upgrade took the storage away; every later call fails with `closed`. */
  readonly onLost?: (error: StorageError) => void;
}

/** Never rejects for want of storage: the store's `kind` and `reason` say what it is and why. */
export async function openSessionStore(options: OpenStoreOptions = {}): Promise<SessionStore> {
  const { locks = defaultLocks(), onLost } = options;
  try {
    const factory = options.indexedDB === undefined ? platformFactory() : options.indexedDB;
    if (factory === null)
      return inMemory('This browser offers no storage to this page (private window or blocked site data).');
    const store = await createIndexedDbStore({ factory, locks, ...(onLost && { onLost }) });
    const journals = options.journals === undefined ? await openOpfsJournals() : options.journals;
    return journals === null ? store : await withJournal(store, journals, locks);
  } catch (error) {
    if (error instanceof StorageError) return inMemory(error.message);
    throw error;
  }
}

function platformFactory(): IDBFactory | null {
  try {
    return (globalThis as { indexedDB?: IDBFactory | null }).indexedDB ?? null;
  } catch {
    // Some browsers throw on the mere mention when site data is blocked.
    return null;
  }
}

function inMemory(reason: string): SessionStore {
  return createMemoryStore({ reason: `${reason} Sessions are kept in memory and end with this page.` });
}
