/**
 * What several heads predict together: their last slots run in one pass, the final hidden states are merged, and the
 * LM head runs once: on the sum, or where the merger weighs each head by what it alone predicts, on all states in one
 * pass, and what comes out is merged. Owns no cache; each head's decoder keeps its own.
 */
import { mergeRows, mergeWeights, type MergeCandidate } from '../../../core/heads/merging.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import type { MergerId } from '../../../core/parameters/heads.ts';
import type { HeadMerger, LanguageModel } from '../../../nn/ports.ts';
import type { Decoder, LastSlot } from './decoder.ts';
import { entropyOf } from './sampler.ts';

/** A head that takes part. */
export interface ReadHead {
  readonly id: number;
  readonly decoder: Pick<Decoder, 'approach'>;
  readonly layout: Layout;
  readonly budgetTokens: number;
  /** As the router has it. */
  readonly utility: number;
}

export interface MergedPrediction {
  /** `[V]` for the next token; owned by the caller. */
  readonly logits: Float32Array;
  /** `[heads]` in the order given, sum 1. */
  readonly weights: Float64Array;
}

/**
 * @param heads - at least one, each with a layout that is not empty.
 * @param gateOf - what a learned merger gives a head; needed by that merger alone, and by it only for several heads.
 */
export async function readMerged(
  base: LanguageModel,
  heads: readonly ReadHead[],
  merger: MergerId,
  gateOf: HeadMerger | null,
): Promise<MergedPrediction> {
  const d = base.hiddenSize;
  const hidden = await readHeads(base, heads);
  const isLearned = merger === 'learned' && heads.length > 1;
  const needsEntropy = isLearned || (merger === 'confident' && heads.length > 1);
  const logits = needsEntropy ? await base.logitsOf(hidden) : null;
  const v = base.vocabularySize;
  const candidates = heads.map(({ utility }, i): MergeCandidate => {
    const entropyNats = logits === null ? 0 : entropyOf(logits.subarray(i * v, (i + 1) * v));
    const gate = isLearned ? gateOf!(hidden.subarray(i * d, (i + 1) * d), entropyNats, utility) : 0;
    return { utility, entropyNats, gate };
  });
  const weights = mergeWeights(merger, candidates);
  const merged = mergeRows(logits ?? hidden, weights);
  return { logits: logits === null ? await base.logitsOf(merged) : merged, weights };
}

/** `[heads, d]` final hidden states behind every head's last slot; those that were not run yet are run at once. */
export async function readHeads(base: LanguageModel, heads: readonly ReadHead[]): Promise<Float32Array> {
  const d = base.hiddenSize;
  const hidden = new Float32Array(heads.length * d);
  const due: { readonly at: number; readonly slot: LastSlot }[] = [];
  for (const [at, { decoder, layout, budgetTokens }] of heads.entries()) {
    const last = await decoder.approach(layout, budgetTokens);
    if (last instanceof Float32Array) hidden.set(last, at * d);
    else due.push({ at, slot: last });
  }
  if (due.length === 0) return hidden;
  const vectors = new Float32Array(due.length * d);
  due.forEach(({ slot }, row) => {
    vectors.set(slot.vector, row * d);
  });
  const ran = await base.appendTogether(
    due.map(({ slot }) => slot.session),
    vectors,
    Float64Array.from(due, ({ slot }) => slot.position),
    Float64Array.from(due, ({ slot }) => slot.deviation),
    due[0]!.slot.reading,
  );
  due.forEach(({ at, slot }, row) => {
    const own = ran.slice(row * d, (row + 1) * d);
    hidden.set(own, at * d);
    slot.ran(own);
  });
  return hidden;
}
