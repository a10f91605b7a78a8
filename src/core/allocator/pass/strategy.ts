/** What an allocation strategy is: it takes the moves of a pass in which the budget holds and the pins are served. */
import type { AllocationPass } from './allocation-pass.ts';
import type { Thresholds } from './allocator-state.ts';

/** What a strategy did. */
export interface StrategyMoves {
  /** Actions applied, at most the pass's limit. */
  readonly taken: number;
  /** The thresholds in force, where the strategy moved them. */
  readonly thresholds?: Thresholds;
}

/** Takes moves in the pass's draft and notes what it refused. Same pass, same moves. */
export type Strategy = (pass: AllocationPass) => StrategyMoves;
