/** Which places of the history an answer was read from, out of the run that a view shows. Pure over a run. */
import {
  type Citation,
  type HeadCitation,
  type SettlingFrame,
  citationsOf,
  uniteCitations,
} from '../../core/trace/citations.ts';
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

/**
 * What all heads that were read then held for the question.
 *
 * @param settled - the last refocus at the question's turn's end, from `settledAt`.
 */
export function answerCitations(
  run: RunFrames,
  provenance: readonly ProvenanceRun[],
  settled: number,
): readonly HeadCitation[] {
  if (run.frameAt(settled) === undefined) return [];
  const read = run.routingAt(settled)?.chosen ?? [0];
  return uniteCitations(new Map(read.map((head) => [head, headCitations(run, head, provenance, settled)])));
}

function headCitations(
  run: RunFrames,
  head: number,
  provenance: readonly ProvenanceRun[],
  settled: number,
): readonly Citation[] {
  const own = run.ofHead(head);
  const last = own?.frameAt(settled);
  if (!own || !last) return [];
  const frames: SettlingFrame[] = [];
  for (let index = settled; index >= 0 && isSettling(own, index, last.cursor); index--) {
    const { step, actions, thresholds, scores } = own.frameAt(index)!;
    frames.unshift({ step, actions, layout: own.layoutAt(index), scores, ...(thresholds && { thresholds }) });
  }
  const { tauExpand } = run.configAt(settled) ?? DEFAULT_RUN_CONFIG;
  return citationsOf(frames, provenance, tauExpand);
}

function isSettling(run: RunFrames, index: number, cursor: number): boolean {
  const frame = run.frameAt(index)!;
  return frame.trigger === 'turn-end' && frame.cursor === cursor;
}
