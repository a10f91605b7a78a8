/** A LensNet whose scores can be had before their tanh: what tests and training compare. */
import type { LensInput, LensNet } from '../ports.ts';

export interface LensLogits extends LensNet {
  /**
   * The scores before their tanh.
   *
   * @returns `[N]`, the caller's. All zeros where there is no tail: nothing asks for detail yet.
   */
  logits(input: LensInput): Promise<Float32Array>;
}
