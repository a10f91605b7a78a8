import { describe, expect, it } from 'vitest';
import { Rng, hashUint32 } from './rng.ts';

describe('Rng', () => {
  it('repeats from a seed and from a saved state', () => {
    const rng = new Rng(7);
    const first = Array.from({ length: 5 }, () => rng.nextUint32());
    const saved = Rng.fromState(rng.state);
    expect(Array.from({ length: 5 }, () => new Rng(7)).map((r) => r.nextUint32())[0]).toBe(first[0]);
    expect(saved.nextUint32()).toBe(rng.nextUint32());
    expect(new Set(first).size).toBe(5);
  });

  it('splits without moving, into different streams', () => {
    const rng = new Rng(7);
    const { state } = rng;
    expect(rng.split(1).nextUint32()).not.toBe(rng.split(2).nextUint32());
    expect(rng.state).toEqual(state);
  });

  it('is uniform enough', () => {
    const rng = new Rng(1);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[rng.nextInt(7)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    expect(rng.nextFloat()).toBeLessThan(1);
    expect(() => rng.nextInt(0)).toThrow(RangeError);
  });

  it('hashes numbers above 2^32 apart', () => {
    expect(hashUint32(1)).not.toBe(hashUint32(1 + 2 ** 32));
    expect(hashUint32(1, 2)).not.toBe(hashUint32(2, 1));
  });
});
