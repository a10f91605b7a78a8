/** A session that is opened from its checkpoint is the one that a replay of all its events gives. */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createIndexedDbStore } from '../../src/storage/indexeddb/indexeddb-store.ts';
import { DATABASE_NAME, type RowStoreName } from '../../src/storage/indexeddb/schema.ts';
import { createProcessLocks } from '../../src/storage/locks.ts';
import type { LoadOptions, SessionStore } from '../../src/storage/ports.ts';
import {
  bootEngine,
  type EngineFixture,
  frames,
  ingest,
  open,
  prose,
} from '../../src/runtime/testing/engine-fixture.ts';

function createStore(factory = new IDBFactory()): Promise<SessionStore> {
  return createIndexedDbStore({ factory, locks: createProcessLocks(), now: () => 1 });
}

/** The same store, whose sessions are always loaded whole. */
function withoutCheckpoints(store: SessionStore): SessionStore {
  return {
    ...store,
    open: async (id) => {
      const handle = await store.open(id);
      return {
        ...handle,
        load: (options: LoadOptions = {}) => handle.load({ ...options, fromCheckpoint: false }),
      };
    },
  };
}

/** All that a user can see of where a session stands. */
async function standing(fixture: EngineFixture, id: string): Promise<unknown> {
  const { engine } = fixture;
  const { state, events, chat, provenance } = await engine.handle({ kind: 'openSession', sessionId: id });
  const blocks = [];
  for (const [lod, start, end] of [[1, 0, 32], [1, 1024, 1056], [0, 2048, 2080], [2, 1024, 2048]] as const) {
    if (end > state.cursor) continue;
    blocks.push(await engine.handle({ kind: 'inspect', lod, start, end }));
  } // prettier-ignore
  const cells = await engine.handle({
    kind: 'treeCells',
    start: 0,
    end: state.cursor,
    cells: 64,
    measure: 'accessCount',
  });
  await engine.handle({ kind: 'removeSession', sessionId: await open(fixture) });
  return { state: { ...state, record: null }, events: events.length, chat, provenance, blocks, cells };
}

/** What follows when it goes on. @param id - read back first; null goes on with the session that is open. */
async function goesOn(fixture: EngineFixture, id: string | null): Promise<unknown> {
  const { engine } = fixture;
  if (id !== null) await engine.handle({ kind: 'openSession', sessionId: id });
  const before = frames(fixture).length;
  await ingest(fixture, prose(500, 90));
  const { answer } = await engine.handle({ kind: 'ask', text: 'Which rope is of pier 7?' });
  const made = frames(fixture).slice(before);
  return { text: answer.text, frames: made.map(({ head, step, cursor, scores, actions, usedTokens }) => ({ head, step, cursor, scores, actions, usedTokens })) }; // prettier-ignore
}

async function damage(
  factory: IDBFactory,
  name: RowStoreName | 'checkpoints' | 'stagingScores',
  change: (bytes: Uint8Array) => void,
): Promise<void> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = factory.open(DATABASE_NAME);
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(new Error('open failed'));
    };
  });
  await new Promise<void>((resolve) => {
    const transaction = database.transaction(name, 'readwrite');
    const request = transaction.objectStore(name).openCursor();
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor === null) return;
      const row = cursor.value as { bytes: Uint8Array };
      change(row.bytes);
      cursor.update(row);
    };
    transaction.oncomplete = () => {
      resolve();
    };
  });
  database.close();
}

const flip = (bytes: Uint8Array): void => {
  bytes[bytes.length >> 1]! ^= 4;
};

const WIDE = { stagingBudgetTokens: 16_384, stagingEveryTokens: 4096, refocusCadence: 'end' } as const;
const STAGED = { heads: 2, budgetTokens: 512, stagingBudgetTokens: 1024, stagingEveryTokens: 128 } as const;

describe('a session opened from its checkpoint', () => {
  it('stands where a replay of everything leaves it, whatever was done before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('read', 'ask', 'pin', 'hide', 'show', 'prune', 'reload'), {
          minLength: 3,
          maxLength: 7,
        }),
        fc.boolean(),
        async (acts, isStaged) => {
          const store = { ...(await createStore()), close: () => undefined };
          const fixture = await bootEngine({ store });
          const { engine } = fixture;
          const id = await open(fixture, {
            budgetTokens: 512,
            recentTokens: 64,
            pruneIdleSteps: 0,
            ...(isStaged && STAGED),
          });
          await ingest(fixture, prose(4200));
          for (const [at, act] of acts.entries()) {
            const { provenance } = await engine.handle({ kind: 'openSession', sessionId: id });
            const document = provenance.find(({ documentId }) => documentId.startsWith('document'))!;
            const { documentId } = document;
            if (act === 'read') await ingest(fixture, prose(700, at));
            else if (act === 'ask') await engine.handle({ kind: 'ask', text: 'Where is the lantern?' });
            else if (act === 'pin')
              await engine.handle({ kind: 'act', action: 'pin', lod: 0, start: 320, end: 352 });
            else if (act === 'hide') await engine.handle({ kind: 'hideDocument', documentId, hidden: true });
            else if (act === 'show') await engine.handle({ kind: 'hideDocument', documentId, hidden: false });
            else if (act === 'prune') {
              const { runs } = await engine.handle({ kind: 'planPruning', measure: 0 });
              await engine.handle({ kind: 'prune', runs: [...runs] });
            }
          }
          await engine.dispose();
          const handle = await store.open(id as never);
          expect((await handle.load({ fromCheckpoint: true })).checkpoint).toBeDefined();
          await handle.close();
          const found: unknown[] = [];
          for (const used of [store, withoutCheckpoints(store)]) {
            const again = await bootEngine({ store: used });
            found.push(await standing(again, id));
            await again.engine.dispose();
          }
          expect(found[0]).toEqual(found[1]);
        },
      ),
      { numRuns: 5, seed: 11 },
    );
  });

  it.each([
    { characters: 5000 },
    // Tokens come in between refocuses, where the scores of the last one decide what makes room.
    { characters: 5000, refocusCadence: 'end' },
    { characters: 5000, ...STAGED, refocusCadence: '256' },
    // So wide that its frames hold no scores, and not refocused by what follows but for the question.
    { characters: 150_000, ...STAGED, ...WIDE },
  ])(
    'goes on as one that was replayed, and as one that never stopped: %o',
    async ({ characters, ...changes }) => {
      const outcomes: unknown[] = [];
      for (const how of ['checkpoint', 'replay', 'never stopped'] as const) {
        const store = { ...(await createStore()), close: () => undefined };
        const first = await bootEngine({ store });
        const id = await open(first, { temperature: 1, seed: 5, ...changes });
        await ingest(first, prose(characters));
        await first.engine.handle({ kind: 'ask', text: 'Who keeps the light?' });
        const wide = frames(first).filter(({ entryCount }) => entryCount > 4096);
        expect(wide.map(({ head, scores }) => [head, scores.length])).toEqual(wide.map(() => [8, 0]));
        expect(wide.length > 0).toBe(characters > 131_072);
        if (how === 'never stopped') {
          outcomes.push(await goesOn(first, null));
          continue;
        }
        await first.engine.dispose();
        const used = how === 'checkpoint' ? store : withoutCheckpoints(store);
        outcomes.push(await goesOn(await bootEngine({ store: used }), id));
      }
      expect(outcomes[0]).toEqual(outcomes[1]);
      expect(outcomes[0]).toEqual(outcomes[2]);
    },
  );

  it('is replayed, which it says, where the checkpoint or a page of it is damaged', async () => {
    for (const name of ['checkpoints', 'nodePages'] as const) {
      const factory = new IDBFactory();
      const store = { ...(await createStore(factory)), close: () => undefined };
      const first = await bootEngine({ store });
      const id = await open(first);
      await ingest(first, prose(5000));
      await first.engine.dispose();
      const whole = await standing(await bootEngine({ store }), id);
      await damage(factory, name, flip);
      const second = await bootEngine({ store });
      const { damage: said } = await second.engine.handle({ kind: 'openSession', sessionId: id });
      expect(said.join()).toMatch(/checkpoint is damaged/);
      expect(await standing(second, id)).toEqual(whole);
    }
  });

  it('takes what staging lends from its recorded steps, which it says, where its scores are damaged', async () => {
    const factory = new IDBFactory();
    const store = { ...(await createStore(factory)), close: () => undefined };
    const first = await bootEngine({ store });
    const id = await open(first, { temperature: 1, seed: 5, ...STAGED });
    await ingest(first, prose(1500));
    await first.engine.dispose();
    await damage(factory, 'stagingScores', flip);
    const second = await bootEngine({ store });
    const { damage: said } = await second.engine.handle({ kind: 'openSession', sessionId: id });
    expect(said).toEqual([expect.stringMatching(/staging context’s scores are damaged/)]);
    await ingest(second, prose(500, 90));
    // The next refocus stores them again.
    await second.engine.dispose();
    const third = await bootEngine({ store });
    expect((await third.engine.handle({ kind: 'openSession', sessionId: id })).damage).toEqual([]);
  });

  it('reads its index again, and builds it from the tokens, which it says, where a segment is damaged', async () => {
    const factory = new IDBFactory();
    const store = { ...(await createStore(factory)), close: () => undefined };
    const first = await bootEngine({ store });
    const id = await open(first, { temperature: 0 });
    await ingest(first, prose(5000));
    await first.engine.dispose();
    const handle = await store.open(id as never);
    const { index } = await handle.load({ fromCheckpoint: true });
    await handle.close();
    expect(index.reduce((sum, { tokenCount }) => sum + tokenCount, 0)).toBeGreaterThan(3000);
    await damage(factory, 'indexSegments', flip);
    const second = await bootEngine({ store });
    const opened = await second.engine.handle({ kind: 'openSession', sessionId: id });
    expect(opened.damage.join()).toMatch(/index of words is damaged: it is built again/);
    await ingest(second, prose(3600, 40));
    await second.engine.dispose();
    const third = await bootEngine({ store });
    expect((await third.engine.handle({ kind: 'openSession', sessionId: id })).damage).toEqual([]);
  });

  it('leaves LOD1 gists in storage until they are needed, and makes those anew that are damaged there', async () => {
    const factory = new IDBFactory();
    const store = { ...(await createStore(factory)), close: () => undefined };
    const first = await bootEngine({ store });
    const id = await open(first, { refocusCadence: '256' });
    await ingest(first, prose(40_000));
    const before = await first.engine.handle({ kind: 'inspect', lod: 1, start: 640, end: 672 });
    await first.engine.dispose();
    const handle = await store.open(id as never);
    const { checkpoint } = await handle.load({ fromCheckpoint: true });
    await handle.close();
    expect(checkpoint?.gistsLeftOut ?? 0).toBe(1024);
    const second = await bootEngine({ store });
    await second.engine.handle({ kind: 'openSession', sessionId: id });
    expect(await second.engine.handle({ kind: 'inspect', lod: 1, start: 640, end: 672 })).toEqual(before);
    await second.engine.dispose();
    const third = await bootEngine({ store });
    await third.engine.handle({ kind: 'openSession', sessionId: id });
    await damage(factory, 'gists', flip);
    expect(await third.engine.handle({ kind: 'inspect', lod: 1, start: 640, end: 672 })).toEqual(before);
    expect(third.notices).toContainEqual(expect.objectContaining({ kind: 'problem' }));
  });
});
