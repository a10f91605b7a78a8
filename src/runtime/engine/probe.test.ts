import { expect, it } from 'vitest';
import { bootEngine, ingest, open, prose } from '../testing/engine-fixture.ts';

const QUESTION = 'Who keeps the light at the end of the pier?';

it('asks beside the session, which is then as if nobody had asked', async () => {
  const fixture = await bootEngine();
  const { engine } = fixture;
  const id = await open(fixture, { maxNewTokens: 12 });
  await ingest(fixture, prose(900));
  await engine.handle({ kind: 'act', action: 'pin', lod: 1, start: 0, end: 32 });
  const stored = async () => {
    const { events, chat } = await engine.handle({ kind: 'readRun', sessionId: id });
    return { events, chat };
  };
  const before = await stored();
  const state = await engine.handle({ kind: 'pause' });

  const first = await engine.handle({ kind: 'probe', question: QUESTION, expected: ['no such word'] });
  expect(first).toMatchObject({ isAnswered: false, cursor: state.cursor, step: state.step });
  expect(first.answer).not.toBe('');
  const [word] = /[a-z]+/i.exec(first.answer)!;
  const again = await engine.handle({ kind: 'probe', question: QUESTION, expected: [word] });
  expect(again).toEqual({ ...first, isAnswered: true });

  expect(await stored()).toEqual(before);
  expect((await engine.handle({ kind: 'pause' })).cursor).toBe(state.cursor);

  const { answer } = await engine.handle({ kind: 'ask', text: QUESTION });
  expect(answer.text.trim()).toBe(first.answer);
});

it('goes one at a time, and ends with its session', async () => {
  const fixture = await bootEngine();
  const { engine } = fixture;
  await open(fixture, { maxNewTokens: 60 });
  await ingest(fixture, prose(600));
  const probe = { kind: 'probe' as const, question: QUESTION, expected: ['x'] };
  const running = engine.handle(probe);
  await expect(engine.handle(probe)).rejects.toMatchObject({ code: 'busy' });
  await open(fixture);
  await running.catch(() => undefined);
  await ingest(fixture, prose(100));
  expect((await engine.handle(probe)).cursor).toBe(prose(100).length);
});
