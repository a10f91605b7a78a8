/** A small allocation for tests: two sibling groups, part gists, part raw. */
import { configOf, treeOf } from './fake-history.ts';
import { INITIAL_ALLOCATOR_STATE } from '../allocator/pass/allocator-state.ts';
import { allocate } from '../allocator/focus-allocator.ts';
import type { AllocationInput } from '../allocator/focus-allocator.ts';
import type { Allocation } from '../allocator/pass/allocation-pass.ts';
import type { StrategyId } from '../parameters/allocator.ts';
import type { RunConfig } from '../trace/config.ts';
import type { Entry } from '../context/working-context.ts';
import type { ActionRecord } from '../trace/telemetry.ts';
import { entryAt, layoutOf } from '../context/working-context.ts';

export const gists = (lod: 1 | 2, first: number, count: number): Entry[] =>
  Array.from({ length: count }, (_, i) => entryAt(lod, (first + i) * 32 ** lod));
export const blocks = (first: number, count: number): Entry[] =>
  Array.from({ length: count }, (_, i) => entryAt(0, (first + i) * 32));

/** 2,048 tokens: two LOD2 groups at LOD1, but the last `raw` blocks raw; scores by block. */
export function inputOf(
  raw: number,
  scores: Readonly<Record<number, number>>,
  changes: Partial<RunConfig> = {},
): AllocationInput {
  const layout = layoutOf([...gists(1, 0, 64 - raw), ...blocks(64 - raw, raw)]);
  const byBlock = new Float32Array(64);
  for (const [block, score] of Object.entries(scores)) byBlock[Number(block)] = score;
  return {
    layout,
    scores: byBlock,
    tree: treeOf(2048),
    config: configOf({ budgetTokens: 512, recentTokens: 32, ...changes }),
    state: INITIAL_ALLOCATOR_STATE,
    pass: 0,
  };
}

/** One pass by another strategy than the input's own. */
export function allocateBy(strategy: StrategyId, input: AllocationInput): Allocation {
  return allocate({ ...input, config: { ...input.config, strategy } });
}

export const brief = ({ kind, start, reason, rank }: ActionRecord): unknown[] => [
  kind,
  start / 32,
  reason,
  rank,
];
export const applied = (actions: readonly ActionRecord[]): ActionRecord[] =>
  actions.filter((action) => action.applied);
export const refused = (actions: readonly ActionRecord[]): ActionRecord[] =>
  actions.filter((action) => !action.applied);
