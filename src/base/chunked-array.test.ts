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
});
