/** Works off two queues of candidates alternately, within budget and action limit. */
import type { AllocationStep } from './allocation-step.ts';
import type { Candidate } from './candidate.ts';
import type { Candidates } from './candidates.ts';
import { ForcedCollapses } from './fit.ts';
import { EXPANSION_COST } from '../context/moves.ts';
import { parentSpan } from '../tree/ids.ts';
import type { LayoutEntry } from '../trace/telemetry.ts';
import { refuse, refuseExpansions } from './strategy-run.ts';
import type { StrategyRun } from './strategy-run.ts';

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
  run: StrategyRun,
  candidates: Candidates,
  payerLimit: (expansionScore: number) => number,
  sparedUnits = 0,
): number {
  const { step, limit } = run;
  const expansions = new Queue(candidates.expansions);
  const collapses = new Queue(candidates.collapses);
  const dropStale = (): void => {
    while (expansions.head !== undefined && !isCurrent(step, expansions.head)) {
      refuse(run, 'expand', expansions.head, expansions.rank, { reason: 'not-legal' });
      expansions.advance();
    }
    while (collapses.head !== undefined && !isWholeUnit(step, collapses.head)) {
      refuse(run, 'collapse', collapses.head, collapses.rank, { reason: 'not-legal' });
      collapses.advance();
    }
  };

  let taken = 0;
  let isExpansionsTurn = true;
  let payers: LayoutEntry[] = [];
  let unwanted: ForcedCollapses | null = null;
  /** Only while the expansion itself would still be within the limit. */
  const collapseUnwanted = (): boolean => {
    if (expansions.head === undefined || taken + 2 > limit) return false;
    unwanted ??= new ForcedCollapses(step, false);
    if (unwanted.size <= sparedUnits) return false;
    if (!unwanted.collapseLowest('paid-for-expansion', payerLimit(expansions.head.score))) return false;
    const paid = step.actions.at(-1)!;
    payers.push([paid.lod, paid.start, paid.end]);
    isExpansionsTurn = true;
    return true;
  };
  dropStale();
  while (taken < limit) {
    const fits = step.freeTokens >= EXPANSION_COST;
    if (expansions.head !== undefined && fits && (isExpansionsTurn || collapses.head === undefined)) {
      step.applyExpand(expansions.head.node, {
        reason: 'score-above-tau',
        rank: expansions.rank,
        paidBy: payers,
      });
      payers = [];
      isExpansionsTurn = false;
      expansions.advance();
    } else if (collapses.head !== undefined) {
      const isPaying = expansions.head !== undefined && !fits;
      const { lod, start } = collapses.head;
      step.applyCollapse(collapses.head.node, {
        reason: isPaying ? 'paid-for-expansion' : 'score-below-tau',
        rank: collapses.rank,
      });
      if (isPaying) {
        const parent = parentSpan(lod, start);
        payers.push([parent.lod, parent.start, parent.end]);
      }
      isExpansionsTurn = true;
      collapses.advance();
    } else if (!collapseUnwanted()) {
      break;
    }
    taken++;
    dropStale();
  }

  refuseExpansions(run, expansions.rest);
  for (const { candidate, rank } of collapses.rest) {
    refuse(run, 'collapse', candidate, rank, { reason: 'action-limit' });
  }
  return taken;
}

/** Is the candidate's node still the entry that was scored? */
function isCurrent(step: AllocationStep, candidate: Candidate): boolean {
  return step.bench.alive[candidate.node] === 1 && step.bench.lod[candidate.node] === candidate.lod;
}

function isWholeUnit(step: AllocationStep, candidate: Candidate): boolean {
  if (!isCurrent(step, candidate)) return false;
  return candidate.lod === 0 || step.bench.firstSibling(candidate.node) === candidate.node;
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
