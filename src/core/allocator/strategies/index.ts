/** The allocation strategies by name. */
import { adaptiveStrategy } from './adaptive.ts';
import type { AllocationStrategy } from '../focus-allocator.ts';
import type { StrategyId } from '../../trace/parameters.ts';
import { greedyStrategy } from './greedy.ts';
import { matchingStrategy } from './matching.ts';
import { stochasticStrategy } from './stochastic.ts';

const STRATEGIES: Readonly<Record<StrategyId, AllocationStrategy>> = {
  greedy: greedyStrategy,
  stochastic: stochasticStrategy,
  matching: matchingStrategy,
  adaptive: adaptiveStrategy,
};

export function strategyOf(id: StrategyId): AllocationStrategy {
  return STRATEGIES[id];
}
