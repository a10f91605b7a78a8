/** A working context as the arrays that every LensNet reads. Checks sizes; knows no tensors. */
import { SLOT_FEATURES } from '../../core/context/slot-view.ts';
import { ShapeError } from '../errors.ts';
import type { LensInput } from '../ports.ts';

/** Columns of `joinSlots`. */
export function slotColumns(hiddenSize: number): number {
  return 2 * hiddenSize + SLOT_FEATURES;
}

/** @throws {ShapeError} if an array is not as long as the counts say. */
export function checkLensInput(input: LensInput, hiddenSize: number): void {
  const { slotCount, embeddings, blockVectors, features, tail, tailCount } = input;
  const check = (what: string, values: Float32Array, expected: number): void => {
    if (values.length !== expected) throw new ShapeError(what, expected, values.length);
  };
  check('embeddings', embeddings, slotCount * hiddenSize);
  check('blockVectors', blockVectors, slotCount * hiddenSize);
  check('features', features, slotCount * SLOT_FEATURES);
  check('tail', tail, tailCount * hiddenSize);
}

/** `[N, 2d + features]`: each slot's own vector, its block's, and its features side by side. A new array. */
export function joinSlots(input: LensInput, hiddenSize: number): Float32Array {
  const { slotCount, embeddings, blockVectors, features } = input;
  const columns = slotColumns(hiddenSize);
  const joined = new Float32Array(slotCount * columns);
  for (let slot = 0; slot < slotCount; slot++) {
    const at = slot * columns;
    joined.set(embeddings.subarray(slot * hiddenSize, (slot + 1) * hiddenSize), at);
    joined.set(blockVectors.subarray(slot * hiddenSize, (slot + 1) * hiddenSize), at + hiddenSize);
    joined.set(features.subarray(slot * SLOT_FEATURES, (slot + 1) * SLOT_FEATURES), at + 2 * hiddenSize);
  }
  return joined;
}

/** `[m, d]` the newest `tailTokens` embeddings of the tail, at most; borrowed from the input. */
export function lastTail(
  { tail, tailCount }: LensInput,
  hiddenSize: number,
  tailTokens: number,
): Float32Array {
  const count = Math.min(tailCount, tailTokens);
  return tail.subarray((tailCount - count) * hiddenSize, tailCount * hiddenSize);
}
