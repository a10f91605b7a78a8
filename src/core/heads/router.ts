/** Mixture of Focus: which heads the base reads, by what their scores say of them. Pure. */
import type { Layout } from '../context/working-context.ts';
import type { RouterId } from '../parameters/heads.ts';
import { softmax } from './merging.ts';

/** So many best scores make a head's utility. */
const BEST = 3;
/** A difference of utility that makes e times as confident. */
export const CONFIDENCE_SCALE = 0.1;

/** What a head's last refocus says of it. */
export interface HeadStatistics {
  /** Mean of the best three scores among what it holds raw beyond the recent window; -1 where it holds nothing there. */
  readonly wanted: number;
  /** The best score of all its entries. */
  readonly peak: number;
  /** Mean score of its entries. */
  readonly mean: number;
  /** Share of its budget that is raw beyond the recent window. */
  readonly rawShare: number;
}

/** In the order in which a learned router reads them. */
export const HEAD_STATISTICS = [
  'wanted',
  'peak',
  'mean',
  'rawShare',
] as const satisfies readonly (keyof HeadStatistics)[];

export interface Routing {
  /** `[heads]`. */
  readonly utilities: readonly number[];
  /** Heads that the base reads, ascending; never empty. */
  readonly chosen: readonly number[];
  /** Share of the softmax of the utilities of unmuted heads that the chosen ones have. */
  readonly confidence: number;
}

export interface RoutingInput {
  readonly router: RouterId;
  /** How many heads at most; 0 takes all. */
  readonly topK: number;
  readonly muted: readonly number[];
  /** One a head. */
  readonly statistics: readonly HeadStatistics[];
  /** `[heads]` what a learned router gives them; a single head needs none. */
  readonly learned?: readonly number[] | undefined;
}

/** @param recentStart - first token of the protected recent window. @param scores - `[entries]`. */
export function headStatistics(
  { entries }: Pick<Layout, 'entries'>,
  scores: Float32Array,
  recentStart: number,
  budgetTokens: number,
): HeadStatistics {
  const raw: number[] = [];
  let peak = -1;
  let sum = 0;
  let rawTokens = 0;
  entries.forEach(({ lod, end, cost }, index) => {
    const score = scores[index] ?? 0;
    peak = Math.max(peak, score);
    sum += score;
    if (lod > 0 || end > recentStart) return;
    raw.push(score);
    rawTokens += cost;
  });
  const best = raw.sort((a, b) => b - a).slice(0, BEST);
  return {
    wanted: best.length === 0 ? -1 : best.reduce((total, score) => total + score, 0) / best.length,
    peak,
    mean: entries.length === 0 ? 0 : sum / entries.length,
    rawShare: rawTokens / budgetTokens,
  };
}

/** Ties go to the lower head. Muted heads are never chosen; at least one must not be muted. */
export function routeHeads({ router, topK, muted, statistics, learned }: RoutingInput): Routing {
  const utilities = statistics.map(({ wanted }, head) => learned?.[head] ?? wanted);
  const heard = [...statistics.keys()].filter((head) => !muted.includes(head));
  const rank = (head: number) => (router === 'static' ? 0 : utilities[head]!);
  const count = topK === 0 ? heard.length : Math.min(topK, heard.length);
  const chosen = heard
    .toSorted((a, b) => rank(b) - rank(a) || a - b)
    .slice(0, count)
    .sort((a, b) => a - b);
  const shares = softmax(heard.map((head) => rank(head) / CONFIDENCE_SCALE));
  const confidence = heard.reduce((sum, head, i) => (chosen.includes(head) ? sum + shares[i]! : sum), 0);
  return { utilities, chosen, confidence };
}
