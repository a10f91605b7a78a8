/** Why an action was taken or refused, in a sentence a researcher can check. Pure. */
import { K } from '../../core/tree/ids.ts';
import type { ActionRecord, LayoutEntry } from '../../core/trace/telemetry.ts';
import type { BlockStanding } from '../model/block-standing.ts';
import type { Thresholds } from '../../core/allocator/pass/allocator-state.ts';
import { formatCount, formatPlural, formatScore, formatSigned, formatSpan } from './format.ts';

/** What an expansion adds and a collapse gives back, in tokens. */
const MOVE_COST = K - 1;

/** No score is below -1: a threshold there means that nothing collapses for its score alone. */
export function collapseRule({ tauCollapse }: Thresholds): string {
  return tauCollapse >= 1 ? 'only to make room' : `below ${formatScore(-tauCollapse)}`;
}

/** What a block's score asked for in a step, and what stood against it: `Above τ_expand +0.20: …`. */
export function standingSentence(
  { lod, score, candidacy, cooldown }: BlockStanding,
  thresholds: Thresholds,
): string {
  const { tauExpand, tauCollapse } = thresholds;
  const cooling =
    cooldown === null
      ? ''
      : ` Cooling down: it cannot ${cooldown.move} for ${formatPlural(cooldown.left, 'refocus', 'refocuses')}, this one included.`;
  if (candidacy?.move === 'expand') {
    return `Above τ_expand ${formatScore(tauExpand)}: number ${candidacy.rank} of ${candidacy.count} that ask to expand, for ${formatSigned(MOVE_COST)} tokens.${cooling}`;
  }
  if (candidacy) {
    const what = lod === 0 ? 'Below' : `Its ${K} siblings’ mean ${formatScore(candidacy.score)} is below`;
    return `${what} −τ_collapse ${formatScore(-tauCollapse)}: number ${candidacy.rank} of ${candidacy.count} that ask to collapse, for ${formatSigned(-MOVE_COST)} tokens.${cooling}`;
  }
  if (score > tauExpand) return `Above τ_expand ${formatScore(tauExpand)}, but raw already.${cooling}`;
  if (score < -tauCollapse) {
    const why = lod === 0 ? 'its block is still open' : `not all of its ${K} siblings are at this level`;
    return `Below −τ_collapse ${formatScore(-tauCollapse)}, but ${why}.${cooling}`;
  }
  return tauCollapse >= 1
    ? `Not above τ_expand ${formatScore(tauExpand)}; nothing collapses for its score alone under this strategy.${cooling}`
    : `Between −τ_collapse ${formatScore(-tauCollapse)} and τ_expand ${formatScore(tauExpand)}: it asks for nothing.${cooling}`;
}

/** `Expanded LOD2 → LOD1`, `Collapse to LOD1 refused`, `Evicted`. */
export function actionTitle(action: ActionRecord): string {
  const { kind, lod, toLod, applied } = action;
  if (kind === 'evict') return applied ? `Evicted at LOD${lod}` : `Eviction of LOD${lod} refused`;
  if (kind === 'readmit') return applied ? `Readmitted at LOD${lod}` : `Readmission of LOD${lod} refused`;
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
    case 'paid-for-readmission':
      return `${score}; collapsed so that what had left the window fits again.`;
    case 'enough-open':
      return `${score}; as many blocks with better scores as Open blocks allows come before it.`;
    case 'cooldown-overruled':
      return `${score}; nothing else was left to collapse, and losing detail soon after a change is better than losing history, so its cooldown was overruled.`;
    case 'over-budget':
      return `${score}; new tokens put the context over budget, so the lowest scores were collapsed whatever the thresholds.`;
    case 'coarsest-and-over-budget':
      return 'Everything was at its coarsest and the budget still did not hold, so the oldest entry left the window.';
    case 'fits-again':
      return 'It had left the window; the budget has room for it again.';
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
      return `${score} asked for it, but its expansion is forbidden by hand, or its document is hidden.`;
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
