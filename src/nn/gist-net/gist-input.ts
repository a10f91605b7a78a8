/** What every GistNet asks of the blocks that it is given, whatever runs it. */
import { K } from '../../core/tree/ids.ts';
import { ShapeError } from '../errors.ts';

/** Of a child in the weighted mean: no block may weigh nothing. */
const LEAST_WEIGHT = 0.01;

/**
 * Parameters as `GistNet.compress` has them.
 *
 * @param contextChildren - C: rows before each block's own.
 * @throws {ShapeError} | {RangeError} if the children are no whole blocks, or a count is out of range.
 */
export function checkBlocks(
  children: Float32Array,
  contextCounts: ArrayLike<number>,
  contextChildren: number,
  hiddenSize: number,
): void {
  const values = contextCounts.length * (contextChildren + K) * hiddenSize;
  if (children.length !== values) throw new ShapeError('children', values, children.length);
  for (let i = 0; i < contextCounts.length; i++) {
    const count = contextCounts[i]!;
    if (!Number.isInteger(count) || count < 0 || count > contextChildren) {
      throw new RangeError(`Block ${i} has ${count} context rows; 0 to ${contextChildren} are possible.`);
    }
  }
}

/**
 * `[B · K]` what share of its block's mean each token has.
 *
 * @param weights - `[vocabulary]` of the net.
 * @throws {ShapeError} | {RangeError} without the blocks' tokens, or for one that has no weight.
 */
export function sharesOf(
  weights: Float32Array,
  blocks: number,
  tokens: ArrayLike<number> | undefined,
): Float32Array {
  if (tokens?.length !== blocks * K) throw new ShapeError('tokens', blocks * K, tokens?.length ?? 0);
  const shares = Float32Array.from(tokens, (token) => {
    const weight = weights[token];
    if (weight === undefined) throw new RangeError(`Token ${token} has no weight among ${weights.length}.`);
    return Math.max(LEAST_WEIGHT, weight);
  });
  for (let block = 0; block < blocks; block++) {
    const own = shares.subarray(block * K, (block + 1) * K);
    const sum = own.reduce((total, weight) => total + weight, 0);
    for (let i = 0; i < K; i++) own[i]! /= sum;
  }
  return shares;
}
