/**
 * Greedy whose thresholds follow how full the window is. Free budget should hold detail, and a full window
 * should trade only for what is clearly wanted more.
 */
import type { Allocation, AllocationInput, AllocationStrategy } from '../focus-allocator.ts';
import { takeAlternately } from '../alternation.ts';
import { collectCandidates } from '../candidates.ts';
import type { Candidate } from '../candidate.ts';
import { EXPANSION_COST } from '../../context/moves.ts';
import { runStrategy } from '../strategy-run.ts';
import type { StrategyRun } from '../strategy-run.ts';

export const adaptiveStrategy: AllocationStrategy = { id: 'adaptive', allocate };

/** No score is below -1: nothing collapses for its score alone. */
const NEVER = 1;

/**
 * Collapses only pay for expansions or make room for new tokens. τ_expand is the parameter's, except:
 *
 * - below `utilisationLow` it falls, step by step, until enough of the best-ranked candidates are above it to
 *   reach that share;
 * - above `utilisationHigh`, or where no expansion would fit, it rises, step by step, while more candidates than
 *   the action limit are above it. The best always stay candidates, so a full window never locks anything out.
 *
 * In a trade the expansion's score must exceed all that collapses for it by more than `tradeMargin`: scores that
 * differ by less never swap places, so nothing oscillates.
 *
 * @throws {RangeError} if the scores are not one per entry.
 */
function allocate(input: AllocationInput): Allocation {
  return runStrategy(input, (run) => {
    const { config } = run;
    const ranked = collectCandidates(run, { tauExpand: -1, tauCollapse: NEVER }).expansions;
    const surplus = expansionsTo(run, config.utilisationLow);
    const tauExpand = thresholdInForce(run, ranked, surplus);
    const expansions = ranked.filter(
      ({ score }, rank) => score > tauExpand && (score > config.tauExpand || rank < surplus),
    );
    const taken = takeAlternately(run, { expansions, collapses: [] }, (score) => score - config.tradeMargin);
    return { taken, thresholds: { tauExpand, tauCollapse: NEVER } };
  });
}

/**
 * @param ranked - every legal expansion, highest score first.
 * @param surplus - expansions that low utilisation asks for.
 */
function thresholdInForce(run: StrategyRun, ranked: readonly Candidate[], surplus: number): number {
  const { config, limit } = run;
  const isAbove = (tau: number, count: number): boolean => (ranked[count - 1]?.score ?? -1) > tau;
  let tau = config.tauExpand;
  if (surplus > 0) {
    const enough = Math.min(surplus, limit);
    while (tau > -1 && enough > 0 && !isAbove(tau, enough)) tau = Math.max(-1, tau - config.tauStep);
  } else if (expansionsTo(run, config.utilisationHigh) === 0) {
    while (isAbove(tau, limit + 1) && isAbove(tau + config.tauStep, limit)) tau += config.tauStep;
  }
  return tau;
}

/** How many expansions fit, up to the one that brings the window to this share of the budget. */
function expansionsTo({ step, config }: StrategyRun, share: number): number {
  const missing = share * config.budgetTokens - step.bench.usedTokens;
  const fitting = Math.floor(step.freeTokens / EXPANSION_COST);
  return Math.max(0, Math.min(Math.ceil(missing / EXPANSION_COST), fitting));
}
