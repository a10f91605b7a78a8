/** A store whose sessions are kept a second time in a journal, and come back from there when the browser lost them. */
import type { SessionLocks } from '../locks.ts';
import type { SessionBatch, SessionHandle, SessionId, SessionStore, StoredSession } from '../ports.ts';
import { StorageError } from '../ports.ts';
import type { JournalFile, JournalFiles } from './journal-files.ts';
import { type JournalEntry, cutTorn, decodeEntries, encodeEntry } from './journal-record.ts';

const RESTORED =
  'The browser lost its database; this session came back from its second copy. Its text, chat, marks and steps are whole, its gists are computed again.';

/** Restores what the inner store lacks, then passes everything on, each batch to the journal first. */
export async function withJournal(
  inner: SessionStore,
  files: JournalFiles,
  locks: SessionLocks,
): Promise<SessionStore> {
  const restored = await restoreLost(inner, files, locks);
  const wrap = (handle: SessionHandle) => journaledHandle(handle, files, restored.has(handle.id));
  return {
    kind: inner.kind,
    reason: inner.reason,
    list: () => inner.list(),
    create: async (fields, id) => {
      const handle = await inner.create(fields, id);
      await files.remove(handle.id);
      return wrap(handle);
    },
    open: async (id) => wrap(await inner.open(id)),
    remove: async (id) => {
      await inner.remove(id);
      await files.remove(id);
    },
    readSetting: (name) => inner.readSetting(name),
    writeSetting: (name, value) => inner.writeSetting(name, value),
    estimate: () => inner.estimate(),
    close: () => {
      inner.close();
    },
  };
}

function journaledHandle(inner: SessionHandle, files: JournalFiles, isRestored: boolean): SessionHandle {
  let file: JournalFile | null = null;
  const known = new Set<string>();
  let queue: Promise<unknown> = Promise.resolve();

  /** The journal, with everything in it that is stored so far. Null while a dying writer still holds it. */
  async function journal(): Promise<JournalFile | null> {
    if (file !== null) return file;
    const opened = await files.open(inner.id);
    if (opened === null) return null;
    cutTorn(opened);
    if (opened.sizeBytes === 0) opened.append(encodeEntry(wholeOf(await inner.load()), known));
    return (file = opened);
  }

  async function append(batch: SessionBatch, durability?: 'relaxed' | 'strict'): Promise<void> {
    const entry = entryOf(batch);
    try {
      if (!inner.readOnly) (await journal())?.append(encodeEntry(entry, known));
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      const code = error.name === 'QuotaExceededError' ? 'quota' : 'failed';
      const kept = 'Everything acknowledged before is stored.';
      throw new StorageError(code, 'The second copy of the session could not be written.', kept, {
        cause: error,
      });
    }
    await inner.append(batch, durability);
  }

  return {
    id: inner.id,
    readOnly: inner.readOnly,
    load: async (options) => {
      const stored = await inner.load(options);
      return isRestored ? { ...stored, damage: [RESTORED, ...stored.damage] } : stored;
    },
    readGists: (run) => inner.readGists(run),
    readEvents: (first, count) => inner.readEvents(first, count),
    readCold: (run) => inner.readCold(run),
    append: (batch, durability) => {
      const result = queue.then(() => append(batch, durability));
      queue = result.catch(() => undefined);
      return result;
    },
    close: async () => {
      await queue;
      file?.close();
      file = null;
      await inner.close();
    },
  };
}

function entryOf(full: SessionBatch): JournalEntry {
  const { tokens, provenance, events, chat, marks, pruned, restored, patch, pending } = full;
  return {
    batch: {
      ...(tokens && { tokens }),
      ...(provenance && { provenance }),
      ...(events && { events }),
      ...(chat && { chat }),
      ...(marks && { marks }),
      ...(pruned && { pruned }),
      ...(restored && { restored }),
      ...(patch && { patch }),
    },
    ...(pending && { pending }),
  };
}

/** A session as the first record of its journal. */
function wholeOf(stored: StoredSession): JournalEntry {
  const { record, tokens, provenance, events, chat, marks, cold, pending } = stored;
  const { title, createdAt, modelId, modelHash, config, stepCount, tags, deletedAt } = record;
  return {
    created: { title, createdAt, modelId, modelHash, config },
    batch: {
      ...(tokens.length > 0 && { tokens: { start: 0, ids: tokens } }),
      provenance,
      events,
      chat,
      marks,
      pruned: cold,
      patch: { stepCount, ...(tags && { tags }), ...(deletedAt != null && { deletedAt }) },
    },
    pending,
  };
}

/** Sessions that have a journal and are in the store no more, stored again under their ids. */
async function restoreLost(
  inner: SessionStore,
  files: JournalFiles,
  locks: SessionLocks,
): Promise<ReadonlySet<SessionId>> {
  const restored = new Set<SessionId>();
  // One tab restores; another that starts at the same moment finds the sessions stored.
  const release = await locks.tryAcquire('session-journals');
  if (release === null) return restored;
  try {
    const stored = new Set<string>((await inner.list()).map(({ id }) => id));
    for (const id of await files.list()) {
      if (stored.has(id)) continue;
      const entries = decodeEntries(await files.read(id));
      if (await restore(inner, id as SessionId, entries)) restored.add(id as SessionId);
    }
  } finally {
    release();
  }
  return restored;
}

async function restore(
  inner: SessionStore,
  id: SessionId,
  entries: readonly JournalEntry[],
): Promise<boolean> {
  const created = entries[0]?.created;
  if (created === undefined) return false;
  const handle = await inner.create(created, id);
  for (const { batch, pending } of withoutSuperseded(entries)) {
    await handle.append({ ...batch, ...(pending && { pending }) });
  }
  await handle.close();
  return true;
}

/** A batch that was refused after it was noted here was followed by another from the same token on. */
function withoutSuperseded(entries: readonly JournalEntry[]): JournalEntry[] {
  const kept: JournalEntry[] = [];
  let nextStart = Infinity;
  for (const entry of entries.toReversed()) {
    const { tokens } = entry.batch;
    if (tokens === undefined || tokens.start + tokens.ids.length <= nextStart) kept.push(entry);
    else if (tokens.start < nextStart) {
      const ids = tokens.ids.subarray(0, nextStart - tokens.start);
      kept.push({ ...entry, batch: { ...entry.batch, tokens: { start: tokens.start, ids } } });
    }
    if (tokens !== undefined) nextStart = Math.min(nextStart, tokens.start);
  }
  return kept.reverse();
}
