/**
 * What training asks of the scores: near the measured target (regression), and in the measured order (ranking).
 * Sums over slots and pairs are products with small constant matrices, because `gather` has no gradient on WASM.
 */
import * as tf from '@tensorflow/tfjs';
import type { EntryTarget } from '../../ports.ts';
import { productOfData } from './differentiable-product.ts';

/** Pairs whose targets differ by less say nothing about their order. */
const LEAST_DIFFERENCE = 0.1;
/** A better entry should score higher by this share of the targets' difference. */
const MARGIN_SHARE = 0.5;
const RANKING_WEIGHT = 1;

export interface LossTerms {
  readonly total: tf.Scalar;
  readonly regression: tf.Scalar;
  readonly ranking: tf.Scalar;
}

/**
 * @param logits - `[n]`, the slots of all targets one after the other.
 * @returns the scores' weighted mean squared error, and the mean squared hinge over pairs of one group.
 */
export function lensLoss(logits: tf.Tensor1D, targets: readonly EntryTarget[]): LossTerms {
  const scores = entryScores(logits, targets);
  const wanted = tf.tensor2d(
    targets.map(({ target }) => target),
    [targets.length, 1],
  );
  const totalWeight = targets.reduce((sum, { weight }) => sum + weight, 0);
  const shares = tf.tensor2d(
    targets.map(({ weight }) => weight / totalWeight),
    [targets.length, 1],
  );
  const regression = tf.sum<tf.Scalar>(tf.mul(tf.square(tf.sub(scores, wanted)), shares));
  const ranking = rankingLoss(scores, targets);
  return { total: tf.add(regression, tf.mul(ranking, RANKING_WEIGHT)), regression, ranking };
}

/** `[n]` logits → `[entries, 1]` mean scores, as the allocator takes them. */
function entryScores(logits: tf.Tensor1D, targets: readonly EntryTarget[]): tf.Tensor2D {
  const count = logits.shape[0];
  const means = new Float32Array(targets.length * count);
  let slot = 0;
  targets.forEach(({ slotCount }, entry) => {
    means.fill(1 / slotCount, entry * count + slot, entry * count + slot + slotCount);
    slot += slotCount;
  });
  const slots = tf.reshape<tf.Rank.R2>(tf.tanh(logits), [count, 1]);
  return productOfData(tf.tensor2d(means, [targets.length, count]), slots);
}

function rankingLoss(scores: tf.Tensor2D, targets: readonly EntryTarget[]): tf.Scalar {
  const pairs: (readonly [better: number, worse: number, margin: number])[] = [];
  targets.forEach((a, i) => {
    targets.forEach((b, j) => {
      const difference = a.target - b.target;
      if (a.group === null || a.group !== b.group || difference < LEAST_DIFFERENCE) return;
      pairs.push([i, j, difference * MARGIN_SHARE]);
    });
  });
  if (pairs.length === 0) return tf.scalar(0);
  const differences = new Float32Array(pairs.length * targets.length);
  pairs.forEach(([better, worse], row) => {
    differences[row * targets.length + better] = 1;
    differences[row * targets.length + worse] = -1;
  });
  const apart = productOfData(tf.tensor2d(differences, [pairs.length, targets.length]), scores);
  const margins = tf.tensor2d(
    pairs.map(([, , margin]) => margin),
    [pairs.length, 1],
  );
  return tf.mean(tf.square(tf.relu(tf.sub(margins, apart))));
}
