/** Sessions that were deleted stay for a while, so that it can be undone. */
import { type SessionId, StorageError, type SessionStore } from '../../storage/ports.ts';
import { writeLensRecord } from '../lens-training/kept-lens.ts';

const DAY_MS = 86_400_000;
/** How long a deleted session can be taken back. */
const KEPT_DAYS = 7;

/** Remove a session with all that belongs to it. @throws {StorageError} */
export async function removeForGood(store: SessionStore, id: SessionId): Promise<void> {
  await store.remove(id);
  await writeLensRecord(store, id, null);
}

/** Remove for good what was deleted long ago. One that another tab has open stays until the next time. */
export async function removeLongDeleted(store: SessionStore, nowMs: number): Promise<void> {
  for (const { id, deletedAt } of await store.list()) {
    if (deletedAt == null || nowMs - deletedAt < KEPT_DAYS * DAY_MS) continue;
    try {
      await removeForGood(store, id);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  }
}
