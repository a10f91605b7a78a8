/** Where a block stood among the candidates of one step, and what its move would have cost. Pure over a trace. */
import {
  CooldownTable,
  INITIAL_ALLOCATOR_STATE,
  stateAfter,
} from '../../core/allocator/pass/allocator-state.ts';
import type { Thresholds } from '../../core/allocator/pass/allocator-state.ts';
import { DraftLayout } from '../../core/context/draft-layout.ts';
import { enumerate } from '../../core/context/moves.ts';
import type { MoveKind } from '../../core/context/working-context.ts';
import { layoutFromEntries } from '../../core/trace/action-replay.ts';
import { parentSpan } from '../../core/tree/ids.ts';
import type { ActionRecord, LayoutEntry } from '../../core/trace/telemetry.ts';
import { entryAtToken } from './entry-search.ts';
import type { Run } from './run.ts';

/** What a score asks for. */
interface Candidacy {
  readonly move: 'expand' | 'collapse';
  /** What is compared with the threshold: the entry's score, or the mean of its siblings' for a collapse. */
  readonly score: number;
  /** 1 = the first that the allocator looks at. */
  readonly rank: number;
  /** How many ask for the same. */
  readonly count: number;
}

export interface BlockStanding {
  /** The level at which the step held the span. */
  readonly lod: number;
  readonly score: number;
  /** Among the scores of all entries; 1 = highest. */
  readonly rank: number;
  readonly count: number;
  /** Null if it is between the thresholds, or cannot move that way. */
  readonly candidacy: Candidacy | null;
  /** The span's last move still forbids this one. */
  readonly cooldown: { readonly move: 'expand' | 'collapse'; readonly left: number } | null;
}

type StandingTrace = Pick<Run, 'scoredLayoutAt' | 'frameAt'>;

/**
 * @param cooldownSteps - refocuses for which a span cannot flip, as the run had it.
 * @returns null if nothing that covers the span's middle was scored in this step.
 */
export function blockStanding(
  trace: StandingTrace,
  span: { readonly start: number; readonly end: number },
  index: number,
  thresholds: Thresholds,
  cooldownSteps: number,
): BlockStanding | null {
  const layout = trace.scoredLayoutAt(index);
  const scores = trace.frameAt(index)?.scores;
  const at = layout ? entryAtToken(layout, Math.floor((span.start + span.end) / 2)) : -1;
  const score = scores?.[at];
  if (!layout || scores === undefined || score === undefined) return null;
  const [lod, start] = layout[at]!;
  return {
    lod,
    score,
    rank: 1 + scores.reduce((higher, other) => higher + Number(other > score), 0),
    count: scores.length,
    candidacy: candidacyOf(layout, scores, at, thresholds, trace.frameAt(index)!.actions),
    cooldown: cooldownOf(trace, lod, start, index, cooldownSteps),
  };
}

/** As the allocator collects them: every gist to expand, every closed raw block and whole sibling group to collapse. */
function candidacyOf(
  layout: readonly LayoutEntry[],
  scores: Float32Array,
  at: number,
  { tauExpand, tauCollapse }: Thresholds,
  actions: readonly ActionRecord[],
): Candidacy | null {
  const draft = new DraftLayout(layoutFromEntries(layout), scores);
  const own = draft.firstSibling(at);
  const asking: Record<MoveKind, number[]> = { expand: [], collapse: [] };
  /** What it asks for itself. */
  const asked = new Map<MoveKind, number>();
  enumerate(draft, {
    expand: (node) => {
      const score = scores[node]!;
      if (score <= tauExpand) return;
      asking.expand.push(score);
      if (node === at) asked.set('expand', score);
    },
    collapse: (first) => {
      const score = draft.meanScore(first, draft.unitSize(first));
      if (score >= -tauCollapse) return;
      asking.collapse.push(-score);
      if (first === own) asked.set('collapse', score);
    },
  });
  const move = asked.has('expand') ? 'expand' : 'collapse';
  const score = asked.get(move);
  if (score === undefined) return null;
  const ranked = 1 + asking[move].filter((other) => other > Math.abs(score)).length;
  const rank = recordedRank(actions, move, layout[at]!) ?? ranked;
  return { move, score, rank, count: asking[move].length };
}

/** The rank that the first pass gave it; null if its move is not among the records. */
function recordedRank(
  actions: readonly ActionRecord[],
  move: MoveKind,
  [lod, start]: LayoutEntry,
): number | null {
  const span = move === 'expand' ? { lod, start } : parentSpan(lod, start);
  const isOwn = ({ kind, pass, ...action }: ActionRecord) =>
    kind === move && pass === 0 && action.lod === span.lod && action.start === span.start;
  return actions.find(isOwn)?.rank ?? null;
}

/** What the span's last move forbids in this step, by the cooldowns that the allocator would hold. */
function cooldownOf(
  trace: StandingTrace,
  lod: number,
  start: number,
  index: number,
  cooldownSteps: number,
): BlockStanding['cooldown'] {
  const { step, between } = trace.frameAt(index)!;
  let first = index;
  while (first > 0 && trace.frameAt(first - 1)!.step + cooldownSteps >= step) first--;
  let state = INITIAL_ALLOCATOR_STATE;
  const config = { cooldownSteps };
  for (let at = first; at < index; at++) {
    const frame = trace.frameAt(at)!;
    state = stateAfter(state, frame.between, config);
    state = stateAfter({ ...state, step: frame.step }, frame.actions, config);
  }
  const { cooldowns } = stateAfter(state, between, config);
  const table = new CooldownTable(cooldowns, step, cooldownSteps);
  const parent = parentSpan(lod, start);
  const expand = table.left(lod, start, 'expand');
  const collapse = table.left(parent.lod, parent.start, 'collapse');
  if (expand === 0 && collapse === 0) return null;
  return expand >= collapse ? { move: 'expand', left: expand } : { move: 'collapse', left: collapse };
}
