/** Where a block stood among the candidates of one step, and what its move would have cost. Pure over a trace. */
import { K, tokensPerEntry } from '../../core/tree/ids.ts';
import type { LayoutEntry } from '../../core/trace/telemetry.ts';
import { entryAtToken } from './entry-search.ts';
import type { Run } from './run.ts';

/** The thresholds in force at a step. */
export interface Thresholds {
  readonly tauExpand: number;
  readonly tauCollapse: number;
}

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
    candidacy: candidacyOf(layout, scores, at, thresholds),
    cooldown: cooldownOf(trace, lod, start, index, cooldownSteps),
  };
}

function candidacyOf(
  layout: readonly LayoutEntry[],
  scores: Float32Array,
  at: number,
  { tauExpand, tauCollapse }: Thresholds,
): Candidacy | null {
  const [lod, start] = layout[at]!;
  const score = scores[at]!;
  if (lod > 0 && score > tauExpand) {
    const asking = scores.filter((other, i) => layout[i]![0] > 0 && other > tauExpand);
    const rank = 1 + asking.filter((other) => other > score).length;
    return { move: 'expand', score, rank, count: asking.length };
  }
  const units = collapseUnits(layout, scores);
  const own = units.get(unitKey(lod, start));
  if (own === undefined || own >= -tauCollapse) return null;
  const asking = [...units.values()].filter((other) => other < -tauCollapse);
  const rank = 1 + asking.filter((other) => other < own).length;
  return { move: 'collapse', score: own, rank, count: asking.length };
}

/** Whole raw blocks, and all K siblings of a parent at one level: what can collapse, with its score. */
function collapseUnits(layout: readonly LayoutEntry[], scores: Float32Array): ReadonlyMap<string, number> {
  const sums = new Map<string, { sum: number; count: number }>();
  layout.forEach(([lod, start, end], i) => {
    if (lod === 0 && end - start < K) return;
    const key = unitKey(lod, start);
    const { sum, count } = sums.get(key) ?? { sum: 0, count: 0 };
    sums.set(key, { sum: sum + scores[i]!, count: count + 1 });
  });
  const whole = [...sums].filter(([key, { count }]) => count === (key.startsWith('0:') ? 1 : K));
  return new Map(whole.map(([key, { sum, count }]) => [key, sum / count]));
}

/** Entries that collapse together share it. */
function unitKey(lod: number, start: number): string {
  return `${lod}:${Math.floor(start / tokensPerEntry(lod + 1))}`;
}

function cooldownOf(
  trace: StandingTrace,
  lod: number,
  start: number,
  index: number,
  cooldownSteps: number,
): BlockStanding['cooldown'] {
  const parentSize = tokensPerEntry(lod + 1);
  const step = trace.frameAt(index)!.step;
  for (let at = index - 1; at >= 0; at--) {
    const frame = trace.frameAt(at)!;
    const left = frame.step + cooldownSteps + 1 - step;
    if (left <= 0) return null;
    for (const { kind, applied, lod: actedLod, start: actedStart } of frame.actions.toReversed()) {
      if (!applied) continue;
      const isOwn = kind === 'collapse' && actedLod === lod && actedStart === start;
      const isParent =
        kind === 'expand' &&
        actedLod === lod + 1 &&
        actedStart === Math.floor(start / parentSize) * parentSize;
      if (isOwn) return { move: 'expand', left };
      if (isParent) return { move: 'collapse', left };
    }
  }
  return null;
}
