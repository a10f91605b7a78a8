import { describe, expect, it } from 'vitest';
import { ChunkedRows } from './chunked-array.ts';

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

  it('gives chunks back whose rows are released, and takes new rows in their place', () => {
    const rows = new ChunkedRows((n) => new Uint32Array(n), 2, 4);
    rows.append(Array.from({ length: 32 }, (_, i) => i + 1));
    const fork = rows.fork();
    const before = rows.allocatedBytes;
    rows.release(2, 13);
    expect(rows.allocatedBytes).toBeLessThan(before);
    expect([...rows.span(0, 16)]).toEqual([
      1,
      2,
      3,
      4,
      ...new Array<number>(22).fill(0),
      27,
      28,
      29,
      30,
      31,
      32,
    ]);
    expect([...fork.span(0, 16)]).toEqual(Array.from({ length: 32 }, (_, i) => i + 1));
    rows.write(4, [7, 8]);
    expect([...rows.span(4, 9)]).toEqual([7, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
