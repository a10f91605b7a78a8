import { beforeAll, describe, expect, it } from 'vitest';
import { GistTree } from '../../../core/tree/gist-tree.ts';
import { NODE_FLAGS } from '../../../core/tree/node-columns.ts';
import { entryAt, layoutOf } from '../../../core/context/working-context.ts';
import { createFakeModel, FAKE_HIDDEN_SIZE } from '../../testing/fake-model.ts';
import { bootEngine, type EngineFixture, ingest, open, prose } from '../../testing/engine-fixture.ts';
import { counterfactualOf } from './sensitivity.ts';
import { searchText, tokensOfSpan } from './span-text.ts';
import { treeCells } from './tree-cells.ts';

const ORIGIN = { role: 'document', documentId: 'd', title: 'D', wallClockMs: 0 } as const;
const { tokenizer } = createFakeModel();

/** A tree of whole levels: `blocks` blocks of text and every gist that they make. */
function treeOf(text: string): GistTree {
  const tree = new GistTree({ hiddenSize: FAKE_HIDDEN_SIZE });
  tree.appendTokens(tokenizer.encode(text), ORIGIN);
  for (let work = tree.nextGistWork(64); work !== null; work = tree.nextGistWork(64)) {
    tree.setGists(work.lod, work.firstIndex, new Uint16Array(work.count * FAKE_HIDDEN_SIZE).fill(0x3c00));
  }
  return tree;
}

it('lists tokens one by one, as far as there are any', () => {
  const tree = treeOf('A harbour.');
  const listed = tokensOfSpan(tree, tokenizer, 2, 99);
  expect(listed.map(({ text }) => text).join('')).toBe('harbour.');
  expect(listed.map(({ id }) => id)).toEqual([...tree.tokens(2, 10)]);
  expect(tokensOfSpan(tree, tokenizer, 50, 60)).toEqual([]);
});

describe('searching text', () => {
  const find = (text: string, query: string, limit = 10) =>
    searchText(treeOf(text), tokenizer, query, limit, () => Promise.resolve());

  it('finds tokens whatever the capitals, with what stands around them', async () => {
    const { hits, total } = await find('A small Harbour. The harbour sleeps.', 'harbour');
    expect(total).toBe(2);
    expect(hits[0]).toEqual({
      start: 8,
      end: 15,
      before: 'A small ',
      match: 'Harbour',
      after: '. The harbour sleeps.',
    });
  });

  it('finds what straddles two chunks once, and counts what it does not list', async () => {
    const text = `${'x'.repeat(2045)}needle${'x'.repeat(3000)}needle needle`;
    expect((await find(text, 'needle')).hits.map(({ start }) => start)).toEqual([2045, 5051, 5058]);
    expect(await find(text, 'needle', 1)).toMatchObject({ hits: [{ start: 2045 }], total: 3 });
  });

  it('takes signs for themselves', async () => {
    expect((await find('is it (a+b)? yes', '(a+b)?')).total).toBe(1);
    expect((await find('aaab', 'a+b')).total).toBe(0);
  });
});

describe('cells of the tree', () => {
  const tree = treeOf('y'.repeat(32 * 100));
  tree.metadata(1).recordAccess(7, 12, 3);
  tree.metadata(1).accessCount.set(9, 5);
  tree.metadata(1).lastAccessStep.set(9, 4);
  tree.setFlag(1, 7 * 32, 'pinned', true);
  tree.setFlag(1, 6 * 32, 'tagged', true);
  const everything = { start: 0, end: tree.tokenCount, cells: 200 };

  it('gives one cell a node while they fit', () => {
    const { levels } = treeCells(tree, 20, { ...everything, measure: 'accessCount' });
    expect(levels.map(({ nodeCount, stride }) => [nodeCount, stride])).toEqual([
      [100, 1],
      [100, 1],
      [3, 1],
      [0, 1],
      [0, 1],
    ]);
    const { values, flags, matches } = levels[1]!;
    expect([values[7], values[8], flags[7], matches]).toEqual([1, 0, NODE_FLAGS.pinned, null]);
    const last = treeCells(tree, 20, { ...everything, measure: 'lastAccessStep' }).levels[1]!;
    expect([last.values[7], last.values[8]]).toEqual([12, NaN]);
  });

  it('says which cells hold a node that a filter means', () => {
    const filter = { ranges: { accessCount: { min: 5 } } };
    const wanted = { start: 0, end: tree.tokenCount, cells: 30, measure: 'residency', filter } as const;
    const { levels } = treeCells(tree, 20, wanted);
    expect(levels[0]!.matches).toEqual(new Uint8Array(25));
    expect([...levels[1]!.matches!.keys()].filter((cell) => levels[1]!.matches![cell] === 1)).toEqual([2]);
  });

  it('sums up neighbours where they do not fit, and covers the range whatever its start', () => {
    const some = { start: 5 * 32, end: 100 * 32, cells: 30 };
    const level = treeCells(tree, 20, { ...some, measure: 'accessCount' }).levels[1]!;
    expect(level).toMatchObject({ firstIndex: 4, stride: 4 });
    expect(level.values.length).toBe(24);
    expect([level.values[0], level.values[1]]).toEqual([1, 5]);
    expect(level.flags[0]).toBe(NODE_FLAGS.pinned | NODE_FLAGS.tagged);
  });
});

describe('the contexts of a sensitivity', () => {
  const tree = treeOf('z'.repeat(32 * 40));
  const tail = Array.from({ length: 8 }, (_, i) => entryAt(0, 1024 + i * 32));
  const spans = (layout: { readonly entries: readonly { lod: number; start: number }[] }, from: number) =>
    layout.entries
      .filter(({ start }) => start >= from && start < from + 64)
      .map(({ lod, start }) => [lod, start]);

  it('split what is coarser around the block, and leave the newest tokens to predict', () => {
    const { fine, coarse, horizon } = counterfactualOf(tree, layoutOf([entryAt(2, 0), ...tail]), {
      lod: 0,
      start: 64,
      end: 96,
    });
    expect(spans(fine, 64)).toEqual([
      [0, 64],
      [1, 96],
    ]);
    expect(spans(coarse, 64)).toEqual([
      [1, 64],
      [1, 96],
    ]);
    expect(fine.usedTokens - coarse.usedTokens).toBe(31);
    expect([coarse.cursor, horizon.length]).toEqual([1248, 32]);
    for (const { entries } of [fine, coarse]) {
      for (let i = 1; i < entries.length; i++) expect(entries[i]!.start).toBe(entries[i - 1]!.end);
    }
  });

  it('put one gist where its parts stood', () => {
    const layout = layoutOf([...Array.from({ length: 32 }, (_, i) => entryAt(1, i * 32)), ...tail]);
    const { fine, coarse } = counterfactualOf(tree, layout, { lod: 2, start: 0, end: 1024 });
    expect(coarse.entries[0]).toMatchObject({ lod: 2, start: 0 });
    expect(fine.usedTokens).toBe(32 + 7 * 32);
  });

  it('refuse the newest tokens and a short history', () => {
    const layout = layoutOf([entryAt(2, 0), ...tail]);
    const refused = (block: { lod: number; start: number; end: number }) => () =>
      counterfactualOf(tree, layout, block);
    expect(refused({ lod: 0, start: 1248, end: 1280 })).toThrow(/newest tokens/);
    expect(() =>
      counterfactualOf(treeOf('ab'), layoutOf([entryAt(0, 0, 2)]), { lod: 0, start: 0, end: 2 }),
    ).toThrow(/no gist yet/);
  });
});

describe('asking the engine', () => {
  let fixture: EngineFixture;
  let sessionId: string;

  beforeAll(async () => {
    fixture = await bootEngine();
    sessionId = await open(fixture);
    await ingest(fixture, prose(4000));
  }, 60_000);

  const gistBack = async () => {
    const layout = await fixture.engine.handle({
      kind: 'treeCells',
      start: 0,
      end: 4000,
      cells: 500,
      measure: 'accessCount',
    });
    expect(layout.tokenCount).toBe(prose(4000).length);
    for (let start = 0; ; start += 32) {
      const block = await fixture.engine.handle({ kind: 'inspect', lod: 1, start, end: start + 32 });
      if (block.inWorkingContext) return { lod: 1, start, end: start + 32 };
    }
  };

  it('finds the gist of a text that it holds as the most similar one', async () => {
    const { text } = await fixture.engine.handle({ kind: 'spanText', start: 0, end: 32, maxCharacters: 32 });
    const { by, levels } = await fixture.engine.handle({ kind: 'searchSimilar', query: text, limit: 3 });
    expect(by).toBe('gist');
    expect(levels[0]!.hits[0]).toMatchObject({ start: 0, end: 32 });
    expect(levels[0]!.hits[0]!.cosine).toBeCloseTo(1, 2);
    expect(levels.map(({ lod, hits }) => [lod, hits.length])).toEqual([
      [1, 3],
      [2, 3],
    ]);
    const short = await fixture.engine.handle({ kind: 'searchSimilar', query: 'gull', limit: 3 });
    expect(short.by).toBe('embedding');
  });

  it('lists nodes page by page, and gives all of them as a file', async () => {
    const question = { filter: { lod: 1 }, order: { by: 'accessCount', descending: true } } as const;
    const first = await fixture.engine.handle({ kind: 'listNodes', ...question, offset: 0, limit: 2 });
    const next = await fixture.engine.handle({ kind: 'listNodes', ...question, offset: 2, limit: 500 });
    expect([first.nodes.length, next.nodes.length]).toEqual([2, first.total - 2]);
    expect(first.treeNodes).toBeGreaterThan(first.total);
    const counts = [...first.nodes, ...next.nodes].map(({ accessCount }) => accessCount);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    expect(counts[0]).toBeGreaterThan(0);
    const csv = await fixture.engine.handle({ kind: 'exportNodes', ...question, format: 'csv' });
    expect(csv.fileName).toBe('test-nodes.csv');
    expect((await csv.file.text()).trim().split('\r\n')).toHaveLength(first.total + 1);
    const json = await fixture.engine.handle({ kind: 'exportNodes', ...question, format: 'json' });
    const read = JSON.parse(await json.file.text()) as { nodes: object[]; filter: object };
    expect(read).toMatchObject({ format: 'megacontext-nodes', version: 1, ...question });
    expect(read.nodes).toHaveLength(first.total);
    expect(read.nodes[0]).toMatchObject({ lod: 1, sources: [{ role: 'document' }], accessCount: counts[0] });
  });

  it('scores a continuation token by token, and refuses one that is too long', async () => {
    const score = await fixture.engine.handle({ kind: 'scoreContinuation', text: 'gull' });
    expect(score.tokens.map(({ text }) => text).join('')).toBe('gull');
    expect(score.meanNll).toBeCloseTo(score.tokens.reduce((sum, { nll }) => sum + nll, 0) / 4, 9);
    for (const { nll } of score.tokens) expect(nll).toBeGreaterThan(0);
    await expect(
      fixture.engine.handle({ kind: 'scoreContinuation', text: 'a'.repeat(129) }),
    ).rejects.toMatchObject({ code: 'not-measurable' });
  });

  it('measures a sensitivity, notes it in the trace, and knows it after a restart', async () => {
    const block = await gistBack();
    const before = await fixture.engine.handle({ kind: 'inspect', ...block });
    expect(before.sensitivity).toBeNull();
    const report = await fixture.engine.handle({ kind: 'measureSensitivity', ...block });
    expect(report.deltaNll).toBeCloseTo(report.coarseNll - report.fineNll, 9);
    expect(fixture.events().at(-1)).toMatchObject({ type: 'sensitivity', ...block });
    await fixture.engine.handle({ kind: 'openSession', sessionId });
    const after = await fixture.engine.handle({ kind: 'inspect', ...block });
    expect(after.sensitivity).toBeCloseTo(report.deltaNll, 5);
  });

  it('keeps a forbidden gist from expanding until it is allowed again', async () => {
    const block = await gistBack();
    const { engine } = fixture;
    const { marks } = await engine.handle({ kind: 'act', action: 'forbid', ...block });
    expect(marks.at(-1)).toEqual({ ...block, kind: 'forbid', sinceStep: expect.any(Number) as number });
    await expect(engine.handle({ kind: 'act', action: 'expand', ...block })).rejects.toThrow(/forbade/);
    expect(await engine.handle({ kind: 'inspect', ...block })).toMatchObject({
      forbidden: true,
      canExpand: { legal: false },
    });
    const allowed = await engine.handle({ kind: 'act', action: 'allow', ...block });
    expect(allowed.marks.filter(({ kind }) => kind === 'forbid')).toEqual([]);
    expect((await engine.handle({ kind: 'inspect', ...block })).forbidden).toBe(false);
  });

  it('names a block, and knows the name after a restart', async () => {
    const block = await gistBack();
    const { engine } = fixture;
    await engine.handle({ kind: 'act', action: 'tag', name: 'first', ...block });
    await engine.handle({ kind: 'act', action: 'tag', name: 'the key', ...block });
    await engine.handle({ kind: 'openSession', sessionId });
    expect((await engine.handle({ kind: 'inspect', ...block })).tag).toBe('the key');
    await engine.handle({ kind: 'act', action: 'untag', ...block });
    expect((await engine.handle({ kind: 'inspect', ...block })).tag).toBeNull();
  });
});
