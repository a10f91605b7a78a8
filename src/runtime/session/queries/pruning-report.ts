/** A dry run of pruning for the page: what would go, what it weighs, and what losing it was measured to cost. */
import { gistAbove, payloadBytes } from '../../../core/tree/pruning/prune-plan.ts';
import type { PrunePlan } from '../../../core/tree/pruning/prune-plan.ts';
import { countNodes } from '../../../core/tree/node-runs.ts';
import { tokensPerEntry } from '../../../core/tree/ids.ts';
import { EngineError } from '../messages/errors.ts';
import type { PruningReport } from '../messages/query-messages.ts';
import type { SessionSteps } from '../steps/session-steps.ts';
import { noteSensitivity } from './sensitivity.ts';

/**
 * @param measure - how many of the plan's nodes are measured at most, evenly over its order; what turns out to be
 * worth too much leaves the plan.
 */
export async function reportPruning(steps: SessionSteps, measure: number): Promise<PruningReport> {
  const { pruner } = steps;
  const { tree } = steps.focus.memory;
  if (measure > 0) await measureSome(steps, pruner.plan(), measure);
  const plan = pruner.plan();
  const levels = Array.from({ length: tree.maxLod }, (_, lod) => {
    const runs = plan.runs.filter((run) => run.lod === lod);
    const nodes = countNodes(runs);
    return {
      lod,
      nodes,
      total: tree.countAt(lod),
      cold: tree.metadata(lod).withheldCount,
      bytes: payloadBytes(tree, lod, nodes),
      measured: pruner.measuredLoss(runs),
    };
  });
  return { step: steps.focus.step, runs: plan.runs, levels, bytes: plan.bytes };
}

async function measureSome(steps: SessionSteps, plan: PrunePlan, most: number): Promise<void> {
  const { tree } = steps.focus.memory;
  const open = plan.units.filter((unit) => {
    const { lod, start } = gistAbove(unit);
    return Number.isNaN(tree.metadata(lod).sensitivity.get(start / tokensPerEntry(lod)));
  });
  const every = Math.max(1, open.length / most);
  for (let at = 0; at < open.length; at += every) {
    const block = gistAbove(open[Math.floor(at)]!);
    try {
      await steps.exclusive(() => noteSensitivity(steps, steps.focus.head(), block));
    } catch (error) {
      // Not every block can be measured on the newest tokens; it stays unmeasured.
      if (!(error instanceof EngineError && error.code === 'not-measurable')) throw error;
    }
  }
}
