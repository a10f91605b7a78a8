/** Whether gists have collapsed onto each other: how alike they are, and how many directions they use. Pure. */

/** Off-diagonal mass, relative to the diagonal, at which the rotations stop. */
const TOLERANCE = 1e-9;
const MAX_SWEEPS = 30;

export interface GistSpread {
  /** Mean cosine over all pairs of different gists. */
  readonly pairwiseCosine: number;
  /** exp of the entropy of the normalised singular values of the centred gists (Roy and Vetterli 2007). */
  readonly effectiveRank: number;
}

/** @param gists - `[n, d]`, at least two, not all alike. */
export function gistSpread(gists: Float32Array, d: number): GistSpread {
  const n = gists.length / d;
  const mean = new Float64Array(d);
  const direction = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    const row = gists.subarray(i * d, (i + 1) * d);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) + 1e-12;
    for (let j = 0; j < d; j++) {
      mean[j]! += row[j]! / n;
      direction[j]! += row[j]! / norm;
    }
  }
  // The sum over all pairs, a gist with itself included, is the squared length of the sum of directions.
  const all = direction.reduce((sum, value) => sum + value * value, 0);
  return {
    pairwiseCosine: (all - n) / (n * (n - 1)),
    effectiveRank: effectiveRank(scatterOf(gists, mean, d), d),
  };
}

/** `[d, d]` XᵀX of the centred gists X. */
function scatterOf(gists: Float32Array, mean: Float64Array, d: number): Float64Array {
  const scatter = new Float64Array(d * d);
  const row = new Float64Array(d);
  for (let first = 0; first < gists.length; first += d) {
    for (let j = 0; j < d; j++) row[j] = gists[first + j]! - mean[j]!;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) scatter[i * d + j]! += row[i]! * row[j]!;
    }
  }
  return scatter;
}

function effectiveRank(scatter: Float64Array, d: number): number {
  const singular = eigenvaluesOf(scatter, d).map((value) => Math.sqrt(Math.max(0, value)));
  const total = singular.reduce((sum, value) => sum + value, 0);
  let entropy = 0;
  for (const value of singular) {
    const share = value / total;
    if (share > 0) entropy -= share * Math.log(share);
  }
  return Math.exp(entropy);
}

/** Eigenvalues of a symmetric `[d, d]` matrix, which is overwritten (cyclic Jacobi rotations). */
function eigenvaluesOf(matrix: Float64Array, d: number): Float64Array {
  for (let sweep = 0; sweep < MAX_SWEEPS && !isDiagonal(matrix, d); sweep++) {
    for (let p = 0; p < d - 1; p++) for (let q = p + 1; q < d; q++) rotate(matrix, d, p, q);
  }
  return Float64Array.from({ length: d }, (_, i) => matrix[i * d + i]!);
}

function isDiagonal(matrix: Float64Array, d: number): boolean {
  let off = 0;
  let on = 0;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      if (i === j) on += matrix[i * d + j]! ** 2;
      else off += matrix[i * d + j]! ** 2;
    }
  }
  return off <= TOLERANCE * on;
}

/** Turn the plane of axes p and q so that their mutual element becomes 0. */
function rotate(matrix: Float64Array, d: number, p: number, q: number): void {
  const mutual = matrix[p * d + q]!;
  if (mutual === 0) return;
  const theta = (matrix[q * d + q]! - matrix[p * d + p]!) / (2 * mutual);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  for (let k = 0; k < d; k++) {
    const a = matrix[k * d + p]!;
    const b = matrix[k * d + q]!;
    matrix[k * d + p] = cosine * a - sine * b;
    matrix[k * d + q] = sine * a + cosine * b;
  }
  for (let k = 0; k < d; k++) {
    const a = matrix[p * d + k]!;
    const b = matrix[q * d + k]!;
    matrix[p * d + k] = cosine * a - sine * b;
    matrix[q * d + k] = sine * a + cosine * b;
  }
}
