/** Manual pins: what the researcher pinned is brought to LOD0 before the policy has its say. */
import type { AllocationStep } from './allocation-step.ts';
import type { PinnedSpan } from '../context/working-context.ts';
import { ForcedCollapses } from './fit.ts';
import { EXPANSION_COST } from '../context/moves.ts';
import type { ActionRecord, LayoutEntry } from '../trace/telemetry.ts';
import type { TopList } from '../../base/top-list.ts';
import { NONE } from '../context/draft-layout.ts';

/**
 * Expand every gist that touches a pin, down to LOD0, oldest first. Unpinned units with the lowest scores pay
 * when the budget has no room. Pins do not count against the action limit and do not wait for cooldowns.
 */
export function expandPinned(
  step: AllocationStep,
  pins: readonly PinnedSpan[],
  refused: TopList<ActionRecord>,
): void {
  if (pins.length === 0) return;
  const { bench } = step;
  let payers: ForcedCollapses | null = null;
  for (let node = bench.first; node !== NONE; node = bench.next[node]!) {
    while (bench.lod[node]! > 0 && step.isPinned(bench.start[node]!, bench.end[node]!)) {
      const span = { lod: bench.lod[node]!, start: bench.start[node]!, end: bench.end[node]! };
      const score = bench.score[node]!;
      if (!step.tree.canServeChildren(span.lod, span.start)) {
        refused.offer(step.refusedExpand(span, score, null, { reason: 'not-legal' }), 1, span.start);
        break;
      }
      const paidBy: LayoutEntry[] = [];
      while (step.freeTokens < EXPANSION_COST) {
        payers ??= new ForcedCollapses(step, false);
        if (!payers.collapseLowest('paid-for-expansion')) break;
        const paid = step.actions.at(-1)!;
        paidBy.push([paid.lod, paid.start, paid.end]);
      }
      const missingTokens = EXPANSION_COST - step.freeTokens;
      if (missingTokens > 0) {
        refused.offer(
          step.refusedExpand(span, score, null, { reason: 'no-budget', missingTokens }),
          1,
          span.start,
        );
        return;
      }
      step.applyExpand(node, { reason: 'manual', rank: null, paidBy });
    }
  }
}
