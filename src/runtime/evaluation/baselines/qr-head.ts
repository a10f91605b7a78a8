/**
 * QRHead (Zhang et al. 2025, arXiv 2506.09944): a few heads of the base that look for what a question asks, picked
 * on a handful of examples; a block is worth the attention that the question's tokens pay to its tokens in those
 * heads. As in the paper a question that asks nothing is subtracted, so that what draws attention anyway does not
 * count. Which heads they are stands in the model's manifest.
 */
import { K } from '../../../core/tree/ids.ts';
import { baseSha256 } from '../../../nn/model-folder/manifest.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { HeadId, HistoryKeys } from '../memory/history-keys.ts';
import { attentionMass } from './attention-mass.ts';
import { askedIds, type BaselineHistory, type BlockRanker, type Ranks } from './baseline.ts';

/** The paper's question that asks nothing. */
const NO_QUESTION = 'N/A';

/** @returns why the model's heads cannot be read; null where they can. */
export function whyNoRetrievalHeads(model: LoadedModel): string | null {
  const remedy = `Pick them with npm run heads -- --model ${model.id}.`;
  const { retrievalHeads } = model.manifest;
  const { layers, attention } = model.base;
  if (retrievalHeads === undefined) return `The manifest of ${model.id} names no retrieval heads. ${remedy}`;
  if (retrievalHeads.baseSha256 !== baseSha256(model)) {
    return `The retrieval heads in the manifest of ${model.id} were picked for other weights. ${remedy}`;
  }
  const strange = retrievalHeads.heads.find(([layer, head]) => layer >= layers || head >= attention.heads);
  if (strange === undefined) return null;
  return `The base of ${model.id} has no head ${strange[1]} in a layer ${strange[0]}. ${remedy}`;
}

/** The heads that the manifest names; none where they cannot be read. */
export function retrievalHeadsOf(model: LoadedModel): readonly HeadId[] {
  return whyNoRetrievalHeads(model) === null ? model.manifest.retrievalHeads!.heads : [];
}

export async function createHeadRanker({ keys, model, tree }: BaselineHistory): Promise<BlockRanker> {
  const known = await keys();
  const heads = retrievalHeadsOf(model);
  const nothing = emptyQuestion(model);
  const unasked = massOfHeads(await known.ask(nothing), known, heads);
  let baseTokens = 0;
  return {
    baseTokensOnce: known.baseTokens + nothing.length,
    msOnce: known.ms,
    get baseTokens() {
      return baseTokens;
    },
    rank: async (asked) => {
      const ids = askedIds(asked);
      baseTokens += ids.length;
      const mass = massOfHeads(await known.ask(ids), known, heads);
      return rankByMass(mass, unasked, tree.closedBlockCount);
    },
  };
}

/** What a question that asks nothing appends. */
export function emptyQuestion({
  manifest,
  tokenizer,
}: Pick<LoadedModel, 'manifest' | 'tokenizer'>): Uint32Array {
  const { userPrefix, userSuffix, assistantPrefix } = manifest.chat;
  const userIds = tokenizer.encodeTemplate(userPrefix, NO_QUESTION, userSuffix);
  return askedIds({ userIds, assistantIds: tokenizer.encodeTemplate(assistantPrefix) });
}

/** @returns `[tokens]` the heads' attention to each token of the closed blocks, summed. */
function massOfHeads(
  queries: readonly Float32Array[],
  { keys, shape }: Pick<HistoryKeys, 'keys' | 'shape'>,
  heads: readonly HeadId[],
): Float64Array {
  const sums = new Float64Array(keys[0]!.length / shape.headDim);
  for (const [i, [layer, head]] of heads.entries()) {
    const mass = attentionMass(queries[layer]!, keys[i]!, head, shape);
    for (let token = 0; token < sums.length; token++) sums[token]! += mass[token]!;
  }
  return sums;
}

/**
 * @param mass - `[blocks · K]` attention to each token.
 * @param unasked - the same of the question that asks nothing.
 */
export function rankByMass(mass: Float64Array, unasked: Float64Array, blocks: number): Ranks {
  const ranks = new Float64Array(blocks);
  for (let token = 0; token < blocks * K; token++)
    ranks[Math.floor(token / K)]! += mass[token]! - unasked[token]!;
  return ranks;
}
