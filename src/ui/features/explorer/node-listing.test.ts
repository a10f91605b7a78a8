/** What the list of nodes asks for, and whose answer it keeps. */
import { expect, it } from 'vitest';
import type { NodeList } from '../../../runtime/engine/protocol/protocol.ts';
import type { EngineLink } from '../../model/engine-link.ts';
import { Problems } from '../../model/problems.ts';
import { NodeListing } from './node-listing.ts';

interface Asked {
  readonly offset: number;
  readonly filter: object;
  readonly order: object;
  answer(list: Partial<NodeList>): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A list over an engine that answers when the test says so. */
function listing() {
  const asked: Asked[] = [];
  const send = (command: { offset: number; filter: object; order: object }) =>
    new Promise((resolve, reject) => {
      asked.push({
        ...command,
        answer: async (list) => {
          resolve({ total: 0, treeNodes: 500, offset: command.offset, nodes: [], ...list });
          await Promise.resolve();
        },
        fail: async (error) => {
          reject(error);
          await Promise.resolve();
        },
      });
    });
  const problems = new Problems();
  const nodes = new NodeListing({ engine: { send } as unknown as EngineLink, problems });
  return { nodes, asked, problems };
}

const someNodes = (count: number) => new Array<object>(count).fill({}) as unknown as NodeList['nodes'];

it('turns pages within what there is, and begins another question with its first', async () => {
  const { nodes, asked } = listing();
  const reading = nodes.read();
  await asked[0]!.answer({ total: 250, nodes: someNodes(100) });
  await reading;
  for (let i = 0; i < 5; i++) nodes.turnPage(1);
  expect(nodes.state.offset).toBe(200);
  nodes.narrow({ lod: 1 });
  expect(nodes.state).toMatchObject({ offset: 0, filter: { lod: 1 } });
  nodes.turnPage(-1);
  expect(nodes.state.offset).toBe(0);
});

it('begins with the highest of what is measured, and turns the order round when asked again', () => {
  const { nodes } = listing();
  nodes.orderBy('accessCount');
  expect(nodes.state.order).toEqual({ by: 'accessCount', descending: true });
  nodes.orderBy('accessCount');
  expect(nodes.state.order).toEqual({ by: 'accessCount', descending: false });
  nodes.orderBy('place');
  expect(nodes.state.order).toEqual({ by: 'place', descending: false });
});

it('keeps the answer to the last question, whichever comes first', async () => {
  const { nodes, asked } = listing();
  const reads = [nodes.read()];
  nodes.setRange('residency', { min: 2 });
  reads.push(nodes.read());
  await asked[1]!.answer({ total: 2, nodes: someNodes(2) });
  await asked[0]!.answer({ total: 9, nodes: someNodes(9) });
  await Promise.all(reads);
  expect(nodes.state.list?.total).toBe(2);
  expect(asked[1]!.filter).toEqual({ ranges: { residency: { min: 2 } } });
});

it('goes back to the first page of a tree that became smaller', async () => {
  const { nodes, asked } = listing();
  const first = nodes.read();
  await asked[0]!.answer({ total: 150, nodes: someNodes(100) });
  await first;
  nodes.turnPage(1);
  const second = nodes.read();
  await asked[1]!.answer({ total: 40, nodes: [] });
  await second;
  expect(nodes.state.offset).toBe(0);
});

it('tells of a failure, keeps what it lists, and is no longer busy', async () => {
  const { nodes, asked, problems } = listing();
  const reading = nodes.read();
  await asked[0]!.fail(new Error('No session is open.'));
  await reading;
  expect(nodes.state).toMatchObject({ busy: false, list: null });
  expect(problems.store.getState().problems[0]).toMatchObject({ title: 'The nodes could not be listed' });
});

it('lets the icicle show a filter only while the list is open', () => {
  const { nodes } = listing();
  nodes.narrow({ role: 'user' });
  expect(nodes.shownFilter).toBeUndefined();
  nodes.show(true);
  expect(nodes.shownFilter).toEqual({ role: 'user' });
});
