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

it('a heap puts an item in the place of its first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), fc.integer(), (values, extra) => {
      const heap = new Heap<number>((a, b) => a - b);
      for (const value of values) heap.push(value);
      const [least, ...others] = [...values].sort((a, b) => a - b);
      expect(heap.first).toBe(least);
      expect(heap.replaceFirst(extra)).toBe(least);
      expect([...heap.all].sort((a, b) => a - b)).toEqual([...others, extra].sort((a, b) => a - b));
      expect(heap.pop()).toBe(Math.min(extra, ...others));
    }),
  );
});
