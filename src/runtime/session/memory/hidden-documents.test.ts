import { describe, expect, it } from 'vitest';
import {
  type EngineFixture,
  bootEngine,
  branchEnded,
  ingest,
  open,
  prose,
} from '../../testing/engine-fixture.ts';

const FIRST = prose(600, 1);
const SECOND = prose(500, 40);
const THIRD = prose(300, 90);

async function add(fixture: EngineFixture, text: string): Promise<void> {
  await ingest(fixture, text);
}

/** Three documents and a question between the second and the third. @returns the ids of session and second document. */
async function threeDocuments(config = {}) {
  const fixture = await bootEngine();
  const id = await open(fixture, { maxNewTokens: 12, recentTokens: 64, budgetTokens: 400, ...config });
  await add(fixture, FIRST);
  await add(fixture, SECOND);
  await fixture.engine.handle({ kind: 'ask', text: 'Who keeps the light at the end of the pier?' });
  await add(fixture, THIRD);
  const { provenance } = await fixture.engine.handle({ kind: 'openSession', sessionId: id });
  const documentId = provenance.filter(({ role }) => role === 'document')[1]!.documentId;
  return { fixture, id, documentId };
}

/** What the newest frame holds of the tokens `start..end-1`: the finest level. */
async function finestLod(fixture: EngineFixture, id: string, [start, end]: readonly [number, number]) {
  const lods: number[] = [];
  await fixture.engine.handle({ kind: 'openSession', sessionId: id });
  for (let at = Math.ceil(start / 32) * 32; at + 32 <= end; at += 32) {
    const { currentLod } = await fixture.engine.handle({ kind: 'inspect', lod: 0, start: at, end: at + 32 });
    lods.push(currentLod ?? 9);
  }
  return Math.min(...lods);
}

const spanOf = async (fixture: EngineFixture, id: string, documentId: string) => {
  const { provenance } = await fixture.engine.handle({ kind: 'openSession', sessionId: id });
  const run = provenance.find((each) => each.documentId === documentId)!;
  return [run.start, run.end] as const;
};

async function framesOf({ engine }: EngineFixture, sessionId: string) {
  const { events, chat } = await engine.handle({ kind: 'readRun', sessionId });
  const frames = events.filter((event) => event.type === 'refocus');
  return {
    frames: frames.map(({ step, cursor, trigger, actions }) => ({ step, cursor, trigger, actions })),
    chat: chat.map(({ role, text }) => ({ role, text })),
  };
}

describe('hiding a document', () => {
  it('keeps it coarse through new tokens, questions, a reload and a branch; the trace and the state say so', async () => {
    const { fixture, id, documentId } = await threeDocuments({ tauExpand: 0 });
    const { engine } = fixture;
    const span = await spanOf(fixture, id, documentId);
    const state = await engine.handle({ kind: 'hideDocument', documentId, hidden: true });
    expect(state.hiddenDocuments).toEqual([documentId]);
    await add(fixture, prose(200, 3));
    await engine.handle({ kind: 'ask', text: 'And where is it?' });
    expect(await finestLod(fixture, id, span)).toBe(1);
    const reopened = await engine.handle({ kind: 'openSession', sessionId: id });
    expect(reopened.state.hiddenDocuments).toEqual([documentId]);
    expect(reopened.events.filter(({ type }) => type === 'hide')).toMatchObject([
      { documentId, hidden: true },
    ]);
    await engine.handle({ kind: 'refocus' });
    expect(await finestLod(fixture, id, span)).toBe(1);
    const block = { lod: 1, start: Math.ceil(span[0] / 32) * 32, end: Math.ceil(span[0] / 32) * 32 + 32 };
    await expect(engine.handle({ kind: 'act', action: 'expand', ...block })).rejects.toMatchObject({
      code: 'not-legal',
    });
    const { file } = await engine.handle({ kind: 'exportTrace', format: 'trace' });
    expect(await file.text()).toContain('"type":"hide"');

    const original = await framesOf(fixture, id);
    const hiddenAt = reopened.events.find(({ type }) => type === 'hide')!.step;
    for (const step of [2, hiddenAt, hiddenAt + 1, hiddenAt + 3]) {
      fixture.notices.length = 0;
      const { state: branched } = await engine.handle({
        kind: 'branchSession',
        sessionId: id,
        step,
        title: 'Branch',
        changes: {},
      });
      expect((await branchEnded(fixture)).notes).toEqual([]);
      expect([step, await framesOf(fixture, branched.record.id)]).toEqual([step, original]);
      const after = await engine.handle({ kind: 'pause' });
      expect(after.hiddenDocuments).toEqual([documentId]);
    }
  });

  it('travels with the session file', async () => {
    const { fixture, id, documentId } = await threeDocuments();
    const { engine } = fixture;
    await engine.handle({ kind: 'hideDocument', documentId, hidden: true });
    const { file } = await engine.handle({ kind: 'exportSession', sessionId: id });
    const { state } = await engine.handle({ kind: 'importSession', file });
    expect(state.record.id).not.toBe(id);
    expect(state.hiddenDocuments).toEqual([documentId]);
  });

  it('is taken back: raw again in the recent window, and free to expand elsewhere', async () => {
    const { fixture, id } = await threeDocuments({ recentTokens: 256 });
    const { engine } = fixture;
    const { provenance } = await engine.handle({ kind: 'openSession', sessionId: id });
    const { documentId, start, end } = provenance.findLast(({ role }) => role === 'document')!;
    const recent = [end - 160, end] as const;
    expect(await finestLod(fixture, id, recent)).toBe(0);
    await engine.handle({ kind: 'hideDocument', documentId, hidden: true });
    expect(await finestLod(fixture, id, recent)).toBe(1);
    const shown = await engine.handle({ kind: 'hideDocument', documentId, hidden: false });
    expect(shown.hiddenDocuments).toEqual([]);
    expect(await finestLod(fixture, id, recent)).toBe(0);
    const block = { lod: 0, start: Math.ceil(start / 32) * 32, end: Math.ceil(start / 32) * 32 + 32 };
    expect(await engine.handle({ kind: 'inspect', ...block })).toMatchObject({
      hidden: false,
      forbidden: false,
    });
  });

  it('covers what of the document is read later', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture, { recentTokens: 32, budgetTokens: 400 });
    const { engine } = fixture;
    const { documentId } = await engine.handle({
      kind: 'ingestText',
      text: FIRST,
      title: 'Doc',
      role: 'document',
    });
    await engine.handle({ kind: 'step' });
    await engine.handle({ kind: 'step' });
    await engine.handle({ kind: 'hideDocument', documentId, hidden: true });
    for (let i = 0; i < 6; i++) await engine.handle({ kind: 'step' });
    expect(await finestLod(fixture, id, [0, 256])).toBe(1);
  });

  it('is refused for what is no document of the history', async () => {
    const { fixture } = await threeDocuments();
    const hide = (documentId: string) =>
      fixture.engine.handle({ kind: 'hideDocument', documentId, hidden: true });
    await expect(hide('no-such')).rejects.toMatchObject({ code: 'bad-span' });
  });
});

describe('a session without a document', () => {
  it('reads every other document and asks every question again, and is then as if it had never been read', async () => {
    const { fixture, id, documentId } = await threeDocuments();
    const { engine } = fixture;
    fixture.notices.length = 0;
    const { state } = await engine.handle({
      kind: 'leaveOutDocument',
      sessionId: id,
      documentId,
      title: 'Without',
    });
    const progress = await branchEnded(fixture);
    expect(progress).toMatchObject({ phase: 'done', error: null, notes: [], step: 0, without: 'Doc' });
    expect(progress.doneTokens).toBeGreaterThan(0);
    const made = await framesOf(fixture, state.record.id);

    const other = await bootEngine();
    const otherId = await open(other, { maxNewTokens: 12, recentTokens: 64, budgetTokens: 400 });
    await add(other, FIRST);
    await other.engine.handle({ kind: 'ask', text: 'Who keeps the light at the end of the pier?' });
    await add(other, THIRD);
    expect(made).toEqual(await framesOf(other, otherId));
    const { provenance } = await engine.handle({ kind: 'openSession', sessionId: state.record.id });
    expect(provenance.some((run) => run.documentId === documentId)).toBe(false);
    expect((await engine.handle({ kind: 'listSessions' })).map(({ title }) => title)).toContain('Test');
  });

  it('leaves out what was done by hand behind the document, and says so', async () => {
    const { fixture, id, documentId } = await threeDocuments();
    const { engine } = fixture;
    const [, end] = await spanOf(fixture, id, documentId);
    const after = Math.ceil(end / 32) * 32;
    await engine.handle({ kind: 'act', action: 'pin', lod: 1, start: 0, end: 32 });
    await engine.handle({ kind: 'act', action: 'pin', lod: 1, start: after, end: after + 32 });
    fixture.notices.length = 0;
    await engine.handle({ kind: 'leaveOutDocument', sessionId: id, documentId, title: 'Without' });
    expect((await branchEnded(fixture)).notes).toEqual([expect.stringMatching(/^1 acts? by hand/)]);
    const { marks } = await engine.handle({ kind: 'pause' });
    expect(marks).toMatchObject([{ kind: 'pin', start: 0 }]);
  });
});
