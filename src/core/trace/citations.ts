/**
 * Which places of the history an answer was read from: blocks that stood raw in the working context when it began
 * and that its question asked for. A reading of the recorded refocuses, so that every trace has them. Pure.
 */
import { isOfChat } from '../tree/provenance.ts';
import type { Provenance } from '../tree/provenance.ts';
import { K } from '../tree/ids.ts';
import { scoredLayout } from './action-replay.ts';
import type { LayoutEntry, TelemetryEventOf } from './telemetry.ts';

/** More places than this no answer of a few sentences was read from; the best count. */
export const MAX_CITATIONS = 8;

/** One refocus at a turn's end, with the layout after it. */
export interface SettlingFrame extends Pick<TelemetryEventOf<'refocus'>, 'step' | 'actions' | 'thresholds'> {
  readonly layout: readonly LayoutEntry[];
  readonly scores: ArrayLike<number>;
}

/** Neighbouring blocks of one document that an answer was read from. */
export interface Citation {
  /** 1 is the place that was scored highest. */
  readonly number: number;
  /** Tokens `start..end-1`. */
  readonly start: number;
  readonly end: number;
  /** The highest score of its blocks, above 0. */
  readonly score: number;
  /** The refocus that opened its best block, or the last one in which it stood open. */
  readonly step: number;
  /** The question opened one of its blocks; else they stood raw already, and scored above the threshold. */
  readonly opened: boolean;
}

/** Who wrote tokens `start..end-1` of the history; only what is told apart here counts. */
type Origin = Pick<Provenance, 'documentId'> & { readonly start: number; readonly end: number };

/**
 * @param frames - the answering head's refocuses at the end of the question's turn, in order.
 * @param origins - who wrote what, in the order of the history: questions and answers of the chat are no sources.
 * @param tauExpand - the parameter; a frame's own threshold outranks it.
 * @returns at most `MAX_CITATIONS`, the highest score first.
 */
export function citationsOf(
  frames: readonly SettlingFrame[],
  origins: readonly Origin[],
  tauExpand: number,
): readonly Citation[] {
  const last = frames.at(-1);
  if (last === undefined) return [];
  const asked = askedFor(frames, last, last.thresholds?.tauExpand ?? tauExpand);
  const places: Omit<Citation, 'number'>[] = [];
  let documentId: string | null = null;
  for (const [lod, start, end] of last.layout) {
    const found = lod === 0 && end - start === K ? asked.get(start) : undefined;
    const origin = found === undefined ? null : sourceOf(origins, start, end);
    if (found === undefined || origin === null) continue;
    const before = places.at(-1);
    if (before?.end === start && documentId === origin)
      places[places.length - 1] = joined(before, found, end);
    else places.push({ start, end, ...found });
    documentId = origin;
  }
  return places
    .toSorted((a, b) => b.score - a.score || a.start - b.start)
    .slice(0, MAX_CITATIONS)
    .map((place, index) => ({ number: index + 1, ...place }));
}

/** A place of an answer that several heads were read for. */
export interface HeadCitation extends Citation {
  /** The heads that held it raw, the one with the highest score first; its step and score are that one's. */
  readonly heads: readonly number[];
}

/**
 * The places of all heads that were read, those that overlap as one.
 *
 * @param byHead - of each head, its own places in any order.
 * @returns at most `MAX_CITATIONS`, the highest score first. The best place of each head is always among them: scores of
 *   different cues do not compare.
 */
export function uniteCitations(byHead: ReadonlyMap<number, readonly Citation[]>): readonly HeadCitation[] {
  const all = [...byHead].flatMap(([head, places]) => places.map((place) => ({ ...place, heads: [head] })));
  const united: Omit<HeadCitation, 'number'>[] = [];
  for (const place of all.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const before = united.at(-1);
    if (before !== undefined && place.start < before.end)
      united[united.length - 1] = overlapping(before, place);
    else united.push(place);
  }
  const ranked = united.toSorted((a, b) => b.score - a.score || a.start - b.start);
  const best = new Set([...byHead.keys()].map((head) => ranked.find(({ heads }) => heads.includes(head))));
  const others = ranked.filter((place) => !best.has(place));
  const kept = new Set([...best, ...others.slice(0, Math.max(0, MAX_CITATIONS - best.size))]);
  return ranked.filter((place) => kept.has(place)).map((place, index) => ({ ...place, number: index + 1 }));
}

function overlapping(
  a: Omit<HeadCitation, 'number'>,
  b: Omit<HeadCitation, 'number'>,
): Omit<HeadCitation, 'number'> {
  const [first, second] = b.score > a.score ? [b, a] : [a, b];
  return {
    ...joined({ ...first, start: Math.min(a.start, b.start) }, second, Math.max(a.end, b.end)),
    heads: [...new Set([...first.heads, ...second.heads])],
  };
}

type Found = Pick<Citation, 'score' | 'step' | 'opened'>;

/** By its first token, every raw block that the question opened, or that stood raw and scored above the threshold. */
function askedFor(
  frames: readonly SettlingFrame[],
  last: SettlingFrame,
  tauExpand: number,
): ReadonlyMap<number, Found> {
  const found = new Map<number, Found>();
  const scored = scoredLayout(last.layout, last.actions);
  if (scored.length === last.scores.length) {
    for (const [at, [lod, start]] of scored.entries()) {
      const score = last.scores[at]!;
      if (lod === 0 && score > Math.max(0, tauExpand))
        found.set(start, { score, step: last.step, opened: false });
    }
  }
  for (const { step, actions } of frames) {
    for (const { applied, kind, toLod, start, score } of actions) {
      // A free budget opens what nobody asked for, too: those blocks have low scores.
      if (!applied || kind !== 'expand' || toLod !== 0 || score === null || score <= 0) continue;
      found.set(start, { score: Math.max(score, found.get(start)?.score ?? 0), step, opened: true });
    }
  }
  return found;
}

function joined(before: Omit<Citation, 'number'>, found: Found, end: number): Omit<Citation, 'number'> {
  const best = found.score > before.score ? found : before;
  return {
    start: before.start,
    end,
    score: best.score,
    step: best.step,
    opened: before.opened || found.opened,
  };
}

/** The document that most of a block is of; null where that is the chat's own, or nobody's. */
function sourceOf(origins: readonly Origin[], start: number, end: number): string | null {
  let most = 0;
  let source: string | null = null;
  for (const origin of origins) {
    if (origin.end <= start) continue;
    if (origin.start >= end) break;
    const tokens = Math.min(origin.end, end) - Math.max(origin.start, start);
    if (tokens <= most) continue;
    most = tokens;
    source = isOfChat(origin.documentId) ? null : origin.documentId;
  }
  return source;
}
