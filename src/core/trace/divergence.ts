/** Where two runs part: their frames on one playhead, and the first step at which each kind of thing differs. Pure. */
import { type RunConfig, changedIds } from './config.ts';
import type { ParameterId } from '../parameters/parameters.ts';
import type { ActionRecord, LayoutEntry } from './telemetry.ts';

/** One refocus of a run that is compared. */
export interface ComparedFrame {
  readonly step: number;
  readonly cursor: number;
  readonly windowStart: number;
  readonly usedTokens: number;
  readonly entryCount: number;
  readonly actions: readonly ActionRecord[];
  /** One per entry that was scored; empty for a step by hand. */
  readonly scores: ArrayLike<number>;
}

/** A run, live or recorded, as far as comparing needs it. */
export interface ComparedRun {
  readonly frameCount: number;
  frameAt(index: number): ComparedFrame | undefined;
  layoutAt(index: number): readonly LayoutEntry[];
  /** The parameters in force at a frame; null where the run does not say. */
  configAt(index: number): RunConfig | null;
  /** The token that was generated at a position of the history, if one was. */
  decodedAt(position: number): { readonly tokenId: number; readonly text: string } | undefined;
}

/** What the two runs have in common on the playhead: the number of the refocus, or the length of the history. */
export const ALIGNMENTS = ['step', 'tokens'] as const;
export type AlignmentKey = (typeof ALIGNMENTS)[number];

/** The places of a playhead over two runs. */
export interface RunAlignment {
  /** `[count]` steps or cursors, ascending: every one that either run has. */
  readonly keys: Int32Array;
  /** `[count]` the newest frame of each run up to that key; -1 before its first. */
  readonly a: Int32Array;
  readonly b: Int32Array;
  /** How many places each run reaches; behind them it has ended. */
  readonly reachA: number;
  readonly reachB: number;
}

type Frames = Pick<ComparedRun, 'frameCount' | 'frameAt'>;

/** O(frames of both). */
export function alignRuns(a: Frames, b: Frames, by: AlignmentKey): RunAlignment {
  const keyOf = (run: Frames, index: number): number => {
    const frame = run.frameAt(index);
    if (frame === undefined) return Infinity;
    return by === 'step' ? frame.step : frame.cursor;
  };
  const keys: number[] = [];
  const indices: Record<'a' | 'b', number[]> = { a: [], b: [] };
  let i = 0;
  let j = 0;
  while (i < a.frameCount || j < b.frameCount) {
    const key = Math.min(keyOf(a, i), keyOf(b, j));
    // Several refocuses may share one cursor: the last of them stands for it.
    while (keyOf(a, i) <= key) i++;
    while (keyOf(b, j) <= key) j++;
    keys.push(key);
    indices.a.push(i - 1);
    indices.b.push(j - 1);
  }
  const reach = (run: Frames) => {
    const last = keyOf(run, run.frameCount - 1);
    return run.frameCount === 0 ? 0 : keys.indexOf(last) + 1;
  };
  return {
    keys: Int32Array.from(keys),
    a: Int32Array.from(indices.a),
    b: Int32Array.from(indices.b),
    reachA: reach(a),
    reachB: reach(b),
  };
}

/** The newest place whose key is at most the one given; 0 if none is. */
export function placeOfKey({ keys }: Pick<RunAlignment, 'keys'>, key: number): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! <= key) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** The first place at which one kind of thing differs. */
export type Divergence = { readonly place: number } & (
  | { readonly kind: 'parameter'; readonly ids: readonly ParameterId[] }
  /** The history's length, or the token that was generated at a position, differs. */
  | {
      readonly kind: 'tokens';
      readonly position: number;
      readonly a: string | null;
      readonly b: string | null;
    }
  /** The scores of one entry, the first that differ by more than `SCORE_TOLERANCE`. */
  | { readonly kind: 'score'; readonly entry: number; readonly a: number; readonly b: number }
  /** An action that only one of them took, or that they took in another order. */
  | { readonly kind: 'action'; readonly a: ActionRecord | null; readonly b: ActionRecord | null }
  /** The working contexts differ though the same actions were taken. */
  | { readonly kind: 'context'; readonly token: number }
  | { readonly kind: 'end'; readonly ended: 'a' | 'b' }
);
export type DivergenceKind = Divergence['kind'];

/** Scores as pages keep them are exact to 0.00002; the rest is for another backend's arithmetic. */
const SCORE_TOLERANCE = 0.001;

/**
 * The first place of each kind of difference, in order of place; empty where the runs never part. Of kinds at one
 * place, a cause comes before its effects.
 */
export function compareRuns(a: ComparedRun, b: ComparedRun, alignment: RunAlignment): readonly Divergence[] {
  const found = new Map<DivergenceKind, Divergence>();
  const note = (divergence: Divergence | null): void => {
    if (divergence !== null && !found.has(divergence.kind)) found.set(divergence.kind, divergence);
  };
  const { reachA, reachB } = alignment;
  const common = Math.min(reachA, reachB);
  let before: Pair | null = null;
  for (let place = 0; place < common; place++) {
    const pair = pairAt(a, b, alignment, place);
    if (pair === null) continue;
    if (!found.has('parameter')) note(parameterDivergence(a, b, pair, before));
    if (!found.has('tokens')) note(tokenDivergence(a, b, pair, before));
    if (!found.has('score')) note(scoreDivergence(pair));
    const action = found.has('action') ? null : actionDivergence(pair);
    note(action);
    if (action === null && !found.has('action') && !found.has('context')) {
      note(contextDivergence(a, b, pair, before));
    }
    before = pair;
  }
  if (reachA !== reachB) note({ kind: 'end', place: common, ended: reachA < reachB ? 'a' : 'b' });
  return [...found.values()].sort((x, y) => x.place - y.place || rank(x) - rank(y));
}

const ORDER: readonly DivergenceKind[] = ['parameter', 'tokens', 'score', 'action', 'context', 'end'];
const rank = ({ kind }: Divergence) => ORDER.indexOf(kind);

/** Two frames that stand at the same key. */
interface Pair {
  readonly place: number;
  readonly indexA: number;
  readonly indexB: number;
  readonly frameA: ComparedFrame;
  readonly frameB: ComparedFrame;
}

/** Null where only one of the runs refocused. */
function pairAt(a: ComparedRun, b: ComparedRun, alignment: RunAlignment, place: number): Pair | null {
  const indexA = alignment.a[place]!;
  const indexB = alignment.b[place]!;
  const isNew = (indices: Int32Array) => indices[place] !== (place === 0 ? -1 : indices[place - 1]);
  const frameA = a.frameAt(indexA);
  const frameB = b.frameAt(indexB);
  if (frameA === undefined || frameB === undefined) return null;
  return isNew(alignment.a) && isNew(alignment.b) ? { place, indexA, indexB, frameA, frameB } : null;
}

function parameterDivergence(
  a: ComparedRun,
  b: ComparedRun,
  pair: Pair,
  before: Pair | null,
): Divergence | null {
  const configA = a.configAt(pair.indexA);
  const configB = b.configAt(pair.indexB);
  // The same two objects were compared at the pair before.
  const isKnown =
    before !== null && configA === a.configAt(before.indexA) && configB === b.configAt(before.indexB);
  if (configA === null || configB === null || isKnown) return null;
  const ids = changedIds(configA, configB);
  return ids.length === 0 ? null : { kind: 'parameter', place: pair.place, ids };
}

function tokenDivergence(a: ComparedRun, b: ComparedRun, pair: Pair, before: Pair | null): Divergence | null {
  const { place, frameA, frameB } = pair;
  const end = Math.min(frameA.cursor, frameB.cursor);
  const start = before === null ? 0 : Math.min(before.frameA.cursor, before.frameB.cursor);
  for (let position = start; position < end; position++) {
    const tokenA = a.decodedAt(position);
    const tokenB = b.decodedAt(position);
    if (tokenA?.tokenId === tokenB?.tokenId) continue;
    return { kind: 'tokens', place, position, a: tokenA?.text ?? null, b: tokenB?.text ?? null };
  }
  if (frameA.cursor === frameB.cursor) return null;
  return { kind: 'tokens', place, position: end, a: null, b: null };
}

/** Scores of different entries are no score difference but one of the context. */
function scoreDivergence({ place, frameA, frameB }: Pair): Divergence | null {
  const { scores } = frameA;
  const others = frameB.scores;
  if (scores.length !== others.length) return null;
  for (let entry = 0; entry < scores.length; entry++) {
    const [a, b] = [scores[entry]!, others[entry]!];
    if (Math.abs(a - b) > SCORE_TOLERANCE) return { kind: 'score', place, entry, a, b };
  }
  return null;
}

function actionDivergence({ place, frameA, frameB }: Pair): Divergence | null {
  const taken = frameA.actions.filter(({ applied }) => applied);
  const others = frameB.actions.filter(({ applied }) => applied);
  for (let i = 0; i < Math.max(taken.length, others.length); i++) {
    const a = taken[i] ?? null;
    const b = others[i] ?? null;
    const isSame = a !== null && b !== null && a.kind === b.kind && a.lod === b.lod && a.start === b.start;
    if (!isSame) return { kind: 'action', place, a, b };
  }
  return null;
}

/** After the same context, the same actions and tokens make the same one: only the first is compared entry by entry. */
function contextDivergence(
  a: ComparedRun,
  b: ComparedRun,
  pair: Pair,
  before: Pair | null,
): Divergence | null {
  const { place, indexA, indexB, frameA, frameB } = pair;
  if (frameA.cursor !== frameB.cursor) return null;
  const isNext = before !== null && indexA === before.indexA + 1 && indexB === before.indexB + 1;
  const isAlike =
    frameA.usedTokens === frameB.usedTokens &&
    frameA.entryCount === frameB.entryCount &&
    frameA.windowStart === frameB.windowStart;
  if (isNext && isAlike) return null;
  const layout = a.layoutAt(indexA);
  const other = b.layoutAt(indexB);
  const at = layout.findIndex((entry, i) => !isSameEntry(entry, other[i]));
  if (at < 0 && layout.length === other.length) return null;
  return { kind: 'context', place, token: (layout[at] ?? other[layout.length])?.[1] ?? 0 };
}

function isSameEntry(a: LayoutEntry | undefined, b: LayoutEntry | undefined): boolean {
  return a !== undefined && b !== undefined && a[0] === b[0] && a[1] === b[1] && a[2] === b[2];
}

/** A stretch of the history that both contexts hold between two common boundaries. */
export interface ContextStretch {
  readonly start: number;
  readonly end: number;
  /** The entries that hold it; empty before a window's start. */
  readonly a: readonly LayoutEntry[];
  readonly b: readonly LayoutEntry[];
  readonly isSame: boolean;
}

/** Two working contexts side by side, in the smallest stretches that begin and end in both. O(entries). */
export function compareContexts(
  a: readonly LayoutEntry[],
  b: readonly LayoutEntry[],
): readonly ContextStretch[] {
  const stretches: ContextStretch[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const start = Math.min(a[i]?.[1] ?? Infinity, b[j]?.[1] ?? Infinity);
    const [firstA, firstB] = [i, j];
    let end = start;
    // Both go on until neither has an entry that begins before the other's end.
    for (let grew = true; grew;) {
      grew = false;
      for (; (a[i]?.[1] ?? Infinity) < Math.max(end, start + 1); grew = true) end = Math.max(end, a[i++]![2]);
      for (; (b[j]?.[1] ?? Infinity) < Math.max(end, start + 1); grew = true) end = Math.max(end, b[j++]![2]);
    }
    const ofA = a.slice(firstA, i);
    const ofB = b.slice(firstB, j);
    const isSame = ofA.length === 1 && ofB.length === 1 && isSameEntry(ofA[0], ofB[0]);
    stretches.push({ start, end, a: ofA, b: ofB, isSame });
  }
  return stretches;
}
