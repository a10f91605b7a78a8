/** Moves by the researcher's hand, between refocuses: they heed the budget and the tree, not the policy. */
import { AllocationStep } from './allocation-step.ts';
import type { Refusal } from './allocation-step.ts';
import type { Allocation } from './focus-allocator.ts';
import { ForcedCollapses } from './fit.ts';
import type { FitInput } from './fit.ts';
import {
  EXPANSION_COST,
  LEGALITY,
  collapseLegality,
  expandLegality,
  protectedStart,
} from '../context/moves.ts';
import type { ActionRecord, LayoutEntry } from '../trace/telemetry.ts';
import { indexOfEntry, siblingRun } from '../context/working-context.ts';

export interface ManualAction {
  readonly kind: 'expand' | 'collapse';
  /** The entry acted on; collapsing takes its siblings along. */
  readonly lod: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Expand or collapse one entry by hand. Cooldowns are ignored but set anew. An expansion without room is paid
 * for by the lowest-scored units, or refused with the missing tokens.
 *
 * @returns one record of the action, after those of what paid for it; a refusal changes nothing.
 */
export function actByHand(input: FitInput, action: ManualAction): Allocation {
  const { layout, tree, config, state } = input;
  const pins = [...(input.pins ?? []), ...(action.kind === 'expand' ? [action] : [])];
  const step = new AllocationStep({
    layout,
    scores: input.scores ?? null,
    tree,
    config,
    state,
    pass: 0,
    pins,
    reserveTokens: 0,
    maxExpansions: 1,
  });
  const refusal =
    action.kind === 'expand' ? expandByHand(step, input, action) : collapseByHand(step, input, action);
  if (refusal !== null) {
    return {
      layout,
      scores: input.scores ?? new Float32Array(layout.entries.length),
      state,
      actions: [refusal],
    };
  }
  return step.outcome(state, layout);
}

function expandByHand(step: AllocationStep, input: FitInput, action: ManualAction): ActionRecord | null {
  const index = indexOfEntry(input.layout, action.lod, action.start);
  const entry = input.layout.entries[index];
  const refuse = (refusal: Refusal): ActionRecord =>
    step.refusedExpand({ lod: action.lod, start: action.start, end: action.end }, 0, null, refusal);
  const legality = entry === undefined ? null : expandLegality(entry, input.tree, Infinity);
  if (legality === LEGALITY.forbidden) return refuse({ reason: 'forbidden' });
  if (legality !== LEGALITY.legal) return refuse({ reason: 'not-legal' });
  const paidBy: LayoutEntry[] = [];
  if (step.freeTokens < EXPANSION_COST) {
    const payers = new ForcedCollapses(step, false);
    while (step.freeTokens < EXPANSION_COST && payers.collapseLowest('paid-for-expansion')) {
      const paid = step.actions.at(-1)!;
      paidBy.push([paid.lod, paid.start, paid.end]);
    }
  }
  const missingTokens = EXPANSION_COST - step.freeTokens;
  if (missingTokens > 0) return refuse({ reason: 'no-budget', missingTokens });
  step.applyExpand(index, { reason: 'manual', rank: null, paidBy });
  return null;
}

function collapseByHand(step: AllocationStep, input: FitInput, action: ManualAction): ActionRecord | null {
  const { layout, tree, config } = input;
  const index = indexOfEntry(layout, action.lod, action.start);
  const refuse = (refusal: Refusal): ActionRecord =>
    step.refusedCollapse(action.lod, action.start, 0, null, refusal);
  const siblings = index < 0 ? null : siblingRun(layout, index);
  if (siblings === null) return refuse({ reason: 'not-legal' });
  const legality = collapseLegality(layout, index, tree, protectedStart(layout.cursor, config));
  if (legality === LEGALITY.protectedRecent) return refuse({ reason: 'protected-recent' });
  if (legality !== LEGALITY.legal) return refuse({ reason: 'not-legal' });
  const first = layout.entries[siblings.first]!;
  const last = layout.entries[siblings.first + siblings.count - 1]!;
  if (step.isPinned(first.start, last.end)) return refuse({ reason: 'pinned' });
  step.applyCollapse(siblings.first, { reason: 'manual', rank: null });
  return null;
}
