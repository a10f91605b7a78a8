/** The default strategy: the best expansions and collapses, taken alternately within budget and limits. */
import { AllocationStep } from './allocation-step.ts';
import type { Refusal } from './allocation-step.ts';
import { MAX_REFUSED } from './allocator.ts';
import type {
  Allocation,
  AllocationInput,
  AllocationStrategy,
  AllocatorConfig,
  AllocatorState,
} from './allocator.ts';
import { collectCandidates } from './candidates.ts';
import type { Candidate, Candidates } from './candidates.ts';
import { ForcedCollapses, fitToBudget } from './fit.ts';
import { K } from './ids.ts';
import { EXPANSION_COST, parentSpan } from './legality.ts';
import { expandPinned } from './pins.ts';
import type { ActionRecord, LayoutEntry } from './telemetry.ts';
import { TopList } from './top-list.ts';
import { ageLayout } from './working-context.ts';

export const greedyStrategy: AllocationStrategy = { id: 'greedy', allocate };

/**
 * One allocator pass: forced collapses while over budget, manual pins, then the policy's candidates.
 *
 * @throws {RangeError} if the scores are not one per entry.
 */
export function allocate(input: AllocationInput): Allocation {
  const { config, tree } = input;
  if (input.scores.length !== input.layout.entries.length) {
    throw new RangeError(`${input.scores.length} scores for ${input.layout.entries.length} entries.`);
  }
  const state = input.pass === 0 ? beginStep(input.state, config) : input.state;
  const layout = input.pass === 0 ? ageLayout(input.layout) : input.layout;
  const pins = input.pins ?? [];
  const limit = Math.max(0, config.maxActions - state.actionsTaken);
  const step = new AllocationStep({
    layout,
    scores: biasedScores(input.scores, state, config),
    tree,
    config,
    state,
    pass: input.pass,
    pins,
    reserveTokens: Math.min(input.reserveTokens ?? 0, config.budgetTokens - K),
    maxExpansions: limit + (pins.length > 0 ? Math.ceil(config.budgetTokens / EXPANSION_COST) : 0),
  });
  const refused = new TopList<ActionRecord>(MAX_REFUSED);
  fitToBudget(step);
  expandPinned(step, pins, refused);
  const candidates = collectCandidates(step, config, limit, refused);
  const taken = takeAlternately(step, candidates, limit, refused, config.tauExpand);
  const outcome = step.outcome({ ...state, actionsTaken: state.actionsTaken + taken }, layout);
  return { ...outcome, actions: [...outcome.actions, ...refused.toSorted()] };
}

/** A new refocus: the net cost since the last one enters the moving average. */
function beginStep(state: AllocatorState, config: AllocatorConfig): AllocatorState {
  const drift = config.driftDecay * state.drift + (1 - config.driftDecay) * state.netCost;
  return { ...state, step: state.step + 1, drift, netCost: 0, actionsTaken: 0 };
}

/** A context that grew lately is biased to collapse, one that shrank to expand. */
function biasedScores(scores: Float32Array, state: AllocatorState, config: AllocatorConfig): Float32Array {
  const bias = (-config.driftGain * state.drift) / config.budgetTokens;
  return scores.map((score) => (Number.isFinite(score) ? Math.max(-1, Math.min(1, score + bias)) : 0));
}

/**
 * An expansion that does not fit is paid for by the collapse candidates, and once those are used up by the
 * lowest-scored unit in which nothing is above τ_expand: a full window trades its least wanted detail for the
 * most wanted. What no collapse can pay for is refused.
 *
 * @returns how many actions were applied.
 */
function takeAlternately(
  step: AllocationStep,
  candidates: Candidates,
  limit: number,
  refused: TopList<ActionRecord>,
  tauExpand: number,
): number {
  const expansions = new Queue(candidates.expansions);
  const collapses = new Queue(candidates.collapses);
  const refuse = (
    kind: 'expand' | 'collapse',
    candidate: Candidate,
    rank: number,
    refusal: Refusal,
  ): void => {
    const key = Math.abs(candidate.score);
    if (!refused.accepts(key, candidate.start)) return;
    const record =
      kind === 'expand'
        ? step.refusedExpand(candidate, candidate.score, rank, refusal)
        : step.refusedCollapse(candidate.lod, candidate.start, candidate.score, rank, refusal);
    refused.offer(record, key, candidate.start);
  };
  const dropStale = (): void => {
    while (expansions.head !== undefined && !isCurrent(step, expansions.head)) {
      refuse('expand', expansions.head, expansions.rank, { reason: 'not-legal' });
      expansions.advance();
    }
    while (collapses.head !== undefined && !isWholeUnit(step, collapses.head)) {
      refuse('collapse', collapses.head, collapses.rank, { reason: 'not-legal' });
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
    unwanted ??= new ForcedCollapses(step, false, tauExpand);
    if (!unwanted.collapseLowest('paid-for-expansion')) return false;
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

  const missingTokens = EXPANSION_COST - step.freeTokens;
  while (expansions.head !== undefined) {
    const refusal: Refusal =
      missingTokens > 0 ? { reason: 'no-budget', missingTokens } : { reason: 'action-limit' };
    refuse('expand', expansions.head, expansions.rank, refusal);
    expansions.advance();
  }
  while (collapses.head !== undefined) {
    refuse('collapse', collapses.head, collapses.rank, { reason: 'action-limit' });
    collapses.advance();
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

  advance(): void {
    this.position += 1;
  }
}
