import { describe, expect, it } from 'vitest';
import type { ManualAct } from '../../runtime/engine/protocol/protocol.ts';
import type { BlockRef } from './viewport.ts';
import { inverseOf, resultOf } from './steering-moves.ts';

const move = (action: ManualAct, lod: number, start: number, end: number, names = {}) => ({
  sessionId: 's',
  action,
  block: { lod, start, end } satisfies BlockRef,
  ...names,
});

describe('acts by hand', () => {
  it('are taken back by the opposite act on what they made', () => {
    expect(inverseOf(move('expand', 2, 1024, 2048))).toEqual(move('collapse', 1, 1024, 1056));
    expect(inverseOf(move('expand', 1, 64, 96))).toEqual(move('collapse', 0, 64, 96));
    expect(inverseOf(move('collapse', 1, 1056, 1088))).toEqual(move('expand', 2, 1024, 2048));
    expect(inverseOf(move('collapse', 0, 64, 96))).toEqual(move('expand', 1, 64, 96));
    expect(inverseOf(move('forbid', 1, 64, 96))).toEqual(move('allow', 1, 64, 96));
  });

  it('give a name back that was replaced, and take one away that was new', () => {
    const first = move('tag', 1, 64, 96, { name: 'a' });
    expect(inverseOf(first)).toEqual(move('untag', 1, 64, 96, { formerName: 'a' }));
    const second = move('tag', 1, 64, 96, { name: 'b', formerName: 'a' });
    expect(inverseOf(second)).toEqual(move('tag', 1, 64, 96, { name: 'a', formerName: 'b' }));
    expect(inverseOf(move('untag', 1, 64, 96, { formerName: 'a' }))).toEqual(first);
  });

  it('undone twice are the act again', () => {
    for (const each of [
      move('expand', 1, 64, 96),
      move('expand', 3, 32_768, 65_536),
      move('unpin', 0, 0, 32),
    ]) {
      expect(inverseOf(inverseOf(each))).toEqual(each);
    }
  });

  it('leave the selection on what stands there now', () => {
    expect(resultOf(move('expand', 1, 64, 96))).toEqual({ lod: 0, start: 64, end: 96 });
    expect(resultOf(move('collapse', 1, 1056, 1088))).toEqual({ lod: 2, start: 1024, end: 2048 });
    expect(resultOf(move('pin', 1, 64, 96))).toEqual({ lod: 1, start: 64, end: 96 });
  });
});
