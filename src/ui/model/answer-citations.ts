/** Which places of the history an answer was read from, out of the run that a view shows. Pure over a run. */
import { type Citation, type SettlingFrame, citationsOf } from '../../core/trace/citations.ts';
import { DEFAULT_RUN_CONFIG } from '../../core/trace/config.ts';
import type { ProvenanceRun } from '../../runtime/engine/protocol/protocol.ts';
import { firstFrameAt } from './frame-search.ts';
import type { RunFrames } from './shown-run.ts';

/**
 * The last refocus before an answer's first token: those at its turn's end were made when the history was as long.
 *
 * @returns its place; -1 where the question refocused nothing.
 */
export function settledAt(run: RunFrames, answerStart: number): number {
  let index = firstFrameAt(run, answerStart + 1) - 1;
  while (index >= 0 && !isSettling(run, index, answerStart)) {
    if (run.frameAt(index)!.cursor < answerStart) return -1;
    index--;
  }
  return index;
}

/** @param settled - the last refocus at the question's turn's end, from `settledAt`. */
export function answerCitations(
  run: RunFrames,
  provenance: readonly ProvenanceRun[],
  settled: number,
): readonly Citation[] {
  const last = run.frameAt(settled);
  if (last === undefined) return [];
  const frames: SettlingFrame[] = [];
  for (let index = settled; index >= 0 && isSettling(run, index, last.cursor); index--) {
    const { step, actions, thresholds, scores } = run.frameAt(index)!;
    frames.unshift({ step, actions, layout: run.layoutAt(index), scores, ...(thresholds && { thresholds }) });
  }
  const { tauExpand } = run.configAt(settled) ?? DEFAULT_RUN_CONFIG;
  return citationsOf(frames, provenance, tauExpand);
}

function isSettling(run: RunFrames, index: number, cursor: number): boolean {
  const frame = run.frameAt(index)!;
  return frame.trigger === 'turn-end' && frame.cursor === cursor;
}
