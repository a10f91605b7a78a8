import { describe, expect, it } from 'vitest';
import { TopList } from './top-list.ts';

describe('TopList', () => {
  it('keeps the best, ties by the tie', () => {
    const list = new TopList<string>(3);
    (['a5', 'b9', 'c1', 'd9', 'e7', 'f9'] as const).forEach((item, i) => {
      list.offer(item, Number(item[1]), i);
    });
    expect(list.toSorted()).toEqual(['f9', 'd9', 'b9']);
    expect(list.accepts(9, 9)).toBe(true);
    expect(list.accepts(5, 99)).toBe(false);
    expect(new TopList<string>(0).accepts(1, 1)).toBe(false);
  });
});
