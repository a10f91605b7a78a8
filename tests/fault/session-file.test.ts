/** Session files that are cut, lie about what they hold, or hold what no model can read. */
import { beforeAll, describe, expect, it, test } from 'vitest';
import { CtxError } from '../../src/storage/ctx/ctx-error.ts';
import { CTX_HEADER_BYTES, decodeHeader } from '../../src/storage/ctx/level-file.ts';
import { readArchive } from '../../src/storage/ctx/read-archive.ts';
import { bootEngine } from '../../src/runtime/testing/engine-fixture.ts';
import { archiveOf, partsOf, saveSession, withBytes, withDocument } from './archive-fixture.ts';

let saved: Blob;

beforeAll(async () => {
  saved = await saveSession();
});

async function failure(archive: Blob): Promise<CtxError> {
  const error = await readArchive(archive).then(
    () => expect.unreachable('was read'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CtxError);
  return error as CtxError;
}

describe('fault 16: a level cut at every byte of its header, and its archive everywhere', () => {
  it.each(['LOD0.ctx', 'LOD1.ctx'])('%s', async (name) => {
    const level = (await partsOf(saved)).get(name)!;
    for (let length = 0; length < CTX_HEADER_BYTES; length++) {
      expect(() => decodeHeader(level.subarray(0, length), length, name)).toThrow(
        expect.objectContaining({
          name: 'CtxError',
          code: 'bad-header',
          file: name,
          byteOffset: length,
        }) as Error,
      );
    }
    const head = level.subarray(0, CTX_HEADER_BYTES);
    expect(() => decodeHeader(head, level.length - 1, name)).toThrow(/the header promises/);
    expect(decodeHeader(head, level.length, name).level).toBe(Number(name[3]));
  });

  it('the archive', async () => {
    const ends = [0, 1, 4, 29, 30, 64, 94, saved.size >> 1, saved.size - 22, saved.size - 1];
    for (const end of ends)
      expect(await failure(saved.slice(0, end))).toMatchObject({ code: 'not-an-archive' });
  });
});

type Json = Record<string, unknown>;
const levels = (document: Json) => document['levels'] as Json[];
const runs = (document: Json) => document['provenance'] as Json[];
const chat = (document: Json) => document['chat'] as Json[];
const marks = (document: Json) => document['marks'] as Json[];
const waiting = (document: Json) => document['waiting'] as Json[];
const nodes = (document: Json) => document['nodes'] as Json[];
const HUGE = 2 ** 53 - 1;

describe('fault 17: counts that are huge, spans that overlap or overflow, levels without their children', () => {
  it.each<[string, string, (document: Json) => void]>([
    ['tokens without end', 'metadata.json', (it) => (levels(it)[0]!['entryCount'] = HUGE)],
    ['more gists than children', 'metadata.json', (it) => (levels(it)[1]!['entryCount'] = HUGE)],
    ['a count beyond what numbers hold', 'metadata.json', (it) => (levels(it)[0]!['entryCount'] = 1e300)],
    ['a fraction of a token', 'metadata.json', (it) => (levels(it)[0]!['entryCount'] = 1.5)],
    ['a level twice', 'metadata.json', (it) => (levels(it)[1]!['level'] = 0)],
    ['a level without the one below', 'metadata.json', (it) => void levels(it).splice(1, 1)],
    ['a file of another level', 'metadata.json', (it) => (levels(it)[1]!['file'] = 'LOD0.ctx')],
    ['a level beyond the last', 'metadata.json', (it) => (levels(it)[1]!['level'] = 5)],
    ['runs that overlap', 'metadata.json', (it) => (runs(it)[1]!['start'] = 0)],
    ['a run that ends before it begins', 'metadata.json', (it) => (runs(it)[0]!['end'] = 0)],
    ['a history that ends early', 'metadata.json', (it) => void runs(it).pop()],
    ['more nodes than a level has', 'metadata.json', (it) => (nodes(it)[1]!['nodeCount'] = HUGE)],
    ['runs of another length', 'metadata.json', (it) => (nodes(it)[0]!['residency'] = [0, HUGE])],
    ['runs without a count', 'metadata.json', (it) => (nodes(it)[0]!['expansions'] = [0])],
    ['nodes of a level that there is not', 'metadata.json', (it) => (nodes(it)[0]!['level'] = 3)],
    ['flags that there are not', 'metadata.json', (it) => ((nodes(it)[0]!['flags'] as number[])[0] = 64)],
    ['another block size', 'metadata.json', (it) => (it['blockSize'] = 16)],
    ['a hidden size without end', 'metadata.json', (it) => ((it['model'] as Json)['hiddenSize'] = HUGE)],
    ['a message beyond the history', 'session.json', (it) => (chat(it)[0]!['end'] = HUGE)],
    ['a message that ends before it begins', 'session.json', (it) => (chat(it)[0]!['end'] = 0)],
    ['a mark beyond the history', 'session.json', (it) => (marks(it)[0]!['end'] = HUGE)],
    ['a mark of a level that there is not', 'session.json', (it) => (marks(it)[0]!['lod'] = 99)],
    ['a waiting text without end', 'session.json', (it) => (waiting(it)[0]!['tokenCount'] = HUGE)],
    ['more read than waits', 'session.json', (it) => (waiting(it)[0]!['ingested'] = HUGE)],
  ])('%s', async (_, file, change) => {
    const error = await failure(await withDocument(saved, file, change));
    expect(error.message).toMatch(/^(metadata|session)\.json|^(LOD\d|waiting)\.ctx/);
  });

  it('one gist more than its children make, in file, header and metadata alike', async () => {
    const parts = await partsOf(saved);
    const level = parts.get('LOD1.ctx')!;
    const { entryCount, hiddenSize } = decodeHeader(level, level.length, 'LOD1.ctx');
    const longer = new Uint8Array(level.length + 2 * hiddenSize);
    longer.set(level);
    new DataView(longer.buffer).setBigUint64(14, BigInt(entryCount + 1), true);
    const archive = await archiveOf(new Map(parts).set('LOD1.ctx', longer));
    const changed = await withDocument(archive, 'metadata.json', (it) => {
      levels(it)[1]!['entryCount'] = entryCount + 1;
    });
    const error = await failure(changed);
    expect(error).toMatchObject({ code: 'sizes-disagree', file: 'metadata.json' });
    expect(error.message).toContain(`its children make ${entryCount} at most`);
  });

  it('a header that promises 2⁶⁴ − 1 entries', async () => {
    const archive = await withBytes(saved, 'LOD1.ctx', (view) => {
      view.setBigUint64(14, 2n ** 64n - 1n, true);
    });
    expect(await failure(archive)).toMatchObject({
      code: 'sizes-disagree',
      file: 'LOD1.ctx',
      byteOffset: 14,
    });
  });
});

describe('fault 18: gists that are no numbers, and tokens that no vocabulary has', () => {
  test.each([
    ['NaN', 0x7e00],
    ['+∞', 0x7c00],
    ['−∞', 0xfc00],
  ])('a gist with %s is refused with its place', async (_, bits) => {
    const byteOffset = CTX_HEADER_BYTES + 6;
    const archive = await withBytes(saved, 'LOD1.ctx', (view) => {
      view.setUint16(byteOffset, bits, true);
    });
    expect(await failure(archive)).toMatchObject({ code: 'bad-gists', file: 'LOD1.ctx', byteOffset });
  });

  test.each(['LOD0.ctx', 'waiting.ctx'])(
    'ids in %s that the model lacks never reach it: the text is read anew',
    async (name) => {
      const archive = await withBytes(saved, name, (view) => {
        view.setUint32(CTX_HEADER_BYTES + 40, 0xfffffff0, true);
      });
      const { engine, model, store } = await bootEngine();
      const { damage, state } = await engine.handle({ kind: 'importSession', file: archive });
      expect(damage.join()).toMatch(/read anew/);
      const handle = await store.open(state.record.id);
      const stored = await handle.load();
      const ids = [...stored.tokens, ...stored.pending.flatMap(({ ids: waits }) => [...waits])];
      expect(ids.length).toBeGreaterThan(1000);
      expect(Math.max(...ids)).toBeLessThan(model.tokenizer.vocabularySize);
    },
  );
});

it('an archive of levels alone brings pins by its nodes’ flags, and says what stays in the file', async () => {
  const parts = await partsOf(saved);
  for (const name of ['session.json', 'trace.jsonl', 'text.jsonl', 'waiting.ctx']) parts.delete(name);
  const { engine } = await bootEngine();
  const opened = await engine.handle({ kind: 'importSession', file: await archiveOf(parts) });
  expect(opened.state.marks).toEqual([{ lod: 1, start: 0, end: 32, kind: 'pin' }]);
  expect(opened.damage).toEqual([expect.stringMatching(/no recorded steps/)]);
  expect(opened.state.cursor).toBeGreaterThan(1000);
});
