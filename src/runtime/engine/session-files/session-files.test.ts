/** A session saved as a file and opened elsewhere: the same bytes again, another base, and files that are no sessions. */
import { describe, expect, it, vi } from 'vitest';
import type { SessionId } from '../../../storage/ports.ts';
import { readArchive } from '../../../storage/ctx/read-archive.ts';
import { createFakeModel } from '../../testing/fake-model.ts';
import { type EngineFixture, bootEngine, idle, ingest, open, prose } from '../../testing/engine-fixture.ts';

async function saved(): Promise<{ fixture: EngineFixture; id: string; file: Blob; fileName: string }> {
  const fixture = await bootEngine();
  const id = await open(fixture, { budgetTokens: 128 });
  await ingest(fixture, prose(3000));
  await fixture.engine.handle({ kind: 'ask', text: 'Where is the lantern?' });
  await fixture.engine.handle({ kind: 'changeSession', sessionId: id, tags: ['prose', 'harbour'] });
  const exported = await fixture.engine.handle({ kind: 'exportSession', sessionId: id });
  return { fixture, id, ...exported };
}

const bytesOf = async (file: Blob) => Buffer.from(await file.arrayBuffer());

describe('a session file', () => {
  it('fault 22: export, import, export: the same bytes, with text, chat, parameters and steps', async () => {
    const { fixture, id, file, fileName } = await saved();
    expect(fileName).toBe('test.ctx');
    const before = await fixture.engine.handle({ kind: 'openSession', sessionId: id });
    const other = await bootEngine();
    const opened = await other.engine.handle({ kind: 'importSession', file });
    expect(opened.damage).toEqual([]);
    expect(opened.chat).toEqual(before.chat);
    expect(opened.provenance).toEqual(before.provenance);
    expect(opened.state.config.budgetTokens).toBe(128);
    expect(opened.state.record.tags).toEqual(['prose', 'harbour']);
    expect(opened.state.record.tokenCount).toBe(before.state.record.tokenCount);
    const layoutOf = ({ events }: typeof before) => events.findLast(({ type }) => type === 'refocus');
    expect(layoutOf(opened)).toEqual(layoutOf(before));
    // The bytes say nothing of when they are written.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
    const again = await other.engine
      .handle({ kind: 'exportSession', sessionId: opened.state.record.id })
      .finally(() => vi.useRealTimers());
    expect((await bytesOf(again.file)).equals(await bytesOf(file))).toBe(true);
  });

  it('says of every node how it was used, as the open session does', async () => {
    const { fixture, file } = await saved();
    const { metadata, session } = await readArchive(file);
    expect(session).not.toBeNull();
    const [blocks, gists] = metadata.nodes!;
    const query = { filter: { lod: 1 }, order: { by: 'place', descending: false }, offset: 0 } as const;
    const { nodes } = await fixture.engine.handle({ kind: 'listNodes', ...query, limit: 500 });
    const written = gists!.accessCount.flatMap((value, i, runs) =>
      i % 2 === 0 ? new Array<number | null>(runs[i + 1]!).fill(value) : [],
    );
    expect(written).toEqual(nodes.map(({ accessCount }) => accessCount));
    expect(Math.max(...written.map(Number))).toBeGreaterThan(0);
    expect(blocks!.nodeCount).toBe(Math.ceil(metadata.levels[0]!.entryCount / 32));
  });

  it('goes on with the same tokens and the same moves as the session that it was saved of', async () => {
    const { fixture, id, file } = await saved();
    const other = await bootEngine();
    await fixture.engine.handle({ kind: 'openSession', sessionId: id });
    const { state } = await other.engine.handle({ kind: 'importSession', file });
    const wentOn = async (of: typeof fixture, sessionId: string) => {
      await ingest(of, prose(500, 3));
      await of.engine.handle({ kind: 'ask', text: 'Which pier is old?' });
      await of.engine.handle({ kind: 'setConfig', changes: {} });
      const { tokens, events } = await (await of.store.open(sessionId as SessionId)).load();
      const moves = events.flatMap((event) => (event.type === 'refocus' ? [event.actions] : []));
      return { tokens, moves };
    };
    const [original, copy] = [await wentOn(fixture, id), await wentOn(other, state.record.id)];
    expect(copy.tokens.length).toBeGreaterThan(state.record.tokenCount);
    expect(copy).toEqual(original);
  });

  it('gives its text to another base, and says so', async () => {
    const { file } = await saved();
    const other = await bootEngine({ model: { ...createFakeModel(), id: 'another' } });
    const opened = await other.engine.handle({ kind: 'importSession', file });
    expect(opened.damage[0]).toMatch(/made with the model “fake”; here it is “another”/);
    expect(opened.chat).toEqual([]);
    await other.engine.handle({ kind: 'run', tokensPerSecond: 0 });
    await idle(other);
    const text = await other.engine.handle({ kind: 'spanText', start: 0, end: 16, maxCharacters: 200 });
    expect(JSON.stringify(text)).toContain('harbour');
  });

  it('that is none leaves nothing behind', async () => {
    const fixture = await bootEngine();
    const id = await open(fixture);
    const { file } = await saved();
    const cut = file.slice(0, file.size - 40);
    for (const broken of [new Blob(['hello']), cut]) {
      await expect(fixture.engine.handle({ kind: 'importSession', file: broken })).rejects.toMatchObject({
        code: 'bad-archive',
        kept: expect.stringContaining('unchanged') as string,
      });
    }
    expect((await fixture.store.list()).map((record) => record.id)).toEqual([id]);
  });
});
