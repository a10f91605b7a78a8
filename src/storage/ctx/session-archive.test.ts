/** A session as a file: the same bytes after a round trip, the golden file, and every fault named with its place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../core/trace/config.ts';
import { GistTree } from '../../core/tree/gist-tree.ts';
import type { SessionId, StoredSession } from '../ports.ts';
import { type ArchivedNodes, archivedNodes, flaggedNodes } from './archive-nodes.ts';
import { CTX_HEADER_BYTES, decodeHeader, encodeHeader } from './level-file.ts';
import { readArchive } from './read-archive.ts';
import { writeArchive } from './write-archive.ts';

const GOLDEN = join(import.meta.dirname, '../../../tests/fixtures/session.ctx');
const HIDDEN_SIZE = 4;

/** 70 tokens in two documents, two gists, one question, one text that waits. */
function session(): StoredSession {
  const tokens = Uint32Array.from({ length: 70 }, (_, index) => (index * 7919) % 1000);
  return {
    record: {
      id: 'not-in-the-file' as SessionId,
      title: 'Walk',
      createdAt: 1_700_000_000_000,
      updatedAt: 5,
      modelId: 'tiny',
      modelHash: 'abc',
      tokenCount: tokens.length,
      stepCount: 2,
      config: DEFAULT_RUN_CONFIG,
    },
    tokens,
    provenance: [
      { start: 0, end: 60, role: 'document', documentId: 'a', title: 'Log', wallClockMs: 1 },
      { start: 60, end: 70, role: 'user', documentId: 'b', title: 'Chat', wallClockMs: 2 },
    ],
    gists: [
      { level: 1, hiddenSize: HIDDEN_SIZE, values: Uint16Array.from({ length: 8 }, (_, i) => 0x3c00 + i) },
    ],
    events: [
      { type: 'ingest', step: 0, timeMs: 0, start: 0, end: 60, role: 'document', documentId: 'a' },
      { type: 'gist', step: 0, timeMs: 1, lod: 1, firstIndex: 0, count: 1 },
    ],
    chat: [{ id: 'm', role: 'user', text: 'Where?', start: 60, end: 70, createdAt: 3, ending: 'complete' }],
    marks: [{ lod: 1, start: 0, end: 32, kind: 'tag', name: 'harbour' }],
    cold: [{ lod: 0, first: 0, count: 1 }],
    pending: [
      { documentId: 'c', title: 'Next', role: 'document', ids: Uint32Array.of(4, 5, 6), ingested: 1 },
    ],
    damage: [],
    eventCount: 0,
    gistStanding: null,
    staging: null,
    index: [],
  };
}

/** The session's tree after its second gist was used and measured, and its first block went to the cold tier. */
function nodes(): readonly ArchivedNodes[] {
  const { tokens, gists, provenance } = session();
  const tree = new GistTree({ hiddenSize: HIDDEN_SIZE, maxLod: 1, gistVersion: 3 });
  tree.appendTokens(tokens.subarray(0, 60), provenance[0]!, 1);
  tree.appendTokens(tokens.subarray(60), provenance[1]!, 2);
  tree.setGists(1, 0, gists[0]!.values, 1);
  tree.metadata(1).recordAccess(1, 2, 2);
  tree.metadata(1).expansions.set(1, 4);
  tree.metadata(1).sensitivity.set(1, -0.25);
  tree.setFlag(1, 0, 'tagged', true);
  tree.withhold([{ lod: 0, first: 0, count: 1 }]);
  return archivedNodes(tree);
}

const options = {
  nodes: nodes(),
  hiddenSize: HIDDEN_SIZE,
  decode: (ids: Uint32Array) => Array.from(ids, (id) => `w${id}`).join(' '),
};
const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());
const archive = async () => bytesOf(await writeArchive(session(), options));

describe('a session archive', () => {
  it('gives back everything but the id and the time of the last change', async () => {
    const read = await readArchive(new Blob([await archive()]));
    const { record, tokens, gists, provenance, events, chat, marks, pending } = session();
    expect(read.metadata).toMatchObject({ title: record.title, createdAt: record.createdAt, provenance });
    expect(read.metadata.nodes).toEqual(nodes());
    expect(read.tokens).toEqual(tokens);
    expect(read.gists).toEqual(gists);
    expect(read.session).toMatchObject({ chat, marks, pending, events });
    expect(read.session!.document).toMatchObject({ stepCount: 2, config: record.config });
    expect(read.texts.map(({ title }) => title)).toEqual(['Log', 'Chat']);
    expect(read.texts[1]!.text).toMatch(/^w\d+( w\d+){9}$/);
  });

  it('begins as the golden file does that the Python reader is tested with, and reads it', async () => {
    const golden = readFileSync(GOLDEN);
    // Behind the levels stand the parameters, of which there are more with every version.
    const levels = golden.subarray(0, golden.indexOf('session.json') - 30);
    expect(levels.length).toBeGreaterThan(500);
    expect(Buffer.from(await archive()).subarray(0, levels.length)).toEqual(levels);
    const read = await readArchive(new Blob([golden]));
    expect(read.tokens).toEqual(session().tokens);
    expect(read.session!.chat).toEqual(session().chat);
  });

  it('tells of its progress, and stops when it is told to', async () => {
    const seen: number[] = [];
    await writeArchive(session(), { ...options, onProgress: (done, total) => seen.push(done / total) });
    expect(seen.at(-1)).toBe(1);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(readArchive(new Blob([await archive()]), { signal })).rejects.toThrow('enough');
  });

  it('refuses what is no archive', async () => {
    await expect(readArchive(new Blob(['hello']))).rejects.toMatchObject({ code: 'not-an-archive' });
  });
});

describe('what is known of nodes', () => {
  it('stands in runs of equal neighbours', () => {
    const [blocks, gists] = nodes();
    expect(blocks).toMatchObject({ level: 0, nodeCount: 3, flags: [8, 1, 0, 2], gistVersion: [null, 3] });
    expect(gists).toMatchObject({
      nodeCount: 2,
      createdAtStep: [1, 2],
      gistVersion: [3, 2],
      accessCount: [0, 1, 1, 1],
      lastAccessStep: [null, 1, 2, 1],
      expansions: [0, 1, 4, 1],
      residency: [0, 1, 2, 1],
      sensitivity: [null, 1, -0.25, 1],
      flags: [2, 1, 0, 1],
    });
    expect(flaggedNodes(nodes(), 'cold')).toEqual([{ lod: 0, first: 0, count: 1 }]);
  });

  it('need not be there: any writer may make levels alone', async () => {
    const { hiddenSize, decode } = options;
    const read = await readArchive(await writeArchive(session(), { hiddenSize, decode }));
    expect(read.metadata.nodes).toBeUndefined();
  });
});

describe('the header of a level', () => {
  const header = {
    level: 1,
    blockSize: 32,
    hiddenSize: 4,
    dtype: 'fp16',
    entryCount: 2,
    modelName: 'tiny',
  } as const;
  const encoded = () => encodeHeader(header);
  const fileBytes = CTX_HEADER_BYTES + 16;

  it('stands where the format says', () => {
    const view = new DataView(encoded().buffer);
    expect(view.getUint32(0, true)).toBe(0x4d434354);
    expect([4, 6, 8, 10, 12].map((at) => view.getUint16(at, true))).toEqual([1, 1, 32, 4, 1]);
    expect(view.getBigUint64(14, true)).toBe(2n);
    expect(decodeHeader(encoded(), fileBytes, 'LOD1.ctx')).toEqual(header);
  });

  it.each([
    { at: 0, to: 1, code: 'bad-header', byteOffset: 0 },
    { at: 4, to: 9, code: 'future-version', byteOffset: 4 },
    { at: 4, to: 0, code: 'bad-header', byteOffset: 4 },
    { at: 12, to: 77, code: 'bad-header', byteOffset: 12 },
    { at: 14, to: 3, code: 'sizes-disagree', byteOffset: 14 },
    { at: 21, to: 255, code: 'sizes-disagree', byteOffset: 14 },
    { at: 60, to: 1, code: 'bad-header', byteOffset: 60 },
  ])('is refused with byte $at as $to: $code', ({ at, to, code, byteOffset }) => {
    const bytes = encoded();
    bytes[at] = to;
    expect(() => decodeHeader(bytes, fileBytes, 'LOD1.ctx')).toThrow(
      expect.objectContaining({ name: 'CtxError', code, byteOffset, file: 'LOD1.ctx' }) as Error,
    );
  });
});
