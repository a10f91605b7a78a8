/** What a dispatch is told of the rows that it computes: a uniform of all kernels. */
import { RUN_STRIDE_BYTES, type KernelBinding } from './kernel.ts';

export interface Run {
  /** How many rows. */
  readonly rows: number;
  /** The first of them in the room that all rows of a run lie in. */
  readonly firstRow: number;
  /** Row r of the room stands in slot `r + shift` of its cache. */
  readonly shift: number;
  /** Slots that the cache holds. */
  readonly capacity: number;
  /** Where a product writes its first row; `firstRow` where absent. */
  readonly outRow?: number;
}

export const RUN: KernelBinding = { name: 'run', kind: 'run', type: 'Run' };

export const RUN_STRUCT = `
struct Run { rows : u32, firstRow : u32, shift : i32, capacity : u32, outRow : u32 }`;

/** @returns the bytes of runs, one after the other. */
export function runBytes(runs: readonly Run[]): Int32Array {
  const words = new Int32Array((runs.length * RUN_STRIDE_BYTES) / 4);
  runs.forEach(({ rows, firstRow, shift, capacity, outRow = firstRow }, i) => {
    words.set([rows, firstRow, shift, capacity, outRow], (i * RUN_STRIDE_BYTES) / 4);
  });
  return words;
}
