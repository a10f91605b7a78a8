import { describe, expect, it } from 'vitest';
import { FrameIndex } from '../../core/trace/frame-index.ts';
import { telemetryEventSchema } from '../../core/trace/telemetry.ts';
import { readTrace } from '../../storage/trace/trace-codec.ts';
import { bootEngine, frames, idle, ingest, open, prose, withPerceiver } from '../testing/engine-fixture.ts';

function layoutsOf(fixture: Parameters<typeof frames>[0]): FrameIndex {
  const index = new FrameIndex();
  for (const { layout } of frames(fixture)) index.append(layout);
  return index;
}

describe('ingestion', () => {
  it('refocuses every 32 tokens, within the budget and without violations', async () => {
    const fixture = await bootEngine();
    await open(fixture);
    await ingest(fixture, prose(5000));
    const recorded = frames(fixture);
    expect(recorded.length).toBeGreaterThanOrEqual(156);
    for (const frame of recorded) expect(frame.usedTokens).toBeLessThanOrEqual(frame.budgetTokens);
    expect(fixture.events().filter((event) => event.type === 'violation')).toEqual([]);
    expect(fixture.model.work.slots).toBe(0);
    for (const event of fixture.events()) telemetryEventSchema.parse(event);
  });

  it('steps one block at a time', async () => {
    const fixture = await bootEngine();
    await open(fixture);
    await fixture.engine.handle({ kind: 'ingestText', text: prose(200), title: 'D', role: 'document' });
    const state = await fixture.engine.handle({ kind: 'step' });
    expect(state).toMatchObject({ cursor: 32, step: 1, activity: 'idle' });
  });

  it('pauses, and goes on where it was', async () => {
    const fixture = await bootEngine();
    await open(fixture);
    await fixture.engine.handle({ kind: 'ingestText', text: prose(20_000), title: 'D', role: 'document' });
    await fixture.engine.handle({ kind: 'run', tokensPerSecond: 0 });
    const paused = await fixture.engine.handle({ kind: 'pause' });
    expect(paused.activity).toBe('idle');
    expect(paused.pendingTokens).toBeGreaterThan(0);
    await fixture.engine.handle({ kind: 'run', tokensPerSecond: 0 });
    await idle(fixture);
    const { cursor, pendingTokens } = await fixture.engine.handle({ kind: 'pause' });
    expect(pendingTokens).toBe(0);
    expect(cursor).toBe(prose(20_000).length);
  });

  it('refuses what is no text, and says so', async () => {
    const fixture = await bootEngine();
    await open(fixture);
    const refused = (text: string) =>
      fixture.engine.handle({ kind: 'ingestText', text, title: 'D', role: 'document' });
    await expect(refused(' \n')).rejects.toMatchObject({ code: 'empty' });
    await expect(refused('a\u0000b')).rejects.toMatchObject({ code: 'binary' });
    await expect(refused('a'.repeat(9_000_000))).rejects.toMatchObject({ code: 'too-large' });
  });

  it('measures ΔNLL while the full history fits, and says why not after', async () => {
    const fixture = await bootEngine();
    await open(fixture, { deltaNllEverySteps: 8 });
    await ingest(fixture, prose(4000));
    const measured = fixture.events().filter((event) => event.type === 'deltaNll');
    expect(measured.length).toBeGreaterThan(8);
    expect(measured[0]).toMatchObject({ horizonTokens: 64, cursor: 256 });
    // The first 256 tokens do not fit the budget less its reserve, but a context of raw tokens costs nothing.
    expect(measured[0]!.deltaNll).toBeTypeOf('number');
    const last = measured.at(-1)!;
    expect(last.fullNll).toBeNull();
    expect(last.why).toMatch(/2048/);
  });

  it('measures no difference while everything is raw', async () => {
    const fixture = await bootEngine();
    await open(fixture, { deltaNllEverySteps: 1 });
    await ingest(fixture, prose(150));
    const measured = fixture.events().filter((event) => event.type === 'deltaNll');
    expect(measured[0]!.deltaNll).toBe(0);
  });
});

describe('parameters', () => {
  it('apply at the next refocus and are announced in the trace', async () => {
    const fixture = await bootEngine();
    await open(fixture);
    await ingest(fixture, prose(2000));
    const state = await fixture.engine.handle({ kind: 'setConfig', changes: { budgetTokens: 128 } });
    expect(state.config.budgetTokens).toBe(128);
    expect(frames(fixture).at(-1)!.budgetTokens).toBe(256);
    await fixture.engine.handle({ kind: 'refocus' });
    const last = frames(fixture).at(-1)!;
    expect(last.budgetTokens).toBe(128);
    expect(last.usedTokens).toBeLessThanOrEqual(128);
    const announced = fixture.events().filter((event) => event.type === 'session');
    expect(announced.at(-1)).toMatchObject({ config: { budgetTokens: 128 } });
  });

  it('out of range are refused and nothing changes', async () => {
    const fixture = await bootEngine();
    await open(fixture);
    await expect(
      fixture.engine.handle({ kind: 'setConfig', changes: { budgetTokens: 1 } }),
    ).rejects.toMatchObject({ name: 'ConfigError', parameter: 'budgetTokens' });
    expect((await fixture.engine.handle({ kind: 'setConfig', changes: {} })).config.budgetTokens).toBe(256);
  });

  it('choose another LensNet of the model at the next refocus, and the first one again', async () => {
    const fixture = await bootEngine({ model: withPerceiver() });
    await open(fixture, { maxActions: 0 });
    await ingest(fixture, prose(1000));
    const scoresNow = async (): Promise<readonly number[]> => {
      await fixture.engine.handle({ kind: 'refocus' });
      return frames(fixture).at(-1)!.scores;
    };
    const isConstant = (scores: readonly number[]) => scores.length > 4 && new Set(scores).size === 1;
    expect(isConstant(await scoresNow())).toBe(false);
    await fixture.engine.handle({ kind: 'setConfig', changes: { lensVariant: 'perceiver' } });
    expect(isConstant(await scoresNow())).toBe(true);
    await fixture.engine.handle({ kind: 'setConfig', changes: { lensVariant: 'default' } });
    expect(isConstant(await scoresNow())).toBe(false);
  });

  it('that ask for a LensNet which the model lacks are refused, before anything changes', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture);
    await ingest(fixture, prose(200));
    const wrong = { lensVariant: 'perceiver' };
    const refusal = { name: 'ConfigError', parameter: 'lensVariant' };
    await expect(
      fixture.engine.handle({ kind: 'setConfig', changes: { ...wrong, budgetTokens: 128 } }),
    ).rejects.toMatchObject(refusal);
    await expect(open(fixture, wrong)).rejects.toMatchObject(refusal);
    expect(await fixture.store.list()).toHaveLength(1);
    const { record, config } = await fixture.engine.handle({ kind: 'refocus' });
    expect(record.id).toBe(id);
    expect(config).toMatchObject({ lensVariant: 'default', budgetTokens: 256 });
  });
});

describe('answers', () => {
  it('come after the question, are streamed, and stand in the history', async () => {
    const fixture = await bootEngine();
    await open(fixture);
    await ingest(fixture, prose(3000));
    const { question, answer } = await fixture.engine.handle({ kind: 'ask', text: 'Where is the keeper?' });
    expect(question).toMatchObject({ role: 'user', text: 'Where is the keeper?', ending: 'complete' });
    expect(answer.start).toBeGreaterThan(question.end);
    const decoded = fixture.events().filter((event) => event.type === 'decode');
    expect(decoded).toHaveLength(answer.end - answer.start);
    const streamed = fixture.notices
      .filter((notice) => notice.kind === 'answerText')
      .map(({ delta }) => delta)
      .join('');
    expect(streamed.trim()).toBe(answer.text);
    expect(frames(fixture).some(({ trigger }) => trigger === 'turn-end')).toBe(true);
  });

  it('run the base over changed slots only', async () => {
    const fixture = await bootEngine();
    await open(fixture, { maxNewTokens: 20 });
    await ingest(fixture, prose(150));
    await fixture.engine.handle({ kind: 'ask', text: 'Why?' });
    const { slots } = fixture.model.work;
    // Everything is raw: each slot is run once.
    const state = await fixture.engine.handle({ kind: 'pause' });
    expect(slots).toBeLessThanOrEqual(state.cursor);
  });

  it('take a question far longer than the window', async () => {
    const fixture = await bootEngine();
    await open(fixture);
    const { question, answer } = await fixture.engine.handle({ kind: 'ask', text: prose(3000) });
    expect(question.end - question.start).toBeGreaterThan(3000);
    expect(answer.end).toBeGreaterThan(answer.start);
    for (const frame of frames(fixture)) expect(frame.usedTokens).toBeLessThanOrEqual(256);
  });

  it('stop when asked to, and what was decoded stays', async () => {
    const fixture = await bootEngine();
    fixture.model.work.onAppend = () => new Promise((resolve) => setTimeout(resolve, 1));
    await open(fixture, { maxNewTokens: 4096, temperature: 1 });
    const asking = fixture.engine.handle({ kind: 'ask', text: 'Tell me everything.' });
    await expect(fixture.engine.handle({ kind: 'ask', text: 'Now?' })).rejects.toMatchObject({
      code: 'busy',
    });
    while (!fixture.notices.some(({ kind }) => kind === 'answerText')) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await fixture.engine.handle({ kind: 'stopAnswer' });
    const { answer } = await asking;
    expect(['stopped', 'complete']).toContain(answer.ending);
    expect(answer.end).toBeGreaterThan(answer.start);
  });

  it('say that they were interrupted, not stopped, when another session is opened', async () => {
    const fixture = await bootEngine();
    fixture.model.work.onAppend = () => new Promise((resolve) => setTimeout(resolve, 1));
    await open(fixture, { maxNewTokens: 4096, temperature: 1 });
    const asking = fixture.engine.handle({ kind: 'ask', text: 'Tell me everything.' });
    while (!fixture.notices.some(({ kind }) => kind === 'answerText')) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await open(fixture);
    expect(['interrupted', 'complete']).toContain((await asking).answer.ending);
  });

  it('hold ingestion up meanwhile, which then goes on', async () => {
    const fixture = await bootEngine();
    await open(fixture);
    await fixture.engine.handle({ kind: 'ingestText', text: prose(8000), title: 'D', role: 'document' });
    await fixture.engine.handle({ kind: 'run', tokensPerSecond: 0 });
    const { question, answer } = await fixture.engine.handle({ kind: 'ask', text: 'Now?' });
    await idle(fixture);
    expect(answer.start - question.end).toBe('Answer:'.length);
    expect((await fixture.engine.handle({ kind: 'pause' })).pendingTokens).toBe(0);
  });

  it('are the same for the same seed, and others for another', async () => {
    const texts: string[] = [];
    for (const seed of [7, 7, 8]) {
      const fixture = await bootEngine();
      await open(fixture, { seed, temperature: 1.5, policy: 'random' });
      await ingest(fixture, prose(2500));
      texts.push((await fixture.engine.handle({ kind: 'ask', text: 'Who?' })).answer.text);
    }
    expect(texts[0]).toBe(texts[1]);
    expect(texts[2]).not.toBe(texts[0]);
  });
});

describe('moves by hand', () => {
  it('expand and collapse a block, each a frame of the trace', async () => {
    const fixture = await bootEngine();
    await open(fixture, { policy: 'manual' });
    await ingest(fixture, prose(2000));
    const index = layoutsOf(fixture);
    const gist = index.layoutAt(index.length - 1).find(([lod]) => lod === 1)!;
    const [lod, start, end] = gist;
    const count = frames(fixture).length;
    await fixture.engine.handle({ kind: 'act', action: 'expand', lod, start, end });
    expect(frames(fixture)).toHaveLength(count + 1);
    const applied = frames(fixture).at(-1)!.actions.at(-1)!;
    expect(applied).toMatchObject({ kind: 'expand', reason: 'manual', applied: true, start });
    const report = await fixture.engine.handle({ kind: 'inspect', lod: 0, start, end });
    expect(report).toMatchObject({ inWorkingContext: true, currentLod: 0, canExpand: { legal: false } });
    await fixture.engine.handle({ kind: 'act', action: 'collapse', lod: 0, start, end });
    await expect(
      fixture.engine.handle({ kind: 'act', action: 'collapse', lod: 0, start, end }),
    ).rejects.toMatchObject({ code: 'not-legal' });
  });

  it('count in the tree as they do when the session is read back', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture, { policy: 'manual' });
    await ingest(fixture, prose(2000));
    const index = layoutsOf(fixture);
    const [lod, start, end] = index.layoutAt(index.length - 1).find((entry) => entry[0] === 1)!;
    const counted = () => fixture.engine.handle({ kind: 'inspect', lod: 1, start, end });
    const before = await counted();
    await fixture.engine.handle({ kind: 'act', action: 'expand', lod, start, end });
    const after = await counted();
    expect(after.expansions).toBe(before.expansions + 1);
    await fixture.engine.handle({ kind: 'openSession', sessionId: id });
    expect(await counted()).toEqual(after);
  });

  it('pin a block until it is unpinned, over a reload', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture, { budgetTokens: 512 });
    await ingest(fixture, prose(2000));
    const span = { lod: 0, start: 320, end: 352 };
    const state = await fixture.engine.handle({ kind: 'act', action: 'pin', ...span });
    expect(state.marks).toMatchObject([{ ...span, kind: 'pin' }]);
    const report = await fixture.engine.handle({ kind: 'inspect', ...span });
    expect(report).toMatchObject({ pinned: true, inWorkingContext: true });
    const reopened = await fixture.engine.handle({ kind: 'openSession', sessionId: id });
    expect(reopened.state.marks).toHaveLength(1);
    expect((await fixture.engine.handle({ kind: 'act', action: 'unpin', ...span })).marks).toEqual([]);
  });

  it('name blocks that do not exist', async () => {
    const fixture = await bootEngine();
    await open(fixture);
    await expect(
      fixture.engine.handle({ kind: 'inspect', lod: 2, start: 0, end: 1024 }),
    ).rejects.toMatchObject({ code: 'bad-span' });
  });
});

describe('commands', () => {
  it('before a model or a session say what is missing', async () => {
    const fixture = await bootEngine();
    await expect(fixture.engine.handle({ kind: 'step' })).rejects.toMatchObject({ code: 'no-session' });
    await fixture.engine.dispose();
    await expect(fixture.engine.handle({ kind: 'listSessions' })).rejects.toMatchObject({
      code: 'not-booted',
    });
  });

  it('export a trace that can be read without the model', async () => {
    const fixture = await bootEngine();
    await open(fixture);
    await ingest(fixture, prose(800));
    const { fileName, file } = await fixture.engine.handle({ kind: 'exportTrace', format: 'trace' });
    expect(fileName).toBe('test-trace.jsonl');
    const reading = await readTrace(await file.text());
    expect(reading.header.modelId).toBe('fake');
    expect(reading.events).toEqual(fixture.events());
  });

  it('manage the list of sessions', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture);
    const named = { kind: 'changeSession', sessionId: id, title: 'Renamed', tags: ['prose'] } as const;
    expect((await fixture.engine.handle(named))?.record).toMatchObject({ title: 'Renamed', tags: ['prose'] });
    await open(fixture);
    const titles = (await fixture.engine.handle({ kind: 'listSessions' })).map(({ title }) => title);
    expect(titles).toContain('Renamed');
    await fixture.engine.handle({ kind: 'removeSession', sessionId: id });
    expect(await fixture.engine.handle({ kind: 'listSessions' })).toHaveLength(1);
  });

  it('rename, tag, delete and take back a session that is not open', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture);
    await ingest(fixture, prose(300));
    await open(fixture);
    const recordOf = async () =>
      (await fixture.engine.handle({ kind: 'listSessions' })).find((record) => record.id === id);
    const before = await recordOf();
    const change = { kind: 'changeSession', sessionId: id } as const;
    expect(await fixture.engine.handle({ ...change, title: 'Old log', tags: ['prose'] })).toBeNull();
    const { updatedAt } = before!;
    expect(await recordOf()).toMatchObject({ title: 'Old log', tags: ['prose'], updatedAt });
    await fixture.engine.handle({ ...change, deleted: true });
    expect((await recordOf())?.deletedAt).toBeGreaterThan(0);
    await fixture.engine.handle({ ...change, deleted: false });
    expect((await recordOf())?.deletedAt).toBeNull();
    const { state } = await fixture.engine.handle({ kind: 'openSession', sessionId: id });
    expect(state.record).toMatchObject({ title: 'Old log', tags: ['prose'] });
    expect(state.cursor).toBeGreaterThan(0);
    // Deleting the open one closes it.
    await fixture.engine.handle({ ...change, deleted: true });
    await expect(fixture.engine.handle({ kind: 'setConfig', changes: {} })).rejects.toThrow(
      /No session is open/,
    );
  });

  it('duplicate a session with all that is stored of it', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture, { budgetTokens: 128 });
    await ingest(fixture, prose(2000));
    await fixture.engine.handle({ kind: 'ask', text: 'Where is the lantern?' });
    await fixture.engine.handle({ kind: 'changeSession', sessionId: id, tags: ['prose'] });
    const copy = await fixture.engine.handle({ kind: 'duplicateSession', sessionId: id, title: 'Copy' });
    const wholeOf = async (sessionId: string) => {
      const { file } = await fixture.engine.handle({ kind: 'exportSession', sessionId });
      return Buffer.from(await file.arrayBuffer());
    };
    await fixture.engine.handle({ kind: 'changeSession', sessionId: copy, title: 'Test' });
    // All but the name: the archive says nothing of ids and of when it was written.
    expect((await wholeOf(copy)).equals(await wholeOf(id))).toBe(true);
  });
});
