import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../storage/memory/memory-store.ts';
import type { SessionId } from '../../../storage/ports.ts';
import {
  type EngineFixture,
  bootEngine,
  branchEnded,
  ingest,
  open,
  prose,
  until,
  withPerceiver,
} from '../../testing/engine-fixture.ts';

async function branch(fixture: EngineFixture, sessionId: string, step: number, changes = {}) {
  fixture.notices.length = 0;
  const title = `Branch at ${step}`;
  const snapshot = await fixture.engine.handle({ kind: 'branchSession', sessionId, step, title, changes });
  const progress = await branchEnded(fixture);
  return { id: snapshot.state.record.id, snapshot, progress };
}

/** A session's frames and messages, without what clocks put into them. */
async function story({ engine }: EngineFixture, sessionId: string) {
  const { events, chat } = await engine.handle({ kind: 'readRun', sessionId });
  const frames = events.filter((event) => event.type === 'refocus');
  return {
    frames: frames.map(({ step, cursor, actions, scores, trigger, usedTokens, policy }) => ({
      step,
      cursor,
      trigger,
      usedTokens,
      policy,
      actions,
      scores,
    })),
    chat: chat.map(({ role, text, start, end, ending }) => ({ role, text, start, end, ending })),
    measured: events.filter(({ type }) => type === 'deltaNll').length,
  };
}

/** Documents, questions, marks, moves by hand and changed parameters. */
async function eventful(config = {}): Promise<{ fixture: EngineFixture; id: string }> {
  const fixture = await bootEngine();
  const { engine } = fixture;
  const id = await open(fixture, { seed: 3, maxNewTokens: 40, ...config });
  await ingest(fixture, prose(900));
  await engine.handle({
    kind: 'ask',
    text: 'Who keeps the light at the end of the longest pier of them all?',
  });
  await ingest(fixture, prose(333, 7));
  await engine.handle({ kind: 'setConfig', changes: { cooldownSteps: 1, tauExpand: 0.1 } });
  await engine.handle({ kind: 'act', action: 'pin', lod: 1, start: 64, end: 96 });
  await engine.handle({ kind: 'act', action: 'forbid', lod: 1, start: 160, end: 192 });
  await ingest(fixture, prose(500, 20));
  await engine
    .handle({ kind: 'act', action: 'collapse', lod: 0, start: 1024, end: 1056 })
    .catch(() => undefined);
  await engine.handle({ kind: 'refocus' });
  await engine.handle({ kind: 'setConfig', changes: { tauCollapse: 0.05 } });
  await engine.handle({ kind: 'ask', text: 'And where?' });
  await ingest(fixture, prose(200, 31));
  await engine.handle({ kind: 'step' });
  return { fixture, id };
}

describe('a branch', () => {
  it.each([{ temperature: 0 }, { temperature: 1, deltaNllEverySteps: 3, strategy: 'adaptive' }])(
    'with the same parameters repeats its original from any step on: %o',
    async (config) => {
      const { fixture, id } = await eventful(config);
      const original = await story(fixture, id);
      const stride = 13;
      for (let i = 0; i < original.frames.length; i += stride) {
        const { step } = original.frames[i]!;
        const { id: branchId, progress } = await branch(fixture, id, step);
        expect([step, progress.phase, progress.notes]).toEqual([step, 'done', []]);
        const branched = await story(fixture, branchId);
        expect([step, branched]).toEqual([step, original]);
      }
    },
    120_000,
  );

  it('repeats what was forced between two refocuses, too', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture, { budgetTokens: 96, recentTokens: 32, maxActions: 8, driftGain: 0.5 });
    await ingest(fixture, prose(700));
    await fixture.engine.handle({ kind: 'setConfig', changes: { budgetTokens: 164 } });
    await fixture.engine.handle({ kind: 'refocus' });
    for (let start = 0; start < 640; start += 32) {
      const block = { lod: 1, start, end: start + 32 } as const;
      await fixture.engine.handle({ kind: 'act', action: 'expand', ...block }).catch(() => undefined);
    }
    // A text that ends inside a block comes in without a refocus of its own.
    await fixture.engine.handle({
      kind: 'ingestText',
      text: 'A short note.',
      title: 'Short',
      role: 'document',
    });
    await ingest(fixture, prose(300, 5));
    const { events } = await fixture.engine.handle({ kind: 'readRun', sessionId: id });
    const forced = events.filter(({ type }) => type === 'action');
    expect(forced.length).toBeGreaterThan(0);
    const original = await story(fixture, id);
    const after = events.find((event) => event.type === 'refocus' && event.timeMs > forced.at(-1)!.timeMs)!;
    for (const step of [after.step, after.step + 1, after.step + 2]) {
      const { id: branchId } = await branch(fixture, id, step);
      expect([step, await story(fixture, branchId)]).toEqual([step, original]);
    }
  });

  it.each(['256', '1024', 'end'])('repeats text that was read with focus renewed by %s', async (cadence) => {
    const fixture = await bootEngine();
    const id = await open(fixture, { refocusCadence: cadence, maxNewTokens: 8 });
    await ingest(fixture, prose(9000));
    await fixture.engine.handle({ kind: 'ask', text: 'Who keeps the light?' });
    await ingest(fixture, prose(3000, 7));
    const original = await story(fixture, id);
    const { step } = original.frames[1]!;
    const { id: same, progress } = await branch(fixture, id, step);
    expect([progress.phase, progress.notes]).toEqual(['done', []]);
    expect(await story(fixture, same)).toEqual(original);
    const { id: finer } = await branch(fixture, id, step, { refocusCadence: 'block' });
    const { frames } = await story(fixture, finer);
    expect(frames.length).toBeGreaterThan(original.frames.length + 64);
    expect(frames.at(-1)!.cursor).toBe(original.frames.at(-1)!.cursor);
  });

  it('differs from its step on, not before, and leaves the original as it was', async () => {
    const { fixture, id } = await eventful();
    await fixture.engine.handle({ kind: 'ingestText', text: prose(400, 9), title: 'More', role: 'document' });
    await open(fixture);
    const kept = async () => (await fixture.store.open(id as SessionId)).load();
    const before = await kept();
    const original = await story(fixture, id);
    const step = original.frames[12]!.step;
    const { id: branchId, snapshot } = await branch(fixture, id, step, { budgetTokens: 160, maxActions: 8 });
    const now = await fixture.engine.handle({ kind: 'pause' });
    expect(now.pendingTokens).toBe(prose(400, 9).length);
    expect(snapshot.state.record.title).toBe(`Branch at ${step}`);
    const branched = await story(fixture, branchId);
    expect(branched.frames.slice(0, 13)).toEqual(original.frames.slice(0, 13));
    expect(branched.frames[13]!.cursor).toBe(original.frames[13]!.cursor);
    expect(branched.frames.slice(13).every(({ usedTokens }) => usedTokens <= 160)).toBe(true);
    expect(branched.chat.filter(({ role }) => role === 'user')).toHaveLength(2);
    const { state } = await fixture.engine.handle({ kind: 'openSession', sessionId: branchId });
    expect(state.config).toMatchObject({ budgetTokens: 160, maxActions: 8, tauCollapse: 0.05 });
    expect(await kept()).toEqual(before);
  });

  it('stops an answer where the user stopped it, and can be stopped itself', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture, { temperature: 1, seed: 5, maxNewTokens: 60 });
    await ingest(fixture, prose(600));
    const streamed = () => fixture.notices.filter(({ kind }) => kind === 'answerText').length;
    const asked = fixture.engine.handle({ kind: 'ask', text: 'What is old?' });
    await until(() => streamed() >= 3);
    await fixture.engine.handle({ kind: 'stopAnswer' });
    expect((await asked).answer.ending).toBe('stopped');
    const original = await story(fixture, id);
    const { id: branchId } = await branch(fixture, id, 5);
    expect(await story(fixture, branchId)).toEqual(original);

    fixture.notices.length = 0;
    await fixture.engine.handle({
      kind: 'branchSession',
      sessionId: id,
      step: 1,
      title: 'Short',
      changes: {},
    });
    await expect(fixture.engine.handle({ kind: 'step' })).rejects.toMatchObject({ code: 'busy' });
    await fixture.engine.handle({ kind: 'stopBranch' });
    const progress = await branchEnded(fixture);
    expect(progress.phase).toBe('stopped');
    expect(progress.doneTokens).toBeLessThan(progress.totalTokens);
    await fixture.engine.handle({ kind: 'step' });
  });

  it('is refused, with nothing made, for a step that is not there or parameters out of range', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture);
    await ingest(fixture, prose(200));
    const make = (step: number, changes: Record<string, unknown>) =>
      fixture.engine.handle({ kind: 'branchSession', sessionId: id, step, title: 'No', changes });
    await expect(make(99, {})).rejects.toMatchObject({ code: 'bad-span' });
    await expect(make(2, { tauExpand: 7 })).rejects.toMatchObject({ name: 'ConfigError' });
    expect(await fixture.store.list()).toHaveLength(1);
    expect((await fixture.engine.handle({ kind: 'refocus' })).record.id).toBe(id);
  });

  it('does without a LensNet that its model lacks, and says so; asked for in the branch, it is refused', async () => {
    const store = { ...createMemoryStore(), close: () => undefined };
    const original = await bootEngine({ store, model: withPerceiver() });
    const id = await open(original, { lensVariant: 'perceiver' });
    await ingest(original, prose(200));
    await original.engine.handle({ kind: 'setConfig', changes: { lensVariant: 'default' } });
    await ingest(original, prose(100));
    await original.engine.handle({ kind: 'setConfig', changes: { lensVariant: 'perceiver' } });
    await ingest(original, prose(100));
    await original.engine.dispose();

    const fixture = await bootEngine({ store });
    await expect(branch(fixture, id, 2, { lensVariant: 'perceiver' })).rejects.toMatchObject({
      name: 'ConfigError',
      parameter: 'lensVariant',
    });
    expect(await fixture.store.list()).toHaveLength(1);
    const { snapshot, progress } = await branch(fixture, id, 2);
    expect(snapshot.state.config.lensVariant).toBe('default');
    expect(progress).toMatchObject({ phase: 'done', error: null });
    expect(progress.notes).toEqual([expect.stringMatching(/LensNet variant perceiver .* the default/)]);
  });

  it('gives the texts of any stored session', async () => {
    const { fixture, id } = await eventful();
    await open(fixture);
    const [first, none] = await fixture.engine.handle({
      kind: 'runTexts',
      sessionId: id,
      spans: [
        [0, 12],
        [5, 5],
      ],
    });
    expect([first, none]).toEqual([prose(900).slice(0, 12), '']);
  });
});
