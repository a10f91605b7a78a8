/** A block's report as the staging context has it, which the engine's queries know nothing of. Pure. */
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import type { BlockReport } from '../../../runtime/engine/protocol/protocol.ts';
import { entryAtToken } from '../../model/entry-search.ts';
import { STAGING_IS_NOT_MOVED } from '../../model/steering-moves.ts';

/**
 * @param report - of any head: text, marks and measures are the memory's own.
 * @param layout - of the staging context, now.
 */
export function stagedReport(report: BlockReport, layout: readonly LayoutEntry[]): BlockReport {
  const entry = layout[entryAtToken(layout, report.start)];
  const cannot = { legal: false, why: STAGING_IS_NOT_MOVED };
  return {
    ...report,
    inWorkingContext: entry?.[0] === report.lod && entry[1] === report.start && entry[2] === report.end,
    currentLod: entry?.[0] ?? null,
    cooldownLeft: 0,
    canExpand: cannot,
    canCollapse: cannot,
  };
}
