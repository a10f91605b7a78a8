/** Intervals and correlations of evaluation figures. Pure; random numbers come from a seed. */
import { quantileSorted, sampleRankCorrelation } from 'simple-statistics';
import { Rng } from './rng.ts';

/** Lower and upper end, 95%. */
export type Interval = readonly [number, number];

/** One independent unit, such as the questions on one history: a figure is Σ sum / Σ weight over units. */
export type WeightedSum = readonly [weight: number, sum: number];

/** The 97.5% quantile of the normal distribution. */
const Z = 1.959963984540054;
const RESAMPLES = 1000;

/**
 * Wilson's score interval (Wilson 1927) of a proportion.
 *
 * @param n - at least above 0; may be fractional, as an effective sample size is.
 * @param successes - in 0..n.
 */
export function wilsonInterval(successes: number, n: number): Interval {
  if (!(n > 0) || successes < 0 || successes > n) {
    throw new RangeError(`No proportion: ${successes} of ${n}.`);
  }
  const p = successes / n;
  const centre = p + (Z * Z) / (2 * n);
  const spread = Z * Math.sqrt((p * (1 - p)) / n + (Z * Z) / (4 * n * n));
  const scale = 1 + (Z * Z) / n;
  return [
    successes === 0 ? 0 : Math.max(0, (centre - spread) / scale),
    successes === n ? 1 : Math.min(1, (centre + spread) / scale),
  ];
}

/**
 * Wilson's interval for cases that come in clusters, such as questions that share a history: n is divided by
 * the design effect, that is how much more the proportion varies between clusters than independent cases would
 * (Kish 1965; ratio estimator of the variance). Clusters of one case give the plain interval.
 *
 * @param clusters - cases and successes of each.
 */
export function clusteredProportionInterval(clusters: readonly WeightedSum[]): Interval {
  const [n, successes] = totalOf(clusters);
  const p = successes / n;
  const count = clusters.length;
  if (count < 2 || p <= 0 || p >= 1) return wilsonInterval(successes, n);
  const squares = clusters.reduce((sum, [weight, hits]) => sum + (hits - p * weight) ** 2, 0);
  const variance = ((count / (count - 1)) * squares) / (n * n);
  const independent = (p * (1 - p)) / (n - 1);
  const effective = n / Math.max(1, variance / independent);
  return wilsonInterval(p * effective, effective);
}

/**
 * Percentile bootstrap (Efron 1979) of Σ sum / Σ weight, whole units drawn with replacement. The same units in
 * the same order and the same seed give the same interval.
 *
 * @returns null for fewer than two units: one alone says nothing of how they vary.
 */
export function bootstrapInterval(units: readonly WeightedSum[], seed: number): Interval | null {
  if (units.length < 2) return null;
  const rng = new Rng(seed);
  const ratios = new Float64Array(RESAMPLES);
  for (let i = 0; i < RESAMPLES; i++) {
    let weight = 0;
    let sum = 0;
    for (let drawn = 0; drawn < units.length; drawn++) {
      const unit = units[rng.nextInt(units.length)]!;
      weight += unit[0];
      sum += unit[1];
    }
    ratios[i] = sum / weight;
  }
  const defined = Array.from(ratios.filter(Number.isFinite).sort());
  return defined.length === 0 ? null : [quantileSorted(defined, 0.025), quantileSorted(defined, 0.975)];
}

/**
 * Rank correlation (Spearman 1904), ties at their mean rank.
 *
 * @returns in -1..1; null where it is undefined: fewer than two pairs, or one side constant.
 */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  if (a.length !== b.length) throw new RangeError(`${a.length} values against ${b.length}.`);
  if (a.length < 2) return null;
  const correlation = sampleRankCorrelation(Array.from(a), Array.from(b));
  // Rounding may carry a perfect one past its bound.
  return Number.isNaN(correlation) ? null : Math.max(-1, Math.min(1, correlation));
}

export function totalOf(units: readonly WeightedSum[]): WeightedSum {
  let weight = 0;
  let sum = 0;
  for (const unit of units) {
    weight += unit[0];
    sum += unit[1];
  }
  return [weight, sum];
}

/** @param values - not empty. */
export function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
