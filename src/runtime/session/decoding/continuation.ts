/** What a base says of tokens that follow a context. Pure. */
import { logSumExp } from './sampler.ts';

export interface ContinuationReading {
  /** `[n]` negative log-likelihood of each token given those before it, nats. */
  readonly nll: Float64Array;
  /** `[n]` 1 where the token is the base's first choice, given the tokens before it. */
  readonly isFirstChoice: Uint8Array;
}

/** @param rows - `[n, V]` logits; row i predicts token i. */
export function readContinuationRows(
  rows: Float32Array,
  ids: Uint32Array,
  vocabularySize: number,
): ContinuationReading {
  const nll = new Float64Array(ids.length);
  const isFirstChoice = new Uint8Array(ids.length);
  for (let i = 0; i < ids.length; i++) {
    const logits = rows.subarray(i * vocabularySize, (i + 1) * vocabularySize);
    const wanted = logits[ids[i]!]!;
    nll[i] = logSumExp(logits) - wanted;
    // As greedy decoding picks: the lowest id among equals.
    isFirstChoice[i] = logits.every((logit, id) => logit < wanted || (logit === wanted && id >= ids[i]!))
      ? 1
      : 0;
  }
  return { nll, isFirstChoice };
}
