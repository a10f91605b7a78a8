/**
 * Measures what the active backend's in-place kernels leave in their target: the rows written, and every other
 * row as it was. Shared by tests under Node and in the browser.
 */
import * as tf from '@tensorflow/tfjs';
import { activeKernels } from '../backend/active-kernels.ts';
import { startTensorFlow } from '../backend/device.ts';
import type { HeadColumns } from '../backend/kernels.ts';
import { largestError } from './fixture-parity.ts';
import { randomValues } from './synthetic-weights.ts';

const ROWS = 9;
const HEAD_DIM = 8;
const HEADS = 2;
const WIDTH = HEADS * HEAD_DIM;
const HALF = HEAD_DIM / 2;
/** The heads begin behind other columns and end before some more, as keys do between queries and values. */
const COLUMNS: HeadColumns = { start: 5, heads: HEADS, headDim: HEAD_DIM };
const SOURCE_WIDTH = COLUMNS.start + WIDTH + 3;
const NEW_ROWS = 3;

/** @returns the largest absolute error over all rows of the target, after every single write. */
export async function measureInPlaceError(): Promise<number> {
  await startTensorFlow();
  const kernels = activeKernels();
  const before = randomValues(ROWS * WIDTH, 41);
  const source = randomValues(NEW_ROWS * SOURCE_WIDTH, 42);
  const angles = randomValues(NEW_ROWS * HALF, 43);
  const target = tf.tensor2d(before.slice(), [ROWS, WIDTH]);
  const expected = before.slice();
  let worst = 0;
  try {
    for (const [firstRow, rotates] of [
      [2, true],
      [4, false],
      [ROWS - NEW_ROWS, true],
    ] as const) {
      tf.tidy(() => {
        const x = tf.tensor2d(source, [NEW_ROWS, SOURCE_WIDTH]);
        const tableOf = (f: (angle: number) => number): tf.Tensor2D =>
          tf.tensor2d(angles.map(f), [NEW_ROWS, HALF]);
        const rope = rotates ? { cos: tableOf(Math.cos), sin: tableOf(Math.sin) } : null;
        kernels.appendHeads(target, firstRow, x, COLUMNS, rope);
      });
      writeHeads(expected, firstRow, source, rotates ? angles : null);
      worst = Math.max(worst, largestError(await contentOf(target), expected));
    }
    // Moved down over themselves, then up: a row is read after its place was written.
    for (const [first, sources] of [
      [3, [2, 3, 4, 5]],
      [1, [4, 3, 7, 7]],
    ] as const) {
      tf.tidy(() => {
        kernels.moveRows(target, first, Int32Array.from(sources));
      });
      const rows = sources.map((row) => expected.slice(row * WIDTH, (row + 1) * WIDTH));
      rows.forEach((row, i) => {
        expected.set(row, (first + i) * WIDTH);
      });
      worst = Math.max(worst, largestError(await contentOf(target), expected));
    }
    return worst;
  } finally {
    target.dispose();
  }
}

/** Through another kernel: the target itself must never be read back. */
async function contentOf(target: tf.Tensor2D): Promise<Float32Array> {
  const copy = tf.tidy(() => activeKernels().takeHeads(target, { start: 0, heads: 1, headDim: WIDTH }, null));
  try {
    return await copy.data<'float32'>();
  } finally {
    copy.dispose();
  }
}

function writeHeads(
  target: Float32Array,
  firstRow: number,
  source: Float32Array,
  angles: Float32Array | null,
) {
  for (let row = 0; row < NEW_ROWS; row++) {
    for (let head = 0; head < WIDTH; head += HEAD_DIM) {
      for (let i = 0; i < HALF; i++) {
        const from = row * SOURCE_WIDTH + COLUMNS.start + head + i;
        const [low, high] = [source[from]!, source[from + HALF]!];
        const angle = angles?.[row * HALF + i] ?? 0;
        const to = (firstRow + row) * WIDTH + head + i;
        target[to] = low * Math.cos(angle) - high * Math.sin(angle);
        target[to + HALF] = high * Math.cos(angle) + low * Math.sin(angle);
      }
    }
  }
}
