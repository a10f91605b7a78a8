/** Which nodes a filter means, in which order, and what a table of them says. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { csvOf } from '../../../base/table.ts';
import { HIDDEN_SIZE, makeGists, tokenIds } from '../../testing/fake-history.ts';
import { GistTree } from '../gist-tree.ts';
import { HiddenSpans } from '../hidden-spans.ts';
import { NODE_MEASURES } from '../node-columns.ts';
import { findNodes, type NodeOrder } from './find-nodes.ts';
import { isEmptyFilter, type NodeFilter } from './node-filter.ts';
import { nodeRecord } from './node-record.ts';
import { nodeTable } from './node-table.ts';

const BY_PLACE: NodeOrder = { by: 'place', descending: false };
const NOON = Date.UTC(2026, 0, 2, 12);

/** 2,048 tokens of a document, 80 of a user: 67 raw blocks, 66 LOD1 gists, 2 LOD2 gists. */
function tree(): GistTree {
  const made = new GistTree({ hiddenSize: HIDDEN_SIZE, gistVersion: 3 });
  const said = { role: 'user', documentId: 'turn-2048-1', title: 'Chat', wallClockMs: NOON } as const;
  made.appendTokens(tokenIds(0, 2048), { role: 'document', documentId: 'd', title: '=Log', wallClockMs: 0 });
  made.appendTokens(tokenIds(0, 80), said, 4);
  makeGists(made, 4);
  made.metadata(1).recordAccess(3, 9, 2);
  made.metadata(1).accessCount.set(5, 7);
  made.metadata(1).sensitivity.set(5, -0.25);
  made.metadata(0).expansions.set(64, 1);
  made.setFlag(1, 5 * 32, 'pinned', true);
  made.setFlag(0, 0, 'cold', true);
  made.hidden = new HiddenSpans([{ start: 2048, end: 2128 }]);
  return made;
}

const pause = () => Promise.resolve();
const find = async (filter: NodeFilter, order = BY_PLACE) =>
  (await findNodes(tree(), filter, order, pause)).map(({ lod, index }) => `${lod}:${index}`);

it('means every node without a filter, and walks them as the tree is walked', async () => {
  const all = await find({});
  expect(all).toHaveLength(67 + 66 + 2);
  expect(all.slice(0, 4)).toEqual(['2:0', '1:0', '0:0', '1:1']);
  expect(isEmptyFilter({ states: [], ranges: { residency: {} } })).toBe(true);
});

it.each<readonly [string, NodeFilter, readonly string[]]>([
  ['a level', { lod: 2 }, ['2:0', '2:1']],
  ['a document', { documentId: 'turn-2048-1', lod: 1 }, ['1:64', '1:65']],
  ['an origin', { role: 'user', lod: 0 }, ['0:64', '0:65', '0:66']],
  ['flags', { states: ['pinned'] }, ['1:5']],
  ['the cold tier', { states: ['cold'] }, ['0:0']],
  ['what is hidden', { states: ['hidden'], lod: 1 }, ['1:64', '1:65']],
  ['accesses', { ranges: { accessCount: { min: 1 } } }, ['1:3', '1:5']],
  ['a last access', { ranges: { lastAccessStep: { max: 9 } } }, ['1:3']],
  ['a sensitivity', { ranges: { sensitivity: { min: -1, max: 0 } } }, ['1:5']],
  ['two things at once', { states: ['pinned'], ranges: { accessCount: { max: 6 } } }, []],
  ['no version of raw blocks', { ranges: { gistVersion: { min: 0 } }, lod: 0 }, []],
])('finds nodes by %s', async (_, filter, expected) => {
  expect(await find(filter)).toEqual(expected);
});

it('tells gists of another version as stale, and no raw block', async () => {
  const old = tree();
  old.refreshGists(4);
  const found = await findNodes(old, { states: ['stale'] }, BY_PLACE, pause);
  expect(found).toHaveLength(66 + 2);
});

it('orders by any measure, what has no value last either way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...NODE_MEASURES), fc.boolean(), async (by, descending) => {
      const made = tree();
      const found = await findNodes(made, {}, { by, descending }, pause);
      const keys = found.map(({ lod, index }) => made.measure(lod, index, by));
      const firstMissing = keys.findIndex(Number.isNaN);
      const present = firstMissing < 0 ? keys : keys.slice(0, firstMissing);
      expect(keys.slice(present.length).every(Number.isNaN)).toBe(true);
      expect(present).toEqual([...present].sort((a, b) => (descending ? b - a : a - b)));
      expect(new Set(found.map(({ lod, index }) => `${lod}:${index}`)).size).toBe(135);
    }),
  );
});

it('tells everything of a node, and writes it as a table that no spreadsheet takes for a formula', () => {
  const node = nodeRecord(tree(), { lod: 1, index: 64 });
  expect(node).toMatchObject({
    start: 2048,
    end: 2080,
    parent: null,
    gistVersion: 3,
    createdAtStep: 4,
    states: ['hidden'],
    sources: [{ documentId: 'turn-2048-1', title: 'Chat', role: 'user', wallClockMs: NOON }],
    sourceCount: 1,
  });
  const csv = csvOf(nodeTable([node, nodeRecord(tree(), { lod: 1, index: 5 })])).split('\r\n');
  expect(csv[0]).toMatch(/^spanId,lod,index,startToken,endToken,parentSpanId,roles,documents/);
  expect(csv[1]).toContain(',user,Chat,turn-2048-1,2026-01-02T12:00:00.000Z,hidden,3,4,0,,0,0,0,');
  expect(csv[2]).toMatch(/,document,'=Log,d,,pinned,3,4,7,.*,-0\.25$/);
});
