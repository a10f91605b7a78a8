/** Measures ΔNLL@H: what the working context costs against the full raw history, on the tokens that follow. */
import type { RunConfig } from '../../../core/trace/config.ts';
import { positionSchemeOf } from '../../../core/context/position-scheme.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { emptyLayout, extendLayout } from '../../../core/context/working-context.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import { usableTokens } from '../../../nn/model-folder/manifest.ts';
import type { LanguageModel } from '../../../nn/ports.ts';
import { Decoder } from './decoder.ts';
import type { IngestQueue } from '../memory/ingest-queue.ts';

/** H: how many following tokens are scored. */
export const HORIZON_TOKENS = 64;

/** The tokens that a measurement reads; null where none is due at this step, or too few wait. */
export function horizonDue(
  { deltaNllEverySteps }: Pick<RunConfig, 'deltaNllEverySteps'>,
  step: number,
  queue: Pick<IngestQueue, 'peek'>,
): Uint32Array | null {
  if (deltaNllEverySteps === 0 || step % deltaNllEverySteps !== 0) return null;
  const coming = queue.peek(HORIZON_TOKENS);
  return coming.length < HORIZON_TOKENS ? null : coming;
}

export interface DeltaNllMeasurement {
  readonly horizonTokens: number;
  readonly workingContextNll: number;
  readonly fullNll: number | null;
  readonly deltaNll: number | null;
  /** Why there is no figure for the full history. */
  readonly why?: string;
  /** Where the cache was patched: the working context's NLL minus that with all its slots run anew. */
  readonly patchExtraNll?: number;
}

export class DeltaNllMeter {
  private readonly full: Decoder;
  /** Reads the working context itself, in `exact` mode. */
  private readonly exact: Decoder;
  private readonly usableTokens: number;

  constructor(
    base: LanguageModel,
    tree: GistTree,
    private readonly trainedContextTokens: number,
  ) {
    this.full = new Decoder(base, tree);
    this.exact = new Decoder(base, tree);
    this.usableTokens = usableTokens({ trainedContextTokens });
  }

  /** @param coming - the tokens that follow, as `horizonDue` gives them. */
  async measureHead(
    config: Pick<RunConfig, 'budgetTokens' | 'positions' | 'gistDecay' | 'kvMode'>,
    decoder: Decoder,
    layout: Layout,
    coming: Uint32Array,
  ): Promise<DeltaNllMeasurement> {
    const { budgetTokens } = config;
    // All contexts stand where the parameters say, so that the difference is the compression's alone.
    const scheme = positionSchemeOf(config, this.trainedContextTokens);
    this.full.setPositions(scheme);
    const measured = await this.measure(decoder, layout, budgetTokens, coming);
    if (config.kvMode === 'exact') {
      this.exact.dispose();
      return measured;
    }
    this.exact.setPositions(scheme);
    const exactNll = await this.exact.scoreContinuation(layout, coming, budgetTokens);
    return { ...measured, patchExtraNll: measured.workingContextNll - exactNll };
  }

  /**
   * @param decoder - the working context's own; its cache is reused and left in step with the layout.
   * @param coming - the tokens that follow, at most `HORIZON_TOKENS`; not empty.
   */
  private async measure(
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
    this.exact.dispose();
  }
}
