import { expect, it } from 'vitest';
import { Steering } from './steering.ts';

/** As much of the page as an act asks for. */
function steeringOver(head: number) {
  const sent: { readonly kind: string; readonly head?: number }[] = [];
  const told: string[] = [];
  const steering = new Steering({
    engine: { send: (command: never) => Promise.resolve((sent.push(command), [])) },
    mirror: { getState: () => ({ session: { record: { id: 's' }, marks: [] } }) },
    intake: { acceptState: () => undefined },
    view: { head, playhead: { followNewest: () => undefined }, select: () => undefined },
    problems: { reportError: (title: string, error: Error) => told.push(`${title}: ${error.message}`) },
  } as never);
  return { steering, sent, told, acts: () => sent.filter(({ kind }) => kind === 'act') };
}

const block = { lod: 1, start: 0, end: 32 };

it('moves the blocks of the head that is shown', async () => {
  const { steering, acts } = steeringOver(2);
  await steering.act('expand', block);
  await steering.act('pin', block);
  expect(acts()).toMatchObject([{ action: 'expand', head: 2 }, { action: 'pin' }]);
  expect(acts()[1]).not.toHaveProperty('head');
});

it('moves none while staging is shown, rather than the first head’s, and marks them all the same', async () => {
  const { steering, acts, told } = steeringOver(8);
  await steering.act('collapse', block);
  expect([acts(), told]).toEqual([
    [],
    [expect.stringMatching(/^The block could not be collapsed: .*staging/)],
  ]);
  await steering.act('pin', block);
  expect(acts()).toMatchObject([{ action: 'pin' }]);
});
