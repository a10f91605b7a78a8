/** After GistNet changed, a session is used while its gists are made anew, and goes on with that after a kill. */
import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../storage/memory/memory-store.ts';
import type { SessionId, SessionStore } from '../../../storage/ports.ts';
import { createFakeModel, type FakeModel } from '../../testing/fake-model.ts';
import { bootEngine, type EngineFixture, ingest, open, prose, until } from '../../testing/engine-fixture.ts';

/** Another GistNet, every component of whose gists differs. Counts the gists that it made. */
function otherWeights(): { readonly model: FakeModel; readonly made: () => number } {
  const model = createFakeModel();
  let made = 0;
  const compress: FakeModel['gistNet']['compress'] = async (lod, children, contextCounts, tokens) => {
    made += contextCounts.length;
    return (await model.gistNet.compress(lod, children, contextCounts, tokens)).map((value) => value + 0.25);
  };
  return {
    model: { ...model, hash: 'other weights', gistNet: { ...model.gistNet, compress } },
    made: () => made,
  };
}

async function stored(store: SessionStore, id: string) {
  const handle = await store.open(id as SessionId);
  try {
    return await handle.load();
  } finally {
    await handle.close();
  }
}

const renewalOf = async ({ engine }: EngineFixture) =>
  (await engine.handle({ kind: 'setConfig', changes: {} })).gistRenewal;

async function sessionOf(store: SessionStore): Promise<string> {
  const first = await bootEngine({ store });
  const id = await open(first, { refocusCadence: '256' });
  await ingest(first, prose(9000));
  await first.engine.dispose();
  return id;
}

describe('gists of another GistNet', () => {
  it('are made anew from where a kill broke it off, and nothing that was stored is made twice', async () => {
    const store = { ...createMemoryStore(), close: () => undefined };
    const id = await sessionOf(store);
    const before = await stored(store, id);
    const total = before.gists.reduce((sum, { values, hiddenSize }) => sum + values.length / hiddenSize, 0);
    const half = otherWeights();
    const second = await bootEngine({ store, model: half.model });
    const { damage, state } = await second.engine.handle({ kind: 'openSession', sessionId: id });
    expect(damage.join()).toMatch(/weights changed/);
    expect(state.gistRenewal).toMatchObject({ total });
    await until(async () => ((await renewalOf(second))?.left ?? 0) < total - 64);
    const paused = await second.engine.handle({ kind: 'renewGists', runs: false });
    expect(paused.gistRenewal).toMatchObject({ isRunning: false });
    await second.engine.dispose();

    const halfway = await stored(store, id);
    expect(halfway.record.modelHash).toBe(before.record.modelHash);
    const { fresh } = halfway.gistStanding!.refresh!;
    const renewed = halfway.gists[0]!.values;
    const d = halfway.gists[0]!.hiddenSize;
    for (const index of [0, fresh[1]! - 1, fresh[1]!]) {
      const isNew = index < fresh[1]!;
      expect(renewed[index * d] !== before.gists[0]!.values[index * d]).toBe(isNew);
    }

    const rest = otherWeights();
    const third = await bootEngine({ store, model: rest.model });
    await third.engine.handle({ kind: 'openSession', sessionId: id });
    await until(async () => (await renewalOf(third)) === null);
    await third.engine.dispose();
    expect(half.made() + rest.made()).toBeLessThanOrEqual(total + 32);
    const whole = await stored(store, id);
    expect(whole.record.modelHash).toBe('other weights');
    expect(whole.gistStanding!.refresh).toBeNull();
    whole.gists.forEach(({ values, level }) => {
      expect([level, values.length]).toEqual([level, before.gists[level - 1]!.values.length]);
      expect([...values].filter((bits, i) => bits === before.gists[level - 1]!.values[i])).toEqual([]);
    });
    const fourth = await bootEngine({ store, model: rest.model });
    const again = await fourth.engine.handle({ kind: 'openSession', sessionId: id });
    expect([again.damage, again.state.gistRenewal]).toEqual([[], null]);
  });

  it('leave the session in use: it reads on, refocuses and answers meanwhile', async () => {
    const store = { ...createMemoryStore(), close: () => undefined };
    const id = await sessionOf(store);
    const { model } = otherWeights();
    const fixture = await bootEngine({ store, model });
    const { engine, notices } = fixture;
    await engine.handle({ kind: 'openSession', sessionId: id });
    const { cursor } = await engine.handle({ kind: 'renewGists', runs: false });
    expect(await renewalOf(fixture)).toMatchObject({ isRunning: false });
    await ingest(fixture, prose(1200, 30));
    const { answer } = await engine.handle({ kind: 'ask', text: 'Where is the rope?' });
    expect(answer.start).toBeGreaterThan(cursor + 1200);
    await engine.handle({ kind: 'refocus' });
    await engine.handle({ kind: 'renewGists', runs: true });
    await until(async () => (await renewalOf(fixture)) === null);
    const violations = notices.flatMap((notice) => (notice.kind === 'telemetry' ? notice.events : []));
    expect(violations.filter(({ type }) => type === 'violation')).toEqual([]);
    expect(notices.filter(({ kind }) => kind === 'problem')).toEqual([]);
    const { gistVersion, isStale } = await engine.handle({ kind: 'inspect', lod: 2, start: 0, end: 1024 });
    expect([gistVersion, isStale]).toEqual([model.gistNet.version + 1, false]);
  });
});
