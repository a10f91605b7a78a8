/**
 * Greedy whose thresholds follow how full the window is. Free budget should hold detail, and a full window
 * should trade only for what is clearly wanted more.
 */
import { questionAt } from '../../tree/question-at.ts';
import { EXPANSION_COST } from '../../context/moves.ts';
import type { AllocationPass, Candidate } from '../pass/allocation-pass.ts';
import { collectCandidates } from '../pass/candidates.ts';
import type { StrategyMoves } from '../pass/strategy.ts';
import { takeAlternately } from './greedy.ts';

/** No score is below -1: nothing collapses for its score alone. */
const NEVER = 1;
/** And none is below this, so that nothing pays. */
const NO_PAYER = -2;
/**
 * A gist that promises a little while text streams in turns out, once it is open, to be worth nothing to anybody: it
 * pays for the next such promise as soon as its cooldown ends, and the window churns for no question at all.
 */
const UNASKED_TRADE = 2.5;

/**
 * Collapses only pay for expansions or make room for new tokens. τ_expand is the parameter's, except:
 *
 * - below `utilisationLow` it falls, step by step, until enough of the best-ranked candidates are above it to
 *   reach that share;
 * - above `utilisationHigh`, or where no expansion would fit, it rises, step by step, while more candidates than
 *   the action limit are above it. The best always stay candidates, so a full window never locks anything out.
 *
 * In a trade the expansion's score must exceed all that collapses for it by more than `tradeMargin`: scores that
 * differ by less never swap places, so nothing oscillates. While nobody asks, it must also be above `UNASKED_TRADE`
 * times τ_expand.
 */
export function takeAdaptively(pass: AllocationPass): StrategyMoves {
  const { config } = pass;
  const ranked = collectCandidates(pass, { tauExpand: -1, tauCollapse: NEVER }).expansions;
  const surplus = expansionsTo(pass, config.utilisationLow);
  const tauExpand = thresholdInForce(pass, ranked, surplus);
  const expansions = ranked.filter(
    ({ score }, rank) => score > tauExpand && (score > config.tauExpand || rank < surplus),
  );
  const { tree, draft } = pass;
  const isAsked = questionAt(tree, draft.cursor) !== null;
  const tradesAbove = config.tauExpand * (isAsked ? 1 : UNASKED_TRADE);
  const taken = takeAlternately(pass, { expansions, collapses: [] }, (score) =>
    score > tradesAbove ? score - config.tradeMargin : NO_PAYER,
  );
  return { taken, thresholds: { tauExpand, tauCollapse: NEVER } };
}

/**
 * @param ranked - every legal expansion, highest score first.
 * @param surplus - expansions that low utilisation asks for.
 */
function thresholdInForce(pass: AllocationPass, ranked: readonly Candidate[], surplus: number): number {
  const { config, limit } = pass;
  const isAbove = (tau: number, count: number): boolean => (ranked[count - 1]?.score ?? -1) > tau;
  let tau = config.tauExpand;
  if (surplus > 0) {
    const enough = Math.min(surplus, limit);
    while (tau > -1 && enough > 0 && !isAbove(tau, enough)) tau = Math.max(-1, tau - config.tauStep);
  } else if (expansionsTo(pass, config.utilisationHigh) === 0) {
    while (isAbove(tau, limit + 1) && isAbove(tau + config.tauStep, limit)) tau += config.tauStep;
  }
  return tau;
}

/** How many expansions fit, up to the one that brings the window to this share of the budget. */
function expansionsTo({ draft, config, freeTokens }: AllocationPass, share: number): number {
  const missing = share * config.budgetTokens - draft.usedTokens;
  const fitting = Math.floor(freeTokens / EXPANSION_COST);
  return Math.max(0, Math.min(Math.ceil(missing / EXPANSION_COST), fitting));
}
