/** Clocks that jump: the wall clock is set back or forward, and the other one stands still for hours of sleep. */
import { expect, it } from 'vitest';
import { createMemoryStore } from '../../src/storage/memory/memory-store.ts';
import { systemClock } from '../../src/base/clock.ts';
import { readTrace } from '../../src/storage/trace/trace-codec.ts';
import { Engine } from '../../src/runtime/engine/engine.ts';
import type { Notice } from '../../src/runtime/engine/protocol/protocol.ts';
import { createFakeModel } from '../../src/runtime/testing/fake-model.ts';
import { NO_MODELS, SOME_MACHINE, prose, until } from '../../src/runtime/testing/engine-fixture.ts';

const YEAR_MS = 365 * 24 * 3_600_000;

/** What a session says of itself, without its times. */
async function live(jumps: readonly number[]) {
  const store = createMemoryStore();
  let wall = Date.UTC(2026, 0, 1);
  let ticks = 0;
  const notices: Notice[] = [];
  const boot = async () => {
    const engine = new Engine({
      models: NO_MODELS,
      loadModel: () =>
        Promise.resolve({
          model: createFakeModel(),
          backend: {
            id: 'cpu',
            reason: '',
            adapter: null,
            isSoftwareAdapter: false,
            wasOverridden: true,
            threads: null,
          },
        }),
      openStore: () => Promise.resolve({ ...store, close: () => undefined }),
      measureBackend: SOME_MACHINE,
      clock: { ...systemClock, now: () => ticks++, wallClockMs: () => wall },
      notify: (notice) => notices.push(notice),
    });
    await engine.handle({
      kind: 'boot',
      place: { kind: 'shipped', id: 'fake', baseUrl: 'models/' },
      backend: 'cpu',
    });
    return engine;
  };
  let engine = await boot();
  const created = await engine.handle({
    kind: 'createSession',
    title: 'Clock',
    config: { budgetTokens: 128, maxNewTokens: 12 },
  });
  const sessionId = created.state.record.id;
  for (const [turn, jump] of jumps.entries()) {
    wall += jump;
    await engine.handle({
      kind: 'ingestText',
      text: prose(300, turn),
      title: `Day ${turn}`,
      role: 'document',
    });
    await engine.handle({ kind: 'run', tokensPerSecond: 0 });
    await until(async () => {
      const { activity, pendingTokens } = await engine.handle({ kind: 'setConfig', changes: {} });
      return activity === 'idle' && pendingTokens === 0;
    });
    await engine.handle({ kind: 'ask', text: `What of day ${turn}?` });
    // The worker dies and another one goes on, whose clock begins anew.
    await engine.dispose();
    ticks = 0;
    engine = await boot();
    await engine.handle({ kind: 'openSession', sessionId });
  }
  const { chat, events, provenance, damage } = await engine.handle({ kind: 'openSession', sessionId });
  const trace = await engine.handle({ kind: 'exportTrace', format: 'trace' });
  await engine.dispose();
  return { chat, events, provenance, damage, trace: await trace.file.text(), notices };
}

it('change no order, no token and no score, and a trace can be read', async () => {
  const steady = await live([0, 0, 0]);
  const jumping = await live([2 * YEAR_MS, -10 * YEAR_MS, 3 * YEAR_MS]);
  expect(jumping.damage).toEqual([]);
  expect(jumping.notices.filter(({ kind }) => kind === 'problem')).toEqual([]);
  const said = ({ chat }: typeof steady) =>
    chat.map(({ role, text, start, end }) => ({ role, text, start, end }));
  expect(said(jumping)).toEqual(said(steady));
  expect(jumping.chat.map(({ start }) => start)).toEqual(
    jumping.chat.map(({ start }) => start).sort((a, b) => a - b),
  );
  const scores = ({ events }: typeof steady) =>
    events.flatMap((event) => (event.type === 'refocus' ? [event.scores] : []));
  expect(scores(jumping)).toEqual(scores(steady));
  const times = jumping.events.map(({ timeMs }) => timeMs);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  for (const event of jumping.events)
    if (event.type === 'latency') expect(event.ms).toBeGreaterThanOrEqual(0);
  expect((await readTrace(jumping.trace)).events.length).toBe(jumping.events.length);
});
