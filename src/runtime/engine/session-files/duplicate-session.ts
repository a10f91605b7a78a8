/** A stored session once more, under a name and an id of its own. */
import type { SessionId, SessionStore } from '../../../storage/ports.ts';
import { readLensRecord, writeLensRecord } from '../../lens-training/kept-lens.ts';
import type { Transfer } from './export-session.ts';
import { sessionBatches } from './session-batches.ts';

/**
 * Copy all that is stored of a session, its own LensNet too. All of it is stored, or nothing.
 *
 * @throws {StorageError}; the signal's reason.
 * @returns the copy's id; it is closed.
 */
export async function duplicateSession(
  id: SessionId,
  title: string,
  store: SessionStore,
  { onProgress, signal }: Transfer,
): Promise<SessionId> {
  const source = await store.open(id);
  const stored = await source.load({ whole: true }).finally(() => source.close());
  const { createdAt, modelId, modelHash, config, stepCount, tags = [] } = stored.record;
  const copy = await store.create({ title, createdAt, modelId, modelHash, config });
  try {
    const batches = [...sessionBatches({ ...stored, patch: { stepCount, tags } })];
    for (const [done, batch] of batches.entries()) {
      signal.throwIfAborted();
      await copy.append(batch);
      onProgress(done + 1, batches.length);
    }
    await writeLensRecord(store, copy.id, await readLensRecord(store, id));
  } catch (error) {
    await copy.close();
    await store.remove(copy.id);
    throw error;
  }
  await copy.close();
  return copy.id;
}
