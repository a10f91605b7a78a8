/** Samples among the best candidates instead of always taking the very best: explores, and says how much order matters. */
import { hashUint32 } from '../../../base/rng.ts';
import { spanIdOf } from '../../tree/ids.ts';
import type { AllocationPass, Candidate } from '../pass/allocation-pass.ts';
import { collectCandidates } from '../pass/candidates.ts';
import type { StrategyMoves } from '../pass/strategy.ts';
import { takeAlternately } from './greedy.ts';

/**
 * As greedy, but each queue holds its `strategyTopK` best in an order drawn without replacement with probabilities
 * softmax(|score| / `strategyTemperature`), by the Gumbel top-k trick (Kool et al. 2019). The draw is a function of
 * seed, step, pass and span alone, so a run read back from storage draws the same.
 */
export function takeStochastically(pass: AllocationPass): StrategyMoves {
  const { config } = pass;
  const { expansions, collapses } = collectCandidates(pass, config);
  const drawn = { expansions: draw(pass, expansions, 1), collapses: draw(pass, collapses, -1) };
  return { taken: takeAlternately(pass, drawn, () => config.tauExpand) };
}

/** @param sign - 1 where high scores are wanted, -1 where low ones are. */
function draw(
  { config, state, number }: AllocationPass,
  ranked: readonly Candidate[],
  sign: 1 | -1,
): Candidate[] {
  const best = ranked.slice(0, config.strategyTopK);
  if (config.strategyTemperature === 0) return best;
  const keys = new Map(
    best.map((candidate) => {
      const span = spanIdOf(candidate.lod, candidate.start);
      const uniform = (hashUint32(config.seed, state.step, number, span, sign + 1) + 0.5) / 2 ** 32;
      const gumbel = -Math.log(-Math.log(uniform));
      return [candidate, (sign * candidate.score) / config.strategyTemperature + gumbel];
    }),
  );
  return best.sort((a, b) => keys.get(b)! - keys.get(a)!);
}
