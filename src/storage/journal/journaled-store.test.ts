/** Sessions come back from their journal when the store lost them, whatever the last writer left behind. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../core/trace/config.ts';
import { createProcessLocks } from '../locks.ts';
import { createMemoryStore } from '../memory/memory-store.ts';
import type { SessionBatch, SessionStore, StoredSession } from '../ports.ts';
import { createMemoryJournals } from './journal-files.ts';
import { withJournal } from './journaled-store.ts';

const FIELDS = { title: 'Walk', createdAt: 1, modelId: 'tiny', modelHash: 'abc', config: DEFAULT_RUN_CONFIG };

const tokensFrom = (start: number, count: number): SessionBatch => ({
  tokens: { start, ids: Uint32Array.from({ length: count }, (_, index) => start + index) },
  provenance: [
    { start, end: start + count, role: 'document', documentId: 'd', title: 'Log', wallClockMs: 1 },
  ],
  events: [
    { type: 'ingest', step: 0, timeMs: start, start, end: start + count, role: 'document', documentId: 'd' },
  ],
});

const withoutTime = ({ record, ...rest }: StoredSession) => ({
  ...rest,
  record: { ...record, updatedAt: 0 },
});

async function written(journals = createMemoryJournals()) {
  const store = await withJournal(createMemoryStore(), journals, createProcessLocks());
  const handle = await store.create(FIELDS);
  await handle.append(tokensFrom(0, 40));
  await handle.append({
    chat: [{ id: 'm', role: 'user', text: 'Where?', start: 3, end: 9, createdAt: 3, ending: 'complete' }],
    marks: [{ lod: 1, start: 0, end: 32, kind: 'pin' }],
    pending: [{ documentId: 'w', title: 'Next', role: 'document', ids: Uint32Array.of(7, 8), ingested: 0 }],
  });
  await handle.append({
    ...tokensFrom(40, 5),
    pending: [{ documentId: 'w', title: 'Next', role: 'document', ids: Uint32Array.of(7, 8), ingested: 1 }],
    patch: { title: 'Long walk', stepCount: 4 },
  });
  return { journals, store, handle, stored: await handle.load() };
}

async function reopened(journals: ReturnType<typeof createMemoryJournals>): Promise<SessionStore> {
  return withJournal(createMemoryStore(), journals, createProcessLocks());
}

it('gives a lost session back under its id, and says what happened', async () => {
  const { journals, handle, stored } = await written();
  const store = await reopened(journals);
  const found = await (await store.open(handle.id)).load();
  expect(found.damage).toEqual([expect.stringContaining('came back from its second copy')]);
  expect(withoutTime({ ...found, damage: [] })).toEqual(withoutTime(stored));
});

it('leaves what is stored alone, and a deleted session deleted', async () => {
  const { journals, store, handle } = await written();
  await handle.close();
  await store.remove(handle.id);
  expect(await (await reopened(journals)).list()).toEqual([]);
});

it('copies a session that was stored before there were journals, at its next batch', async () => {
  const inner = createMemoryStore();
  const old = await inner.create(FIELDS);
  await old.append({ ...tokensFrom(0, 33), patch: { tags: ['prose'], deletedAt: 5 } });
  await old.close();
  const journals = createMemoryJournals();
  const store = await withJournal(inner, journals, createProcessLocks());
  await (await store.open(old.id)).append(tokensFrom(33, 2));
  const found = await (await (await reopened(journals)).open(old.id)).load();
  expect(found.tokens).toEqual(Uint32Array.from({ length: 35 }, (_, index) => index));
  expect(found.record).toMatchObject({ tags: ['prose'], deletedAt: 5 });
});

it('keeps the last word where a batch was refused after it was noted', async () => {
  const { journals, handle } = await written();
  await expect(handle.append(tokensFrom(50, 4))).rejects.toMatchObject({ code: 'failed' });
  await handle.append(tokensFrom(45, 6));
  const found = await (await (await reopened(journals)).open(handle.id)).load();
  expect(found.tokens).toEqual(Uint32Array.from({ length: 51 }, (_, index) => index));
});

it('cut anywhere keeps a prefix of whole batches, and can be gone on with', async () => {
  const { journals, handle } = await written();
  const whole = journals.files.get(handle.id)!;
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length), async (cut) => {
      const torn = createMemoryJournals();
      torn.files.set(handle.id, whole.slice(0, cut));
      const store = await reopened(torn);
      const [record] = await store.list();
      if (record === undefined) return;
      expect([0, 40, 45]).toContain(record.tokenCount);
      await (await store.open(record.id)).append(tokensFrom(record.tokenCount, 3));
      const again = await (await (await reopened(torn)).open(record.id)).load();
      expect(again.tokens).toEqual(Uint32Array.from({ length: record.tokenCount + 3 }, (_, i) => i));
    }),
    { seed: 9, numRuns: 60 },
  );
});
