/** What happened to one span over the run: its scores, its levels of detail, its actions. Pure over a run. */
import type { ActionRecord, LayoutEntry } from '../../core/trace/telemetry.ts';
import type { BlockSpan } from '../../core/tree/ids.ts';
import { spanOfRun } from '../../core/tree/node-runs.ts';
import type { Pruning } from './run.ts';
import { entryAtToken } from './entry-search.ts';
import type { RunFrames } from './shown-run.ts';

interface ScorePoint {
  readonly index: number;
  readonly score: number;
  /** The LOD at which the span's first token was represented when scored. */
  readonly lod: number;
}

/** Scores of whatever entry covered the span's middle, newest last, at most `limit` steps back from `upTo`. */
export function scoreHistory(
  run: RunFrames,
  start: number,
  end: number,
  upTo: number,
  limit: number,
): ScorePoint[] {
  const points: ScorePoint[] = [];
  const middle = Math.floor((start + end) / 2);
  for (let index = Math.max(0, upTo - limit + 1); index <= upTo; index++) {
    const layout = run.scoredLayoutAt(index);
    if (!layout) continue;
    const at = entryAtToken(layout, middle);
    if (at < 0) continue;
    points.push({ index, score: run.frameAt(index)!.scores[at]!, lod: layout[at]![0] });
  }
  return points;
}

interface SpanAction {
  readonly index: number;
  readonly step: number;
  readonly action: ActionRecord;
  /** The expansion that a collapse made room for, where the step tells. */
  readonly paidFor: ActionRecord | null;
}

/** The newest actions whose span overlaps the given one, newest first. */
export function spanActions(
  run: RunFrames,
  start: number,
  end: number,
  upTo: number,
  limit: number,
): SpanAction[] {
  const found: SpanAction[] = [];
  for (let index = upTo; index >= 0 && found.length < limit; index--) {
    const frame = run.frameAt(index);
    if (!frame) continue;
    const actions = [...frame.between, ...frame.actions];
    for (let i = actions.length - 1; i >= 0 && found.length < limit; i--) {
      const action = actions[i]!;
      if (action.start >= end || action.end <= start) continue;
      found.push({ index, step: frame.step, action, paidFor: paidFor(actions, action) });
    }
  }
  return found;
}

/** The moves to the cold tier and back, up to a frame, of what the block is or can expand into; oldest first. */
export function spanPrunings(run: RunFrames, block: BlockSpan, upTo: number): readonly Pruning[] {
  return run.prunings.filter(
    ({ from, event }) =>
      from <= upTo + 1 &&
      event.runs.some((moved) => {
        const { start, end } = spanOfRun(moved);
        return moved.lod <= block.lod && moved.lod >= block.lod - 1 && start < block.end && block.start < end;
      }),
  );
}

function paidFor(
  actions: readonly ActionRecord[],
  { kind, applied, ...span }: ActionRecord,
): ActionRecord | null {
  if (kind !== 'collapse' || !applied) return null;
  const isSpan = ([lod, start]: LayoutEntry) => lod === span.lod && start === span.start;
  return actions.find((action) => action.applied && action.paidBy?.some(isSpan)) ?? null;
}

interface AnswerFocus {
  readonly expansions: number;
  readonly collapses: number;
  /** The first frame with an expansion for this answer, else its first frame; null if the trace lacks it. */
  readonly firstIndex: number | null;
}

/** What the allocator did between a question's first token and its answer's last. */
export function answerFocus(run: RunFrames, questionStart: number, answerEnd: number): AnswerFocus {
  let expansions = 0;
  let collapses = 0;
  let first: number | null = null;
  let firstExpansion: number | null = null;
  for (let index = run.frameCount - 1; index >= 0; index--) {
    const frame = run.frameAt(index)!;
    if (frame.cursor <= questionStart) break;
    if (frame.cursor > answerEnd) continue;
    first = index;
    expansions += frame.expansions;
    collapses += frame.collapses;
    if (frame.expansions > 0) firstExpansion = index;
  }
  return { expansions, collapses, firstIndex: firstExpansion ?? first };
}
