/** What a policy keeps of a long history. Pure. */
import type { LoadedModel } from '../../../nn/ports.ts';
import { K } from '../../../core/tree/ids.ts';
import type { EvaluationPolicyId } from '../baselines/policies.ts';
import { retrievalHeadsOf } from '../baselines/qr-head.ts';

const MILLION = 1_000_000;
const TOKEN_BYTES = 4;
const GIST_NUMBER_BYTES = 2;
const KEY_NUMBER_BYTES = 4;
/** These read tokens alone. */
const WITHOUT_GISTS: readonly EvaluationPolicyId[] = ['full', 'streaming', 'bm25-raw'];

/**
 * Bytes a million tokens: their ids, the gists of all levels where the policy reads any, and what Quest and QRHead
 * keep of the base's keys. What other rankers make on the way is not counted.
 */
export function bytesPerMillionTokens(policy: EvaluationPolicyId, model: LoadedModel): number {
  const { base, manifest } = model;
  let gists = 0;
  for (let lod = 1; lod <= manifest.maxLod; lod++) gists += Math.floor(MILLION / K ** lod);
  const gistBytes = WITHOUT_GISTS.includes(policy) ? 0 : gists * base.hiddenSize * GIST_NUMBER_BYTES;
  return MILLION * TOKEN_BYTES + gistBytes + keyNumbers(policy, model) * KEY_NUMBER_BYTES;
}

/** Quest: the least and the most of every layer's keys, a block; QRHead: every key of the picked heads. */
function keyNumbers(policy: EvaluationPolicyId, model: LoadedModel): number {
  const { attention, layers } = model.base;
  if (policy === 'quest') return (MILLION / K) * 2 * layers * attention.kvHeads * attention.headDim;
  if (policy === 'qr-head') return MILLION * retrievalHeadsOf(model).length * attention.headDim;
  return 0;
}
