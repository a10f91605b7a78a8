/** What every strategy does around its own moves: a new step, forced collapses, manual pins, and the outcome. */
import { AllocationStep } from './allocation-step.ts';
import type { Refusal } from './allocation-step.ts';
import { MAX_REFUSED } from './focus-allocator.ts';
import type {
  Allocation,
  AllocationInput,
  AllocatorConfig,
  AllocatorState,
  Thresholds,
} from './focus-allocator.ts';
import type { Candidate } from './candidate.ts';
import { fitToBudget } from './fit.ts';
import { K } from '../tree/ids.ts';
import { EXPANSION_COST } from '../context/moves.ts';
import { expandPinned } from './pins.ts';
import type { ActionRecord } from '../trace/telemetry.ts';
import { TopList } from '../../base/top-list.ts';
import { ageLayout } from '../context/working-context.ts';

/** One pass in which the budget holds and the pins are served: the strategy's own moves come next. */
export interface StrategyRun {
  readonly step: AllocationStep;
  readonly config: AllocatorConfig;
  /** The pass's own refocus: its number is `state.step`. */
  readonly state: AllocatorState;
  readonly pass: number;
  /** Actions that the pass may still take. */
  readonly limit: number;
  readonly reserveTokens: number;
  /** Candidates that were not taken, with the reason. */
  readonly refused: TopList<ActionRecord>;
}

interface StrategyMoves {
  /** Actions applied, at most the run's limit. */
  readonly taken: number;
  /** Where the strategy moved them. */
  readonly thresholds?: Thresholds;
}

/**
 * One allocator pass: forced collapses while over budget, manual pins, then the strategy's choice.
 *
 * @throws {RangeError} if the scores are not one per entry.
 */
export function runStrategy(
  input: AllocationInput,
  takeMoves: (run: StrategyRun) => StrategyMoves,
): Allocation {
  const { config, tree, pass } = input;
  if (input.scores.length !== input.layout.entries.length) {
    throw new RangeError(`${input.scores.length} scores for ${input.layout.entries.length} entries.`);
  }
  const state = pass === 0 ? beginStep(input.state, config) : input.state;
  const layout = pass === 0 ? ageLayout(input.layout) : input.layout;
  const pins = input.pins ?? [];
  const limit = Math.max(0, config.maxActions - state.actionsTaken);
  const reserveTokens = Math.min(input.reserveTokens ?? 0, config.budgetTokens - K);
  const step = new AllocationStep({
    layout,
    scores: biasedScores(input.scores, state, config),
    tree,
    config,
    state,
    pass,
    pins,
    reserveTokens,
    maxExpansions: limit + (pins.length > 0 ? Math.ceil(config.budgetTokens / EXPANSION_COST) : 0),
  });
  const refused = new TopList<ActionRecord>(MAX_REFUSED);
  fitToBudget(step);
  expandPinned(step, pins, refused);
  const { taken, thresholds } = takeMoves({ step, config, state, pass, limit, reserveTokens, refused });
  const after = { ...withoutThresholds(state), actionsTaken: state.actionsTaken + taken };
  const outcome = step.outcome(thresholds === undefined ? after : { ...after, thresholds }, layout);
  return { ...outcome, actions: [...outcome.actions, ...refused.toSorted()] };
}

/** Record a candidate that was not taken. */
export function refuse(
  { step, refused }: StrategyRun,
  kind: 'expand' | 'collapse',
  candidate: Candidate,
  rank: number,
  refusal: Refusal,
): void {
  const key = Math.abs(candidate.score);
  if (!refused.accepts(key, candidate.start)) return;
  const record =
    kind === 'expand'
      ? step.refusedExpand(candidate, candidate.score, rank, refusal)
      : step.refusedCollapse(candidate.lod, candidate.start, candidate.score, rank, refusal);
  refused.offer(record, key, candidate.start);
}

/** Record the expansions that are left when all moves are made: the budget or the action limit stood in the way. */
export function refuseExpansions(
  run: StrategyRun,
  left: readonly { readonly candidate: Candidate; readonly rank: number }[],
): void {
  const missingTokens = EXPANSION_COST - run.step.freeTokens;
  const refusal: Refusal =
    missingTokens > 0 ? { reason: 'no-budget', missingTokens } : { reason: 'action-limit' };
  for (const { candidate, rank } of left) refuse(run, 'expand', candidate, rank, refusal);
}

/** A new refocus: the net cost since the last one enters the moving average. */
function beginStep(state: AllocatorState, config: AllocatorConfig): AllocatorState {
  const drift = config.driftDecay * state.drift + (1 - config.driftDecay) * state.netCost;
  return { ...state, step: state.step + 1, drift, netCost: 0, actionsTaken: 0 };
}

/** Another strategy may have left them. */
function withoutThresholds({
  step,
  drift,
  netCost,
  actionsTaken,
  cooldowns,
}: AllocatorState): AllocatorState {
  return { step, drift, netCost, actionsTaken, cooldowns };
}

/** A context that grew lately is biased to collapse, one that shrank to expand. */
function biasedScores(scores: Float32Array, state: AllocatorState, config: AllocatorConfig): Float32Array {
  const bias = (-config.driftGain * state.drift) / config.budgetTokens;
  return scores.map((score) => (Number.isFinite(score) ? Math.max(-1, Math.min(1, score + bias)) : 0));
}
