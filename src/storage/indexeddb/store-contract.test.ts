/** What every SessionStore promises, run against memory and IndexedDB alike. */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../core/trace/config.ts';
import type { TelemetryEvent } from '../../core/trace/telemetry.ts';
import { createIndexedDbStore } from './indexeddb-store.ts';
import { createProcessLocks } from '../locks.ts';
import { createMemoryStore } from '../memory/memory-store.ts';
import type { ProvenanceRun, SessionBatch, SessionId, SessionStore } from '../ports.ts';

const FIELDS = {
  title: 'A walk',
  createdAt: 5,
  modelId: 'tiny',
  modelHash: 'abc',
  config: DEFAULT_RUN_CONFIG,
};

const stores: [string, (now: () => number) => Promise<SessionStore>][] = [
  ['memory', (now) => Promise.resolve(createMemoryStore({ now }))],
  [
    'indexeddb',
    (now) => createIndexedDbStore({ factory: new IDBFactory(), locks: createProcessLocks(), now }),
  ],
];

const ids = (start: number, count: number) =>
  Uint32Array.from({ length: count }, (_, index) => (start + index) * 7 + 1);
const vectors = (first: number, count: number, hiddenSize = 4) =>
  Uint16Array.from({ length: count * hiddenSize }, (_, index) => (first * hiddenSize + index) & 0xffff);
const gists = (level: number, firstIndex: number, count: number, hiddenSize = 4) => ({
  level,
  firstIndex,
  hiddenSize,
  values: vectors(firstIndex, count, hiddenSize),
});
/** Faster than toEqual on long arrays. */
const same = (a: Uint32Array | Uint16Array, b: Uint32Array | Uint16Array) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
const decode = (step: number): TelemetryEvent => ({
  type: 'decode',
  head: 0,
  step,
  timeMs: step,
  tokenId: step,
  index: step,
  text: 'é\n"',
  logProbability: -1,
  entropy: 2,
});
const run = (start: number, end: number, documentId = 'a'): ProvenanceRun => ({
  start,
  end,
  role: 'document',
  documentId,
  title: documentId,
  wallClockMs: start,
});

describe.each(stores)('%s', (_, make) => {
  let time = 100;
  const open = () => make(() => (time += 1));

  test('a new session is empty, listed and writable', async () => {
    const store = await open();
    const handle = await store.create(FIELDS);
    expect(handle.readOnly).toBe(false);
    const stored = await handle.load();
    expect(stored).toMatchObject({
      record: { ...FIELDS, id: handle.id, tokenCount: 0, stepCount: 0 },
      provenance: [],
      gists: [],
      events: [],
      chat: [],
      marks: [],
      cold: [],
      pending: [],
      damage: [],
    });
    expect(stored.tokens).toEqual(new Uint32Array(0));
    expect(await store.list()).toEqual([stored.record]);
  });

  test('a batch of everything comes back as it went in', async () => {
    const store = await open();
    const handle = await store.create(FIELDS);
    const message = {
      id: 'm',
      role: 'user',
      text: 'hello',
      start: 0,
      end: 3,
      createdAt: 1,
      ending: 'complete',
    } as const;
    const pending = {
      documentId: 'd',
      title: 'Doc',
      role: 'document',
      ids: ids(0, 50),
      ingested: 0,
    } as const;
    const batch = {
      tokens: { start: 0, ids: ids(0, 70) },
      provenance: [run(0, 70)],
      gists: [gists(1, 0, 2), gists(2, 0, 1)],
      events: [decode(0), decode(1)],
      chat: [message],
      marks: [{ lod: 1, start: 0, end: 32, kind: 'pin' }],
      patch: { title: 'Renamed', stepCount: 2 },
      pending: [pending],
    } satisfies SessionBatch;
    await handle.append(batch, 'strict');
    await handle.close();
    const stored = await (await store.open(handle.id)).load();
    expect(stored.record).toMatchObject({ title: 'Renamed', stepCount: 2, tokenCount: 70 });
    expect(stored.tokens).toEqual(batch.tokens.ids);
    expect(stored.gists).toEqual([
      { level: 1, hiddenSize: 4, values: vectors(0, 2) },
      { level: 2, hiddenSize: 4, values: vectors(0, 1) },
    ]);
    expect(stored.provenance).toEqual(batch.provenance);
    expect(stored.events).toEqual(batch.events);
    expect(stored.chat).toEqual([message]);
    expect(stored.marks).toEqual(batch.marks);
    expect(stored.pending).toEqual([pending]);
    expect(stored.damage).toEqual([]);
  });

  test('pruned gists leave their places, and come back as they were', async () => {
    const store = await open();
    const handle = await store.create(FIELDS);
    await handle.append({
      tokens: { start: 0, ids: ids(0, 3200) },
      gists: [gists(1, 0, 100), gists(2, 0, 3)],
    });
    const run = { lod: 1, first: 30, count: 40 };
    await handle.append({ pruned: [{ lod: 0, first: 5, count: 60 }, run] });
    const level = async (whole: boolean) => (await handle.load({ whole })).gists[0]!.values;
    const pruned = await handle.load();
    expect(pruned.cold).toEqual([{ lod: 0, first: 5, count: 60 }, run]);
    expect(pruned.damage).toEqual([]);
    expect(pruned.tokens).toEqual(ids(0, 3200));
    const zeroed = vectors(0, 100).fill(0, 30 * 4, 70 * 4);
    expect(await level(false)).toEqual(zeroed);
    expect(await level(true)).toEqual(vectors(0, 100));
    expect(await handle.readCold({ lod: 1, first: 40, count: 5 })).toEqual(vectors(40, 5));
    // The history goes on behind what is cold, and a part comes back.
    await handle.append({ tokens: { start: 3200, ids: ids(3200, 64) }, gists: [gists(1, 100, 2)] });
    await handle.append({ restored: [{ lod: 1, first: 50, count: 5 }] });
    const after = await handle.load();
    expect(after.cold).toEqual([
      { lod: 0, first: 5, count: 60 },
      { lod: 1, first: 30, count: 20 },
      { lod: 1, first: 55, count: 15 },
    ]);
    expect(after.gists[0]!.values.subarray(50 * 4, 55 * 4)).toEqual(vectors(50, 5));
    expect(after.damage).toEqual([]);
    await handle.append({ restored: after.cold });
    const back = await handle.load();
    expect([back.cold, back.damage]).toEqual([[], []]);
    expect(back.gists[0]!.values).toEqual(vectors(0, 102));
  });

  test('any split into batches gives the same session', async () => {
    const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40_000 })), {
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(lengths, async (counts) => {
        const handle = await (await open()).create(FIELDS);
        let at = 0;
        for (const [step, count] of counts.entries()) {
          const tokens = { start: at, ids: ids(at, count) };
          await handle.append({ tokens, gists: [gists(1, at, count)], events: [decode(step)] });
          at += count;
        }
        const stored = await handle.load();
        expect(stored.damage).toEqual([]);
        expect(same(stored.tokens, ids(0, at))).toBe(true);
        expect(stored.gists[0]?.values.length ?? 0).toBe(at * 4);
        if (at > 0) expect(same(stored.gists[0]!.values, vectors(0, at))).toBe(true);
        expect(stored.events).toEqual(counts.map((_, step) => decode(step)));
      }),
      { numRuns: 15 },
    );
  });

  test('a batch that would tear a hole is refused whole', async () => {
    const handle = await (await open()).create(FIELDS);
    await handle.append({ tokens: { start: 0, ids: ids(0, 10) }, gists: [gists(1, 0, 1)] });
    const before = await handle.load();
    const wrong: SessionBatch[] = [
      { events: [decode(0)], tokens: { start: 11, ids: ids(11, 1) } },
      { events: [decode(0)], tokens: { start: 9, ids: ids(9, 5) } },
      { events: [decode(0)], gists: [gists(1, 2, 1)] },
      { events: [decode(0)], gists: [gists(0, 0, 1)] },
      { events: [decode(0)], gists: [gists(5, 0, 1)] },
      { events: [decode(0)], gists: [gists(2, 0, 1, 8)] },
      { events: [decode(0)], gists: [{ ...gists(1, 1, 1), values: new Uint16Array(5) }] },
      { events: [decode(0)], provenance: [run(4, 4)] },
    ];
    for (const batch of wrong) {
      await expect(handle.append(batch)).rejects.toMatchObject({ name: 'StorageError', code: 'failed' });
    }
    expect(await handle.load()).toEqual(before);
  });

  test('appends that were not waited for are stored in order; the first refusal stops what builds on it', async () => {
    const handle = await (await open()).create(FIELDS);
    const results = await Promise.allSettled([
      handle.append({ tokens: { start: 0, ids: ids(0, 5) } }),
      handle.append({ tokens: { start: 6, ids: ids(6, 5) } }),
      handle.append({ tokens: { start: 11, ids: ids(11, 5) } }),
      handle.append({ tokens: { start: 5, ids: ids(5, 5) } }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect((await handle.load()).tokens).toEqual(ids(0, 10));
  });

  test('gists from a smaller index on replace what followed', async () => {
    const handle = await (await open()).create(FIELDS);
    await handle.append({ gists: [gists(1, 0, 100)] });
    const rebuilt = { ...gists(1, 40, 3), values: new Uint16Array(12).fill(9) };
    await handle.append({ gists: [rebuilt] });
    const [stored] = (await handle.load()).gists;
    expect(stored!.values).toEqual(Uint16Array.from([...vectors(0, 40), ...rebuilt.values]));
  });

  test('provenance that goes on is one run', async () => {
    const handle = await (await open()).create(FIELDS);
    await handle.append({ provenance: [run(0, 32), run(32, 64)] });
    await handle.append({ provenance: [run(32, 70), run(70, 80, 'b'), run(80, 90)] });
    const stored = await handle.load();
    expect(stored.provenance.map(({ start, end }) => [start, end])).toEqual([
      [0, 70],
      [70, 80],
      [80, 90],
    ]);
  });

  test('chat messages change in place and are read in order of the history; marks are replaced', async () => {
    const handle = await (await open()).create(FIELDS);
    const answer = {
      id: 'a',
      role: 'assistant',
      text: 'b',
      start: 9,
      end: 9,
      createdAt: 2,
      ending: 'stopped',
    } as const;
    await handle.append({ chat: [answer], marks: [{ lod: 1, start: 0, end: 32, kind: 'pin' }] });
    const question = { ...answer, id: 'z', role: 'user', start: 0, end: 9, createdAt: 3 } as const;
    await handle.append({ chat: [{ ...answer, end: 12 }, question], marks: [] });
    const stored = await handle.load();
    expect(stored.chat).toEqual([question, { ...answer, end: 12 }]);
    expect(stored.marks).toEqual([]);
  });

  test('waiting texts are kept while they are ingested, change places, go and are cleared', async () => {
    const handle = await (await open()).create(FIELDS);
    const pending = {
      documentId: 'd',
      title: 'Doc',
      role: 'document',
      ids: ids(0, 40_000),
      ingested: 0,
    } as const;
    await handle.append({ pending: [pending] });
    const begun = { ...pending, ingested: 64 };
    await handle.append({ pending: [begun] });
    expect((await handle.load()).pending).toEqual([begun]);
    await handle.append({ events: [decode(0)] });
    expect((await handle.load()).pending[0]?.ingested).toBe(64);
    const next = { ...pending, documentId: 'e', title: 'Next', ids: ids(9, 3) };
    const last = { ...pending, documentId: 'f', title: 'Last', ids: ids(5, 20_000) };
    await handle.append({ pending: [begun, next, last] });
    expect((await handle.load()).pending).toEqual([begun, next, last]);
    await handle.append({ pending: [begun, last, next] });
    expect((await handle.load()).pending).toEqual([begun, last, next]);
    const newer = { ...pending, documentId: 'g', ids: ids(2, 2) };
    await handle.append({ pending: [newer, next] });
    expect((await handle.load()).pending).toEqual([newer, next]);
    await handle.append({ pending: [] });
    expect((await handle.load()).pending).toEqual([]);
  });

  test('the second opener reads, and writes once the first is closed and it opens again', async () => {
    const store = await open();
    const first = await store.create(FIELDS);
    const second = await store.open(first.id);
    expect(second.readOnly).toBe(true);
    await expect(second.append({ events: [decode(0)] })).rejects.toMatchObject({ code: 'read-only' });
    await first.append({ tokens: { start: 0, ids: ids(0, 4) } });
    expect((await second.load()).tokens).toEqual(ids(0, 4));
    await first.close();
    await expect(first.append({})).rejects.toMatchObject({ code: 'closed' });
    const third = await store.open(first.id);
    expect(third.readOnly).toBe(false);
    await third.append({ tokens: { start: 4, ids: ids(4, 1) } });
  });

  test('what is handed out or in is not shared with the store', async () => {
    const handle = await (await open()).create(FIELDS);
    const tokens = ids(0, 4);
    await handle.append({ tokens: { start: 0, ids: tokens } });
    tokens.fill(0);
    (await handle.load()).tokens.fill(0);
    expect((await handle.load()).tokens).toEqual(ids(0, 4));
  });

  test('sessions are listed newest first, apart from one another, and removed when nobody writes them', async () => {
    const store = await open();
    const one = await store.create(FIELDS);
    const two = await store.create({ ...FIELDS, title: 'Two' });
    await one.append({ tokens: { start: 0, ids: ids(0, 40) }, events: [decode(0)] });
    expect((await store.list()).map(({ id }) => id)).toEqual([one.id, two.id]);
    expect((await two.load()).events).toEqual([]);
    await expect(store.remove(one.id)).rejects.toMatchObject({ code: 'blocked' });
    await one.close();
    await store.remove(one.id);
    await expect(store.open(one.id)).rejects.toMatchObject({ code: 'not-found' });
    await expect(store.remove(one.id)).rejects.toMatchObject({ code: 'not-found' });
    await expect(store.open('nobody' as SessionId)).rejects.toMatchObject({ code: 'not-found' });
    expect((await store.list()).map(({ title }) => title)).toEqual(['Two']);
  });

  test('settings outlive their writer', async () => {
    const store = await open();
    expect(await store.readSetting('speed')).toBeUndefined();
    await store.writeSetting('speed', { factor: 2 });
    await store.writeSetting('speed', { factor: 4 });
    expect(await store.readSetting('speed')).toEqual({ factor: 4 });
  });

  test('a closed store says so', async () => {
    const store = await open();
    const handle = await store.create(FIELDS);
    store.close();
    await expect(store.list()).rejects.toMatchObject({ code: 'closed' });
    await expect(handle.append({})).rejects.toMatchObject({ code: 'closed' });
  });
});
