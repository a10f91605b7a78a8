import { describe, expect, it } from 'vitest';
import { createFakeModel } from '../../testing/fake-model.ts';
import { createMemoryStore } from '../../../storage/memory/memory-store.ts';
import { StorageError } from '../../../storage/ports.ts';
import type { SessionHandle, SessionId, SessionStore } from '../../../storage/ports.ts';
import { readTrace } from '../../../storage/trace/trace-codec.ts';
import {
  bootEngine,
  frames,
  idle,
  ingest,
  open,
  prose,
  until,
  withPerceiver,
} from '../../testing/engine-fixture.ts';

describe('a session read back', () => {
  it('goes on with the same layout, allocator and tokens as one that never stopped', async () => {
    const outcomes: unknown[] = [];
    for (const reload of [false, true]) {
      const fixture = await bootEngine();
      const id = await open(fixture, { temperature: 1, seed: 3 });
      await ingest(fixture, prose(6010));
      await fixture.engine.handle({ kind: 'ask', text: 'Who keeps the light?' });
      if (reload) await fixture.engine.handle({ kind: 'openSession', sessionId: id });
      await ingest(fixture, prose(1000, 50));
      const { answer } = await fixture.engine.handle({ kind: 'ask', text: 'And where?' });
      const last = frames(fixture).at(-1)!;
      const block = await fixture.engine.handle({ kind: 'inspect', lod: 1, start: 32, end: 64 });
      outcomes.push({
        answer: { ...answer, createdAt: 0 },
        scores: last.scores,
        actions: last.actions,
        block,
      });
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  });

  it('continues the text that was waiting', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture);
    await fixture.engine.handle({ kind: 'ingestText', text: prose(3000), title: 'Long', role: 'document' });
    await fixture.engine.handle({ kind: 'step' });
    const { state, provenance } = await fixture.engine.handle({ kind: 'openSession', sessionId: id });
    expect(state).toMatchObject({ cursor: 32, pendingTokens: prose(3000).length - 32 });
    expect(provenance[0]).toMatchObject({ title: 'Long', start: 0, end: 32 });
    await fixture.engine.handle({ kind: 'run', tokensPerSecond: 0 });
    await idle(fixture);
    const { text } = await fixture.engine.handle({
      kind: 'spanText',
      start: 0,
      end: 5000,
      maxCharacters: 5000,
    });
    expect(text).toBe(prose(3000));
  });

  it('keeps documents apart that wait behind one another', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture);
    const { engine } = fixture;
    for (const title of ['a.txt', 'b.txt', 'c.txt', 'd.txt']) {
      await engine.handle({ kind: 'ingestText', text: prose(200), title, role: 'document' });
    }
    await engine.handle({ kind: 'step' });
    const { state } = await engine.handle({ kind: 'openSession', sessionId: id });
    expect(state.waiting.map(({ title }) => title)).toEqual(['a.txt', 'b.txt', 'c.txt', 'd.txt']);
    await engine.handle({ kind: 'removeWaiting', documentId: state.waiting[1]!.documentId });
    const moved = state.waiting[3]!.documentId;
    await engine.handle({ kind: 'moveWaiting', documentId: moved, before: state.waiting[2]!.documentId });
    await engine.handle({ kind: 'openSession', sessionId: id });
    await engine.handle({ kind: 'run', tokensPerSecond: 0 });
    await idle(fixture);
    const { provenance } = await engine.handle({ kind: 'openSession', sessionId: id });
    expect(provenance.map(({ title }) => title)).toEqual(['a.txt', 'd.txt', 'c.txt']);
    expect(new Set(provenance.map(({ start, end }) => end - start)).size).toBe(1);
  });

  it('recomputes gists that storage lost', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture);
    await ingest(fixture, prose(2500));
    const before = await fixture.engine.handle({ kind: 'inspect', lod: 1, start: 640, end: 672 });
    await open(fixture);
    const { store } = fixture;
    const lossy: typeof store = {
      ...store,
      open: async (sessionId) => {
        const handle = await store.open(sessionId);
        const load = async () => ({ ...(await handle.load()), gists: [], damage: ['Gists lost.'] });
        return { ...handle, load };
      },
    };
    const second = await bootEngine({ store: lossy });
    const { damage } = await second.engine.handle({ kind: 'openSession', sessionId: id });
    expect(damage).toEqual(['Gists lost.']);
    const progress = second.notices.filter(({ kind }) => kind === 'progress');
    expect(progress.at(-1)).toMatchObject({ task: 'rebuild', done: 80, total: 80 });
    const after = await second.engine.handle({ kind: 'inspect', lod: 1, start: 640, end: 672 });
    expect(after.neighbours).toEqual(before.neighbours);
    // What was recomputed is stored again, so that the next reload finds it.
    await ingest(second, prose(300));
    await open(second);
    const third = await fixture.engine.handle({ kind: 'openSession', sessionId: id });
    expect(third.damage).toEqual([]);
  });

  it('gets new gists from other weights once, whole, with what was pruned in reach again', async () => {
    const store = { ...createMemoryStore(), close: () => undefined };
    const config = { pruneIdleSteps: 0, pruneKeepAccesses: 1000, pruneMaxShare: 0.9, policy: 'recency' };
    const first = await bootEngine({ store });
    const id = await open(first, { ...config, budgetTokens: 512, recentTokens: 64 });
    await ingest(first, prose(8000));
    for (let round = 0; round < 3; round++) {
      const { runs } = await first.engine.handle({ kind: 'planPruning', measure: 0 });
      await first.engine.handle({ kind: 'prune', runs: [...runs] });
    }
    await first.engine.dispose();
    const model = { ...createFakeModel(), hash: 'other weights' };
    const reopen = async () => {
      const fixture = await bootEngine({ store, model });
      const { damage, state } = await fixture.engine.handle({ kind: 'openSession', sessionId: id });
      const wasOld = state.gistRenewal !== null;
      await until(async () => {
        const { gistRenewal } = await fixture.engine.handle({ kind: 'setConfig', changes: {} });
        return gistRenewal === null;
      });
      const { neighbours } = await fixture.engine.handle({ kind: 'inspect', lod: 1, start: 64, end: 96 });
      await fixture.engine.dispose();
      const handle = await store.open(id as SessionId);
      const stored = await handle.load();
      await handle.close();
      const cold = stored.cold.filter(({ lod }) => lod > 0);
      return { damage, isRebuilt: wasOld, neighbours, hash: stored.record.modelHash, cold };
    };
    const renewed = await reopen();
    expect(renewed).toMatchObject({ isRebuilt: true, hash: 'other weights', cold: [] });
    expect(renewed.damage.join()).toMatch(/weights changed/);
    expect(await reopen()).toEqual({ ...renewed, isRebuilt: false, damage: [] });
  });

  it('is refused when another model made it', async () => {
    const store = createMemoryStore();
    const fixture = await bootEngine({ store });
    const { model } = fixture;
    const handle = await store.create({
      title: 'Foreign',
      createdAt: 0,
      modelId: 'other',
      modelHash: '',
      config: (await fixture.engine.handle({ kind: 'createSession', title: 'T', config: {} })).state.config,
    });
    await handle.close();
    expect(model.id).toBe('fake');
    await expect(fixture.engine.handle({ kind: 'openSession', sessionId: handle.id })).rejects.toMatchObject({
      code: 'model-mismatch',
    });
  });

  it('falls back to the default LensNet where the model lacks its variant, and says so', async () => {
    const store = { ...createMemoryStore(), close: () => undefined };
    const first = await bootEngine({ store, model: withPerceiver() });
    const id = await open(first, { lensVariant: 'perceiver' });
    await ingest(first, prose(500));
    await first.engine.dispose();
    const opened = async (fixture: typeof first) => {
      const { state, damage } = await fixture.engine.handle({ kind: 'openSession', sessionId: id });
      return { lensVariant: state.config.lensVariant, damage };
    };
    const second = await bootEngine({ store });
    const { lensVariant, damage } = await opened(second);
    expect(lensVariant).toBe('default');
    expect(damage).toEqual([
      expect.stringMatching(/LensNet variant perceiver .* the default scores instead\.$/),
    ]);
    await second.engine.handle({ kind: 'refocus' });
    await second.engine.dispose();
    const third = await bootEngine({ store, model: withPerceiver() });
    expect(await opened(third)).toEqual({ lensVariant: 'perceiver', damage: [] });
  });

  it('is only looked at while another tab writes it', async () => {
    const store = createMemoryStore();
    const first = await bootEngine({ store });
    const id = await open(first);
    await ingest(first, prose(500));
    const second = await bootEngine({ store });
    const { state } = await second.engine.handle({ kind: 'openSession', sessionId: id });
    expect(state.readOnly).toBe(true);
    await expect(second.engine.handle({ kind: 'ask', text: 'Hello?' })).rejects.toMatchObject({
      code: 'read-only',
    });
    expect(await second.engine.handle({ kind: 'nextTokens', count: 3 })).toHaveLength(3);
  });
});

describe('an answer that the worker did not live to finish', () => {
  const config = { temperature: 1, seed: 5, maxNewTokens: 60 };

  /** A store whose handles can die as a worker's do: nothing more is stored, and the lock is free. */
  function mortal(store: SessionStore) {
    const handles: SessionHandle[] = [];
    let isDead = false;
    const wrap = (handle: SessionHandle): SessionHandle => {
      handles.push(handle);
      const append: SessionHandle['append'] = (batch, durability) =>
        isDead ? new Promise(() => undefined) : handle.append(batch, durability);
      return { ...handle, append };
    };
    const die = async (): Promise<void> => {
      isDead = true;
      for (const handle of handles) await handle.close();
    };
    return {
      store: {
        ...store,
        create: async (record: Parameters<SessionStore['create']>[0]) => wrap(await store.create(record)),
      },
      die,
    };
  }

  it('goes on by itself, with the same tokens', async () => {
    const calm = await bootEngine();
    await open(calm, config);
    await ingest(calm, prose(3000));
    const expected = (await calm.engine.handle({ kind: 'ask', text: 'What is old?' })).answer;
    expect(expected.end - expected.start).toBeGreaterThan(6);

    for (const tokensBefore of [0, 1, 5]) {
      const shared = createMemoryStore();
      const { store, die } = mortal(shared);
      const first = await bootEngine({ store });
      const id = await open(first, config);
      await ingest(first, prose(3000));
      const streamed = (fixture: typeof first) =>
        fixture.notices.filter(({ kind }) => kind === 'answerText').length;
      first.model.work.onAppend = () =>
        streamed(first) >= tokensBefore ? die().then(() => new Promise(() => undefined)) : Promise.resolve();
      void first.engine.handle({ kind: 'ask', text: 'What is old?' });
      const second = await bootEngine({ store: shared });
      await until(async () => {
        const { state } = await second.engine.handle({ kind: 'openSession', sessionId: id });
        return !state.readOnly;
      });
      const answer = await until(() => {
        const found = second.notices.find(({ kind }) => kind === 'chat');
        return found?.kind === 'chat' ? found.message : undefined;
      });
      expect({ ...answer, createdAt: 0 }).toEqual({ ...expected, createdAt: 0 });
    }
  });
});

describe('storage that fails', () => {
  it('is reported once; the run goes on and a later turn stores everything', async () => {
    const store = createMemoryStore();
    let isFull = true;
    const failing = {
      ...store,
      create: async (record: Parameters<typeof store.create>[0]) => {
        const handle = await store.create(record);
        const append: typeof handle.append = (batch, durability) =>
          isFull
            ? Promise.reject(new StorageError('quota', 'The disk is full.', 'Earlier batches are kept.'))
            : handle.append(batch, durability);
        return { ...handle, append };
      },
    };
    const fixture = await bootEngine({ store: failing });
    const id = await open(fixture);
    await ingest(fixture, prose(1500));
    const problems = fixture.notices.filter(({ kind }) => kind === 'problem');
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ error: { code: 'quota' } });
    const isSaved = () => fixture.notices.findLast((notice) => notice.kind === 'state')?.state.isSaved;
    expect(isSaved()).toBe(false);
    const trace = await fixture.engine.handle({ kind: 'exportTrace', format: 'trace-gzip' });
    expect((await readTrace(trace.file.stream())).events.length).toBeGreaterThan(100);
    isFull = false;
    await fixture.engine.handle({ kind: 'ask', text: 'Still there?' });
    expect(isSaved()).toBe(true);
    const { state, chat, damage } = await fixture.engine.handle({ kind: 'openSession', sessionId: id });
    expect(state.cursor).toBeGreaterThan(1500);
    expect(chat).toHaveLength(2);
    expect(damage).toEqual([]);
  });
});
