/** What the scores ask for, once drift and neighbours have their say. */
import { type Layout } from '../context/working-context.ts';
import type { AllocatorConfig, AllocatorState } from './pass/allocator-state.ts';

type AskingConfig = Pick<
  AllocatorConfig,
  'driftGain' | 'budgetTokens' | 'openNeighbours' | 'neighbourShare' | 'tauExpand'
>;

/**
 * @param scores - `[entries.length]`; what is not finite counts as 0.
 * @returns `[entries.length]` in [-1, 1].
 */
export function askedScores(
  layout: Layout,
  scores: Float32Array,
  { drift }: Pick<AllocatorState, 'drift'>,
  config: AskingConfig,
): Float32Array {
  // A context that grew lately is biased to collapse, one that shrank to expand.
  const bias = (-config.driftGain * drift) / config.budgetTokens;
  const biased = scores.map((score) =>
    Number.isFinite(score) ? Math.max(-1, Math.min(1, score + bias)) : 0,
  );
  return config.openNeighbours === 0 ? biased : withNeighbours(layout, biased, config);
}

/**
 * Blocks, raw or as gists, are asked for with a share of what a near one's score has above τ_expand: a window too narrow
 * for all of them opens those first that are asked for by themselves.
 */
function withNeighbours(
  { entries }: Layout,
  scores: Float32Array,
  { openNeighbours, neighbourShare, tauExpand }: AskingConfig,
): Float32Array {
  const asked = scores.slice();
  const isBlock = (index: number): boolean => (entries[index]?.lod ?? 2) <= 1;
  scores.forEach((score, index) => {
    if (score <= tauExpand || !isBlock(index)) return;
    const lent = tauExpand + neighbourShare * (score - tauExpand);
    for (const step of [-1, 1]) {
      for (
        let near = index + step;
        near !== index + step * (openNeighbours + 1) && isBlock(near);
        near += step
      ) {
        asked[near] = Math.max(asked[near]!, lent);
      }
    }
  });
  return asked;
}
