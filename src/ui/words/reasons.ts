/** Why an action was taken or refused, in a sentence a researcher can check. Pure. */
import type { ActionRecord, LayoutEntry } from '../../core/telemetry.ts';
import { formatCount, formatPlural, formatScore, formatSigned, formatSpan } from './format.ts';

/** The thresholds in force at the action's step. */
export interface Thresholds {
  readonly tauExpand: number;
  readonly tauCollapse: number;
}

/** `Expanded LOD2 → LOD1`, `Collapse to LOD1 refused`, `Evicted`. */
export function actionTitle(action: ActionRecord): string {
  const { kind, lod, toLod, applied } = action;
  if (kind === 'evict') return applied ? `Evicted at LOD${lod}` : `Eviction of LOD${lod} refused`;
  if (kind === 'expand')
    return applied ? `Expanded LOD${lod} → LOD${toLod}` : `Expansion to LOD${toLod} refused`;
  return applied ? `Collapsed LOD${Math.max(0, toLod - 1)} → LOD${toLod}` : `Collapse to LOD${toLod} refused`;
}

/** The whole story: score against threshold, rank, cost, and what paid or what stood in the way. */
export function actionSentence(action: ActionRecord, thresholds: Thresholds): string {
  return [because(action, thresholds), rankWords(action), costWords(action)]
    .filter((part) => part !== '')
    .join(' ');
}

function because(action: ActionRecord, { tauExpand, tauCollapse }: Thresholds): string {
  const score = action.score === null ? 'Its score' : `Score ${formatScore(action.score)}`;
  switch (action.reason) {
    case 'score-above-tau':
      return `${score} was above τ_expand ${formatScore(tauExpand)}.`;
    case 'score-below-tau':
      return `${score} was below −τ_collapse ${formatScore(-tauCollapse)}.`;
    case 'paid-for-expansion':
      return `${score}; collapsed so that an expansion of the same step fits the budget.`;
    case 'over-budget':
      return `${score}; new tokens put the context over budget, so the lowest scores were collapsed whatever the thresholds.`;
    case 'coarsest-and-over-budget':
      return 'Everything was at its coarsest and the budget still did not hold, so the oldest entry left the window.';
    case 'manual':
      return 'Done by hand.';
    case 'cooldown':
      return `${score} asked for it, but the span changed too recently${action.cooldownLeft === undefined ? '' : `: ${formatPlural(action.cooldownLeft, 'refocus', 'refocuses')} of cooldown left`}.`;
    case 'no-budget':
      return `${score} asked for it, but ${action.missingTokens === undefined ? 'the budget was short' : `${formatPlural(action.missingTokens, 'token')} of budget were missing`} and no collapse of this step could pay.`;
    case 'action-limit':
      return `${score} asked for it, but N_diff actions were applied already in this refocus.`;
    case 'protected-recent':
      return 'It lies within the recent tokens, which always stay raw.';
    case 'not-legal':
      return 'Not legal: pruned, siblings not all at one LOD, or no parent gist yet.';
    case 'pinned':
      return 'A manual pin outranks the policy.';
    case 'forbidden':
      return `${score} asked for it, but its expansion is forbidden by hand.`;
    default:
      return action.reason satisfies never;
  }
}

function rankWords({ rank, kind, pass }: ActionRecord): string {
  if (rank === null) return '';
  const queue = kind === 'expand' ? 'expand' : 'collapse';
  return `Rank ${rank} of the ${queue} queue${pass > 0 ? `, refine pass ${pass}` : ''}.`;
}

function costWords({ costDelta, paidBy, applied }: ActionRecord): string {
  if (costDelta === 0) return '';
  const cost = `${applied ? 'Cost' : 'Would cost'} ${formatSigned(costDelta)} tokens`;
  if (!paidBy || paidBy.length === 0) return `${cost}.`;
  return `${cost}, paid for by collapsing ${paidBy.map(spanWords).join(', ')}.`;
}

function spanWords([lod, start, end]: LayoutEntry): string {
  return `LOD${lod} ${formatSpan(start, end)}`;
}

/** A one-line label for lists: `▲ LOD2 → LOD1 at 4,096, score +0.61`. */
export function actionLine(action: ActionRecord): string {
  const score = action.score === null ? '' : `, score ${formatScore(action.score)}`;
  return `${actionTitle(action)} at ${formatCount(action.start)}${score}`;
}
