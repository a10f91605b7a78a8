import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Heap } from './heap.ts';

it('a heap gives its items back in order, whatever order they came in', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (values) => {
      const heap = new Heap<number>((a, b) => a - b);
      for (const value of values) heap.push(value);
      expect(heap.size).toBe(values.length);
      expect(values.map(() => heap.pop())).toEqual([...values].sort((a, b) => a - b));
      expect(heap.pop()).toBeUndefined();
    }),
  );
});
