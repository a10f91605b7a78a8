/** Samples among the best candidates instead of always taking the very best: explores, and says how much order matters. */
import type { Allocation, AllocationInput, AllocationStrategy } from '../focus-allocator.ts';
import { takeAlternately } from '../alternation.ts';
import { collectCandidates } from '../candidates.ts';
import type { Candidate } from '../candidate.ts';
import { spanIdOf } from '../../tree/ids.ts';
import { hashUint32 } from '../../../base/rng.ts';
import { runStrategy } from '../strategy-run.ts';
import type { StrategyRun } from '../strategy-run.ts';

export const stochasticStrategy: AllocationStrategy = { id: 'stochastic', allocate };

/**
 * As greedy, but each queue holds its `strategyTopK` best in an order drawn without replacement with probabilities
 * softmax(|score| / `strategyTemperature`), by the Gumbel top-k trick (Kool et al. 2019). The draw is a function of
 * seed, step, pass and span alone, so a run read back from storage draws the same.
 *
 * @throws {RangeError} if the scores are not one per entry.
 */
function allocate(input: AllocationInput): Allocation {
  return runStrategy(input, (run) => {
    const { expansions, collapses } = collectCandidates(run, run.config);
    const drawn = { expansions: draw(run, expansions, 1), collapses: draw(run, collapses, -1) };
    return { taken: takeAlternately(run, drawn, () => run.config.tauExpand) };
  });
}

/** @param sign - 1 where high scores are wanted, -1 where low ones are. */
function draw({ config, state, pass }: StrategyRun, ranked: readonly Candidate[], sign: 1 | -1): Candidate[] {
  const best = ranked.slice(0, config.strategyTopK);
  if (config.strategyTemperature === 0) return best;
  const keys = new Map(
    best.map((candidate) => {
      const span = spanIdOf(candidate.lod, candidate.start);
      const uniform = (hashUint32(config.seed, state.step, pass, span, sign + 1) + 0.5) / 2 ** 32;
      const gumbel = -Math.log(-Math.log(uniform));
      return [candidate, (sign * candidate.score) / config.strategyTemperature + gumbel];
    }),
  );
  return best.sort((a, b) => keys.get(b)! - keys.get(a)!);
}
