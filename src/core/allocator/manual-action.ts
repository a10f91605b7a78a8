/** Moves by the researcher's hand, between refocuses: they heed the budget and the tree, not the policy. */
import type { BlockSpan } from '../tree/ids.ts';
import { EXPANSION_COST, moveRules, refuse } from '../context/moves.ts';
import type { MoveKind } from '../context/working-context.ts';
import { indexOfEntry } from '../context/working-context.ts';
import type { ActionRecord } from '../trace/telemetry.ts';
import type { FitInput } from './between-refocuses.ts';
import { AllocationPass } from './pass/allocation-pass.ts';
import type { Allocation, Refusal } from './pass/allocation-pass.ts';
import { Payers } from './pass/payment.ts';

/** The entry acted on; collapsing takes its siblings along. */
export interface ManualAction extends BlockSpan {
  readonly kind: MoveKind;
}

/**
 * Expand or collapse one entry by hand. Cooldowns are ignored but set anew. An expansion without room is paid
 * for by the lowest-scored units, or refused with the missing tokens.
 *
 * @returns one record of the action, after those of what paid for it; a refusal changes nothing.
 */
export function actByHand(input: FitInput, action: ManualAction): Allocation {
  const { layout, state } = input;
  const pins = [...(input.pins ?? []), ...(action.kind === 'expand' ? [action] : [])];
  const pass = new AllocationPass({ ...input, scores: input.scores ?? null, pins, maxExpansions: 1 });
  const refusal =
    action.kind === 'expand' ? expandByHand(pass, input, action) : collapseByHand(pass, input, action);
  if (refusal === null) return pass.outcome();
  const scores = input.scores ?? new Float32Array(layout.entries.length);
  return { layout, scores, state, actions: [refusal] };
}

/** @returns the record of a refusal; null if it was done. */
function expandByHand(pass: AllocationPass, input: FitInput, action: ManualAction): ActionRecord | null {
  const { layout, tree, config } = input;
  const node = indexOfEntry(layout, action.lod, action.start);
  const refused = (refusal: Refusal): ActionRecord => pass.refusedExpand(action, 0, null, refusal);
  if (node < 0) return refused({ reason: 'not-legal' });
  const obstacle = refuse(pass.draft, 'expand', node, moveRules(layout, tree, config));
  if (obstacle !== null) return refused({ reason: obstacle === 'forbidden' ? obstacle : 'not-legal' });
  const isShort = pass.freeTokens < EXPANSION_COST;
  const paidBy = isShort ? new Payers(pass).payFor(EXPANSION_COST, 'paid-for-expansion') : [];
  const missingTokens = EXPANSION_COST - pass.freeTokens;
  if (missingTokens > 0) return refused({ reason: 'no-budget', missingTokens });
  pass.expand(node, { reason: 'manual', rank: null, paidBy });
  return null;
}

/** @returns the record of a refusal; null if it was done. */
function collapseByHand(pass: AllocationPass, input: FitInput, action: ManualAction): ActionRecord | null {
  const { layout, tree, config } = input;
  const { draft } = pass;
  const node = indexOfEntry(layout, action.lod, action.start);
  const refused = (refusal: Refusal): ActionRecord => pass.refusedCollapse(action, 0, null, refusal);
  if (node < 0) return refused({ reason: 'not-legal' });
  const obstacle = refuse(draft, 'collapse', node, moveRules(layout, tree, config));
  if (obstacle !== null) {
    return refused({ reason: obstacle === 'protected-recent' ? obstacle : 'not-legal' });
  }
  const first = draft.firstSibling(node);
  const last = first + draft.unitSize(first) - 1;
  if (pass.isPinned(draft.start[first]!, draft.end[last]!)) return refused({ reason: 'pinned' });
  pass.collapse(first, { reason: 'manual', rank: null });
  return null;
}
