/** A working context as the arrays that every LensNet reads. Checks sizes; knows no tensors. */
import { SLOT_FEATURES } from '../../core/context/slot-view.ts';
import { LEXICAL_FEATURES } from '../../core/lexical/history-words.ts';
import { ShapeError } from '../errors.ts';
import type { LensInput } from '../ports.ts';

/** What fixes how wide a slot's row is. */
export interface SlotShape {
  /** d, the base's. */
  readonly hiddenSize: number;
  /** Columns that say which words are shared with what is asked: all of them, or none for a net made without. */
  readonly lexicalFeatures: number;
}

/** @param config - a LensNet's: `lexicalFeatures` is absent where it was made without words. */
export function slotShapeOf(
  hiddenSize: number,
  { lexicalFeatures = 0 }: { readonly lexicalFeatures?: number | undefined },
): SlotShape {
  return { hiddenSize, lexicalFeatures };
}

/** Columns of `joinSlots`. */
export function slotColumns({ hiddenSize, lexicalFeatures }: SlotShape): number {
  return 2 * hiddenSize + SLOT_FEATURES + lexicalFeatures;
}

/** @throws {ShapeError} if an array is not as long as the counts say, or if words are needed and not there. */
export function checkLensInput(input: LensInput, { hiddenSize, lexicalFeatures }: SlotShape): void {
  const { slotCount, embeddings, blockVectors, features, lexical, tail, tailCount } = input;
  const check = (what: string, values: Float32Array, expected: number): void => {
    if (values.length !== expected) throw new ShapeError(what, expected, values.length);
  };
  check('embeddings', embeddings, slotCount * hiddenSize);
  check('blockVectors', blockVectors, slotCount * hiddenSize);
  check('features', features, slotCount * SLOT_FEATURES);
  if (lexicalFeatures > 0) check('lexical', lexical ?? new Float32Array(0), slotCount * LEXICAL_FEATURES);
  check('tail', tail, tailCount * hiddenSize);
}

/** `[N, columns]`: each slot's own vector, its block's, and its features side by side. A new array. */
export function joinSlots(input: LensInput, shape: SlotShape): Float32Array {
  const { slotCount, embeddings, blockVectors, features, lexical } = input;
  const { hiddenSize, lexicalFeatures } = shape;
  const columns = slotColumns(shape);
  const joined = new Float32Array(slotCount * columns);
  for (let slot = 0; slot < slotCount; slot++) {
    const at = slot * columns;
    joined.set(embeddings.subarray(slot * hiddenSize, (slot + 1) * hiddenSize), at);
    joined.set(blockVectors.subarray(slot * hiddenSize, (slot + 1) * hiddenSize), at + hiddenSize);
    joined.set(features.subarray(slot * SLOT_FEATURES, (slot + 1) * SLOT_FEATURES), at + 2 * hiddenSize);
    if (lexical === null || lexicalFeatures === 0) continue;
    const shared = lexical.subarray(slot * LEXICAL_FEATURES, (slot + 1) * LEXICAL_FEATURES);
    joined.set(shared, at + 2 * hiddenSize + SLOT_FEATURES);
  }
  return joined;
}

/** What neighbouring slots have alike: all but their own vectors. */
export interface SharedRows {
  /** `[rows, columns of joinSlots - d]`: block vector and features side by side. A new array. */
  readonly rows: Float32Array;
  /** `[N]` the row of each slot. */
  readonly rowOf: Int32Array;
}

/** Of slots side by side that have the same, one row stands for all. */
export function shareRows(input: LensInput, { hiddenSize, lexicalFeatures }: SlotShape): SharedRows {
  const { slotCount, blockVectors, features, lexical } = input;
  const columns = hiddenSize + SLOT_FEATURES + lexicalFeatures;
  const rows = new Float32Array(slotCount * columns);
  const rowOf = new Int32Array(slotCount);
  let count = 0;
  const isAsBefore = (values: Float32Array | null, width: number, slot: number): boolean => {
    if (values === null) return true;
    for (let i = slot * width; i < (slot + 1) * width; i++) if (values[i] !== values[i - width]) return false;
    return true;
  };
  for (let slot = 0; slot < slotCount; slot++) {
    const isShared =
      slot > 0 &&
      isAsBefore(features, SLOT_FEATURES, slot) &&
      isAsBefore(lexical, LEXICAL_FEATURES, slot) &&
      isAsBefore(blockVectors, hiddenSize, slot);
    if (!isShared) {
      const at = columns * count++;
      rows.set(blockVectors.subarray(slot * hiddenSize, (slot + 1) * hiddenSize), at);
      rows.set(features.subarray(slot * SLOT_FEATURES, (slot + 1) * SLOT_FEATURES), at + hiddenSize);
      if (lexical !== null && lexicalFeatures > 0) {
        const words = lexical.subarray(slot * LEXICAL_FEATURES, (slot + 1) * LEXICAL_FEATURES);
        rows.set(words, at + hiddenSize + SLOT_FEATURES);
      }
    }
    rowOf[slot] = count - 1;
  }
  return { rows: rows.subarray(0, count * columns), rowOf };
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
