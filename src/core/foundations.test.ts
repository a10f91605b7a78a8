import { describe, expect, it } from 'vitest';
import { treeOf } from '../../tests/property/fake-history.ts';
import { ChunkedRows } from '../base/chunked-array.ts';
import { decodeHalf, encodeHalf, encodeHalves } from '../base/fp16.ts';
import { INVARIANTS, checkInvariants } from './context/invariants.ts';
import { Rng, hashUint32 } from '../base/rng.ts';
import { TopList } from '../base/top-list.ts';
import { entryAt, layoutOf } from './context/working-context.ts';
import type { Layout } from './context/working-context.ts';

describe('half floats', () => {
  it.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [-Infinity, 0xfc00],
    [2 ** -24, 1],
    [2 ** -25, 0],
    [1.5 * 2 ** -24, 2],
    [2 ** -14, 0x0400],
    [-0, 0x8000],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
  ])('encode %f as %i', (value, bits) => {
    expect(encodeHalf(value)).toBe(bits);
    expect([...encodeHalves(Float32Array.of(value))]).toEqual([bits]);
  });

  it('keep NaN a NaN', () => {
    expect(decodeHalf(encodeHalf(NaN))).toBeNaN();
  });
});

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

describe('ChunkedRows', () => {
  const make = (n: number): Uint16Array => new Uint16Array(n);

  it('appends across chunks and reads views inside one', () => {
    const rows = new ChunkedRows(make, 3, 4);
    rows.append(Array.from({ length: 30 }, (_, i) => i));
    expect(rows.length).toBe(10);
    expect([...rows.span(2, 6)]).toEqual(Array.from({ length: 12 }, (_, i) => 6 + i));
    const view = rows.span(4, 6);
    rows.set(5, 99, 2);
    expect(view.at(-1)).toBe(99);
    expect(rows.get(5, 2)).toBe(99);
    expect([...rows.span(10, 10)]).toEqual([]);
  });

  it('never moves what is there', () => {
    const rows = new ChunkedRows(make, 1, 4);
    rows.append([1, 2]);
    const before = rows.span(0, 2);
    rows.append(new Array<number>(100).fill(7));
    expect(rows.span(0, 2).buffer).toBe(before.buffer);
  });

  it('refuses partial rows and rows that do not exist', () => {
    const rows = new ChunkedRows(make, 3, 4);
    expect(() => {
      rows.append([1, 2]);
    }).toThrow(RangeError);
    expect(() => rows.span(0, 1)).toThrow(RangeError);
    expect(() => rows.get(-1)).toThrow(RangeError);
  });
});

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

describe('invariants', () => {
  const tree = treeOf(2100);
  const good = layoutOf([entryAt(2, 0), entryAt(1, 1024), entryAt(0, 1056), entryAt(0, 1088, 1100)]);
  const breaks = (layout: Layout, budgetTokens = 512, previous?: Layout): string[] =>
    checkInvariants(layout, tree, { budgetTokens }, previous === undefined ? {} : { previous }).map(
      ({ check }) => check,
    );

  it('hold for a good layout', () => {
    expect(breaks(good, 46, good)).toEqual([]);
    expect(INVARIANTS).toHaveLength(7);
  });

  it('are each found when broken', () => {
    const [lod2, lod1, raw, tail] = good.entries as [
      (typeof good.entries)[0],
      (typeof good.entries)[0],
      (typeof good.entries)[0],
      (typeof good.entries)[0],
    ];
    expect(breaks(good, 45)).toEqual(['budget']);
    expect(breaks({ ...good, usedTokens: 1 })).toEqual(['budget']);
    expect(breaks(layoutOf([lod2, raw, tail]))).toEqual(['contiguity']);
    expect(breaks(layoutOf([lod2, lod1, entryAt(0, 1056, 1060), entryAt(0, 1060, 1064)]))).toContain(
      'block-alignment',
    );
    expect(breaks(layoutOf([entryAt(1, 0), { ...lod2, start: 32, end: 1056 }]))).toContain(
      'level-consistency',
    );
    expect(breaks(layoutOf([entryAt(3, 0)]))).toContain('tree-consistency');
    expect(
      breaks(
        layoutOf([entryAt(2, 1024), entryAt(0, 2048)]),
        512,
        layoutOf([entryAt(1, 1056), entryAt(1, 1088)]),
      ),
    ).toContain('no-partial-swaps');
  });

  it('know a pruned entry', () => {
    tree.setFlag(1, 1024, 'pruned', true);
    expect(breaks(good)).toEqual(['tree-consistency']);
    tree.setFlag(1, 1024, 'pruned', false);
  });
});
