/** The default strategy: the best expansions and collapses, taken alternately within budget and limits. */
import { EXPANSION_COST } from '../../context/moves.ts';
import type { LayoutEntry } from '../../trace/telemetry.ts';
import type { AllocationPass, Candidate } from '../pass/allocation-pass.ts';
import { collectCandidates } from '../pass/candidates.ts';
import type { Candidates } from '../pass/candidates.ts';
import { Payers } from '../pass/payment.ts';
import type { StrategyMoves } from '../pass/strategy.ts';

export function takeGreedily(pass: AllocationPass): StrategyMoves {
  const { config } = pass;
  return { taken: takeAlternately(pass, collectCandidates(pass, config), () => config.tauExpand) };
}

/**
 * An expansion that does not fit is paid for by the collapse candidates, and once those are used up by the
 * lowest-scored unit in which nothing is scored above `payerLimit`: a full window trades its least wanted detail
 * for the most wanted. What no collapse can pay for is refused.
 *
 * @param payerLimit - of an expansion's score; must not rise from one expansion to the next.
 * @param sparedUnits - this many units that could still collapse are not traded away, so that the tokens that
 * come next push something coarser and nothing out of the window.
 * @returns how many actions were applied.
 */
export function takeAlternately(
  pass: AllocationPass,
  candidates: Candidates,
  payerLimit: (expansionScore: number) => number,
  sparedUnits = 0,
): number {
  const { limit } = pass;
  const expansions = new Queue(candidates.expansions);
  const collapses = new Queue(candidates.collapses);
  const dropStale = (): void => {
    while (expansions.head !== undefined && !isCurrent(pass, expansions.head)) {
      pass.refuse('expand', expansions.head, expansions.rank, { reason: 'not-legal' });
      expansions.advance();
    }
    while (collapses.head !== undefined && !isWholeUnit(pass, collapses.head)) {
      pass.refuse('collapse', collapses.head, collapses.rank, { reason: 'not-legal' });
      collapses.advance();
    }
  };

  let taken = 0;
  let isExpansionsTurn = true;
  let payers: LayoutEntry[] = [];
  let unwanted: Payers | null = null;
  /** Only while the expansion itself would still be within the limit. */
  const collapseUnwanted = (): boolean => {
    if (expansions.head === undefined || taken + 2 > limit) return false;
    unwanted ??= new Payers(pass);
    if (unwanted.size <= sparedUnits) return false;
    const paid = unwanted.collapseLowest('paid-for-expansion', payerLimit(expansions.head.score));
    if (paid === null) return false;
    payers.push(paid);
    isExpansionsTurn = true;
    return true;
  };
  dropStale();
  while (taken < limit) {
    const fits = pass.freeTokens >= EXPANSION_COST;
    if (expansions.head !== undefined && fits && (isExpansionsTurn || collapses.head === undefined)) {
      pass.expand(expansions.head.node, {
        reason: 'score-above-tau',
        rank: expansions.rank,
        paidBy: payers,
      });
      payers = [];
      isExpansionsTurn = false;
      expansions.advance();
    } else if (collapses.head !== undefined) {
      const isPaying = expansions.head !== undefined && !fits;
      const collapsed = pass.collapse(collapses.head.node, {
        reason: isPaying ? 'paid-for-expansion' : 'score-below-tau',
        rank: collapses.rank,
      });
      if (isPaying) payers.push(collapsed);
      isExpansionsTurn = true;
      collapses.advance();
    } else if (!collapseUnwanted()) {
      break;
    }
    taken++;
    dropStale();
  }

  pass.refuseExpansions(expansions.rest);
  for (const { candidate, rank } of collapses.rest) {
    pass.refuse('collapse', candidate, rank, { reason: 'action-limit' });
  }
  return taken;
}

/** Is the candidate's node still the entry that was scored? */
function isCurrent(pass: AllocationPass, candidate: Candidate): boolean {
  return pass.draft.alive[candidate.node] === 1 && pass.draft.lod[candidate.node] === candidate.lod;
}

function isWholeUnit(pass: AllocationPass, candidate: Candidate): boolean {
  if (!isCurrent(pass, candidate)) return false;
  return candidate.lod === 0 || pass.draft.firstSibling(candidate.node) === candidate.node;
}

/** A candidate list that is worked off from the front. */
class Queue {
  private position = 0;
  constructor(private readonly list: readonly Candidate[]) {}

  get head(): Candidate | undefined {
    return this.list[this.position];
  }

  /** 1 = best candidate of the queue. */
  get rank(): number {
    return this.position + 1;
  }

  /** What was not worked off. */
  get rest(): { readonly candidate: Candidate; readonly rank: number }[] {
    const { position } = this;
    return this.list.slice(position).map((candidate, i) => ({ candidate, rank: position + i + 1 }));
  }

  advance(): void {
    this.position += 1;
  }
}
