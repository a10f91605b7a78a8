/** Rotary positions: angles in float64, cos and sin rounded to float32 once, so big positions stay exact. */

/** `[n, headDim / 2]` each, row after row. */
export interface Rotations {
  readonly cos: Float32Array<ArrayBuffer>;
  readonly sin: Float32Array<ArrayBuffer>;
}

/**
 * @param positions - `[n]` whole or fractional.
 * @param deviations - `[n]` standard deviations of the positions; all 0 where absent. A row becomes the
 *   expected rotation under that Gaussian, E[exp(iωp)] = exp(iωμ) · exp(-(σω)²/2): the wider, the less a fast
 *   frequency says. 0 leaves the row bit for bit as it is without.
 * @returns new arrays, the caller's.
 */
export function rotationsOf(
  positions: ArrayLike<number>,
  headDim: number,
  theta: number,
  deviations?: ArrayLike<number>,
): Rotations {
  const half = headDim / 2;
  const frequencies = Float64Array.from({ length: half }, (_, i) => theta ** -((2 * i) / headDim));
  const cos = new Float32Array(positions.length * half);
  const sin = new Float32Array(positions.length * half);
  for (let row = 0; row < positions.length; row++) {
    const deviation = deviations?.[row] ?? 0;
    for (let i = 0; i < half; i++) {
      const angle = positions[row]! * frequencies[i]!;
      const length = Math.exp(-((deviation * frequencies[i]!) ** 2) / 2);
      cos[row * half + i] = length * Math.cos(angle);
      sin[row * half + i] = length * Math.sin(angle);
    }
  }
  return { cos, sin };
}
