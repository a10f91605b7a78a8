import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IndexSet } from './block-values.ts';

it('gives each number once, ascending, and is empty then', () => {
  const set = new IndexSet();
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2000 })), (numbers) => {
      set.reserve(2001);
      for (const number of numbers) set.add(number);
      expect([...set.takeAll()]).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      expect(set.takeAll()).toHaveLength(0);
    }),
    { seed: 1 },
  );
});
