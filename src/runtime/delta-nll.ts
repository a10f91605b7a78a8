/** Measures ΔNLL@H: what the working context costs against the full raw history, on the tokens that follow. */
import type { GistTree } from '../core/tree.ts';
import { emptyLayout, extendLayout } from '../core/working-context.ts';
import type { Layout } from '../core/working-context.ts';
import type { LanguageModel } from '../nn/ports.ts';
import { Decoder } from './decoder.ts';

/** H: how many following tokens are scored. */
export const HORIZON_TOKENS = 64;
/** A base trained with position jumps reads about this many times its trained context (measured). */
const USABLE_RANGE = 4;

export interface DeltaNllMeasurement {
  readonly horizonTokens: number;
  readonly workingContextNll: number;
  readonly fullNll: number | null;
  readonly deltaNll: number | null;
  /** Why there is no figure for the full history. */
  readonly why?: string;
}

export class DeltaNllMeter {
  private readonly full: Decoder;
  private readonly usableTokens: number;

  constructor(base: LanguageModel, tree: GistTree, trainedContextTokens: number) {
    this.full = new Decoder(base, tree);
    this.usableTokens = trainedContextTokens * USABLE_RANGE;
  }

  /**
   * @param decoder - the working context's own; its cache is reused and left in step with the layout.
   * @param coming - the tokens that follow, at most `HORIZON_TOKENS`; not empty.
   */
  async measure(
    decoder: Decoder,
    layout: Layout,
    capacitySlots: number,
    coming: Uint32Array,
  ): Promise<DeltaNllMeasurement> {
    const workingContextNll = await decoder.scoreContinuation(layout, coming, capacitySlots);
    const needed = layout.cursor + coming.length;
    if (needed > this.usableTokens) {
      this.full.dispose();
      const why = `The full history with its horizon, ${needed} tokens, is longer than the ${this.usableTokens} tokens that this base reads well.`;
      return { horizonTokens: coming.length, workingContextNll, fullNll: null, deltaNll: null, why };
    }
    // The raw history only ever grows, so its cache is only ever appended to.
    const raw = extendLayout(emptyLayout(), layout.cursor);
    const fullNll = await this.full.scoreContinuation(raw, coming, this.usableTokens);
    return {
      horizonTokens: coming.length,
      workingContextNll,
      fullNll,
      deltaNll: workingContextNll - fullNll,
    };
  }

  dispose(): void {
    this.full.dispose();
  }
}
