/** What a question's working context was made of, as records keep it: scores of entries, and a trace that plays. Pure. */
import type { Layout } from '../../../core/context/working-context.ts';
import { scoredLayout } from '../../../core/trace/action-replay.ts';
import { keyframe, toLayoutEntries } from '../../../core/trace/layout-delta.ts';
import type { TelemetryEvent, TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import { K } from '../../../core/tree/ids.ts';
import type { Role } from '../../../core/tree/provenance.ts';
import type { Ranks } from '../baselines/baseline.ts';
import type { AskedQuestion } from '../cases/evaluation-case.ts';

/** `[entries]`; null where nothing was said of an entry. */
export type EntryScores = readonly (number | null)[];

/** A refocus as it happened, with the layout that it left. */
export interface SeenRefocus {
  readonly layout: Layout;
  readonly event: TelemetryEventOf<'refocus'>;
}

/** Digits that a record keeps of a score. */
const SCORE_DIGITS = 4;

/** What the last refocus gave each entry, or what the entry was made of. */
export function scoresOfEntries({ entries }: Layout, last: SeenRefocus | null): EntryScores {
  const scored = last === null ? [] : scoredLayout(toLayoutEntries(last.layout.entries), last.event.actions);
  const scores = last?.event.scores ?? [];
  if (scored.length !== scores.length) return entries.map(() => null);
  let at = 0;
  return entries.map(({ start }) => {
    while (at < scored.length && scored[at]![2] <= start) at++;
    return at < scored.length && scored[at]![1] <= start ? scores[at]! : null;
  });
}

/** The best rank of the blocks in each entry. */
export function ranksOfEntries({ entries }: Layout, ranks: Ranks): EntryScores {
  return entries.map(({ start, end }) => {
    let best = -Infinity;
    for (let block = Math.floor(start / K); block * K < end && block < ranks.length; block++) {
      best = Math.max(best, ranks[block]!);
    }
    return Number.isFinite(best) ? best : null;
  });
}

interface Beginning {
  readonly historyTokens: number;
  readonly asked: AskedQuestion;
  readonly policy: string;
  readonly budgetTokens: number;
}

/** The trace of a policy of the page: the window before the question, and all that its session told. */
export function liveTrace(
  { historyTokens, policy, budgetTokens }: Beginning,
  opening: Layout,
  events: readonly TelemetryEvent[],
): TelemetryEvent[] {
  return [
    ingested(0, historyTokens, 'document'),
    frameOf(opening, [], policy, budgetTokens, 'block'),
    ...events.flatMap(kept),
  ];
}

/** The trace of a baseline: the one working context that it made of history and question. */
export function baselineTrace(
  { historyTokens, asked, policy, budgetTokens }: Beginning,
  layout: Layout,
  scores: EntryScores,
): TelemetryEvent[] {
  const { userIds, assistantIds } = asked;
  const asker = historyTokens + userIds.length;
  return [
    ingested(0, historyTokens, 'document'),
    ingested(historyTokens, asker, 'user'),
    ingested(asker, asker + assistantIds.length, 'assistant'),
    frameOf(layout, shadesOf(scores), policy, budgetTokens, 'turn-end'),
  ];
}

export function rounded(score: number): number {
  return Number(score.toFixed(SCORE_DIGITS));
}

/** Ranks on the scale of scores, the best at 1 and the least at -1; none where nothing was ranked. */
function shadesOf(scores: EntryScores): number[] {
  const known = scores.filter((score) => score !== null);
  if (known.length === 0) return [];
  const least = Math.min(...known);
  const range = Math.max(...known) - least || 1;
  return scores.map((score) => (score === null ? 0 : rounded((2 * (score - least)) / range - 1)));
}

/** What plays; the rest says how long the machine took, or where a replay could start. */
function kept(event: TelemetryEvent): TelemetryEvent[] {
  if (event.type === 'latency' || event.type === 'gist' || event.type === 'score') return [];
  if (event.type !== 'refocus') return [event];
  const refocus = { ...event, scores: event.scores.map(rounded) };
  delete refocus.allocator;
  return [refocus];
}

function ingested(start: number, end: number, role: Role): TelemetryEventOf<'ingest'> {
  const documentId = role === 'document' ? 'history' : 'turn';
  return { type: 'ingest', step: 0, timeMs: 0, start, end, role, documentId };
}

function frameOf(
  { entries, usedTokens, cursor }: Layout,
  scores: number[],
  policy: string,
  budgetTokens: number,
  trigger: 'block' | 'turn-end',
): TelemetryEventOf<'refocus'> {
  return {
    type: 'refocus',
    step: 0,
    timeMs: 0,
    head: 0,
    cursor,
    policy,
    windowStart: entries[0]?.start ?? 0,
    usedTokens,
    budgetTokens,
    entryCount: entries.length,
    layout: keyframe(toLayoutEntries(entries)),
    scores,
    actions: [],
    swapRate: 0,
    utilisation: usedTokens / budgetTokens,
    meanResidency: 0,
    coherence: null,
    trigger,
  };
}
