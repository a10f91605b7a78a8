/** Squashes the figures of all entries to scores: how far each stands out from the others. */

/**
 * `tanh((z - 1) / 2)`, z = a figure in standard deviations above the mean. At the default thresholds what stands
 * more than 1.4 deviations above the mean expands, the best few of a hundred, and what stands less than 0.6 above
 * it collapses. All alike score 0.
 */
export function standings(figures: Float64Array): Float64Array {
  let mean = 0;
  for (const figure of figures) mean += figure / figures.length;
  let variance = 0;
  for (const figure of figures) variance += (figure - mean) ** 2 / figures.length;
  const deviation = Math.sqrt(variance);
  if (deviation < 1e-6) return figures.map(() => 0);
  return figures.map((figure) => Math.tanh(((figure - mean) / deviation - 1) / 2));
}
