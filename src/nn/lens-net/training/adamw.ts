/** AdamW (Loshchilov & Hutter 2019) over one flat array, on the CPU: deterministic, and nothing to dispose. */

const BETA_1 = 0.9;
const BETA_2 = 0.98;
const EPSILON = 1e-8;

export interface AdamWState {
  readonly step: number;
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

/** A stretch of the array that decays: matrices do, norms and biases do not. */
export interface DecayingRange {
  readonly offset: number;
  readonly size: number;
}

export class AdamW {
  private step = 0;
  private readonly mean: Float32Array;
  private readonly square: Float32Array;
  private readonly decay: Float32Array;

  constructor(size: number, decaying: readonly DecayingRange[], weightDecay: number) {
    this.mean = new Float32Array(size);
    this.square = new Float32Array(size);
    this.decay = new Float32Array(size);
    for (const { offset, size: count } of decaying) this.decay.fill(weightDecay, offset, offset + count);
  }

  /** Update `values` in place. */
  apply(values: Float32Array, gradient: Float32Array, learningRate: number): void {
    this.step++;
    const rate = learningRate / (1 - BETA_1 ** this.step);
    const unbias = 1 / (1 - BETA_2 ** this.step);
    const { mean, square, decay } = this;
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i]!;
      const m = (mean[i] = BETA_1 * mean[i]! + (1 - BETA_1) * g);
      const v = (square[i] = BETA_2 * square[i]! + (1 - BETA_2) * g * g);
      const value = values[i]! * (1 - learningRate * decay[i]!);
      values[i] = value - (rate * m) / (Math.sqrt(v * unbias) + EPSILON);
    }
  }

  snapshot(): AdamWState {
    return { step: this.step, mean: this.mean.slice(), square: this.square.slice() };
  }

  restore(state: AdamWState): void {
    this.step = state.step;
    this.mean.set(state.mean);
    this.square.set(state.square);
  }
}
