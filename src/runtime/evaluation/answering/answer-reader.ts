/**
 * What the base makes of an answer after a working context: one forward over context and answer together, and the
 * cached prefix of the last one is kept. Owns the key-value cache, not the contexts.
 */
import { spanIdOf } from '../../../core/tree/ids.ts';
import { type PositionScheme } from '../../../core/context/position-scheme.ts';
import { type SlotPositions, slotPositions } from '../../../core/context/positions.ts';
import { buildSlotView, SlotBuffers } from '../../../core/context/slot-view.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import type { DecodeSession, LanguageModel } from '../../../nn/ports.ts';
import { type ContinuationReading, readContinuationRows } from '../../session/continuation.ts';

/** Slots run in one call; bounds the attention matrix. */
const CHUNK_SLOTS = 256;
/** Key of a raw token: `position · 2^21 + id`, so that two questions at the same place differ. */
const ID_STRIDE = 2 ** 21;
const MAX_BRANCHES = 1024;

/** A context with an answer behind it, ready to be run; sorting by `compareKeys` makes prefixes shared. */
export interface PreparedContext {
  readonly layout: Layout;
  readonly tree: GistTree;
  readonly answerIds: Uint32Array;
  /** `[slots + answer - 1]` what each cached slot would hold. */
  readonly keys: Float64Array;
  /** `[slots + answer - 1]` where each of them stands. */
  readonly places: SlotPositions;
}

/** What tells contexts of one history apart. */
export interface ContextBranch {
  /** The history's length before the question: gists that end later are this branch's own. */
  readonly sharedTokens: number;
  /** Of the questions on the history, from 0. */
  readonly branch: number;
  readonly scheme: PositionScheme;
  /** Moves the whole context this many tokens along; 0 where the history really stands there. */
  readonly offsetTokens: number;
}

export function prepareContext(
  layout: Layout,
  tree: GistTree,
  answerIds: Uint32Array,
  { sharedTokens, branch, scheme, offsetTokens }: ContextBranch,
): PreparedContext {
  const keys = new Float64Array(layout.usedTokens + answerIds.length - 1);
  let slot = 0;
  for (const { lod, start, end } of layout.entries) {
    if (lod === 0) {
      const ids = tree.tokens(start, end);
      for (let i = 0; i < ids.length; i++) keys[slot++] = (start + i) * ID_STRIDE + ids[i]!;
    } else {
      const own = end > sharedTokens ? (branch + 1) / MAX_BRANCHES : 0;
      keys[slot++] = -(spanIdOf(lod, start) + 1) - own;
    }
  }
  for (let i = 0; slot < keys.length; i++) keys[slot++] = (layout.cursor + i) * ID_STRIDE + answerIds[i]!;
  const places = slotPositions(layout, scheme, answerIds.length - 1);
  for (let i = 0; i < keys.length; i++) places.positions[i]! += offsetTokens;
  return { layout, tree, answerIds, keys, places };
}

/** Orders contexts so that neighbours share as long a prefix as can be. */
export function compareKeys(a: PreparedContext, b: PreparedContext): number {
  let at = 0;
  while (at < a.keys.length && at < b.keys.length && a.keys[at] === b.keys[at]) at++;
  return (a.keys[at] ?? Infinity) - (b.keys[at] ?? Infinity) || a.keys.length - b.keys.length;
}

export function isSameContext(a: PreparedContext, b: PreparedContext): boolean {
  const { length } = a.keys;
  return (
    length === b.keys.length &&
    a.answerIds.at(-1) === b.answerIds.at(-1) &&
    commonPrefix(a, length, b) === length
  );
}

export class AnswerReader {
  private session: DecodeSession | null = null;
  private cached: PreparedContext | null = null;
  private readonly buffers = new SlotBuffers();

  /** @param pause - awaited between two chunks of a forward; may throw to give up. */
  constructor(
    private readonly base: LanguageModel,
    private readonly pause: () => Promise<void>,
  ) {}

  /** Read one answer. All contexts of one reader come from one history. */
  async read(context: PreparedContext): Promise<ContinuationReading> {
    const { layout, tree, answerIds, keys, places } = context;
    const embed = (ids: Uint32Array): Float32Array => this.base.embed(ids);
    const view = buildSlotView({ layout, tree, embed, tailTokens: 1 }, this.buffers);
    const slots = keys.length;
    const inputs = answerIds.subarray(0, -1);
    const embeddings = new Float32Array(slots * view.hiddenSize);
    embeddings.set(view.embeddings);
    embeddings.set(embed(inputs), view.slotCount * view.hiddenSize);

    const firstScored = view.slotCount - 1;
    const session = this.sessionFor(slots);
    const cached = this.cached === null ? 0 : commonPrefix(this.cached, session.length, context);
    const common = Math.min(cached, firstScored);
    session.truncate(common);
    this.cached = context;
    // Chunks of one size: a short one at the end would cost as much as a long one.
    const size = Math.ceil((slots - common) / Math.ceil((slots - common) / CHUNK_SLOTS));
    let rows: Float32Array = new Float32Array(0);
    for (let from = common; from < slots;) {
      if (from > common) await this.pause();
      const to = from + size > firstScored ? slots : from + size;
      const chunk = embeddings.subarray(from * view.hiddenSize, to * view.hiddenSize);
      const positions = places.positions.subarray(from, to);
      const deviations = places.deviations.subarray(from, to);
      rows = await session.append(chunk, positions, to === slots ? answerIds.length : 0, deviations);
      from = to;
    }
    return readContinuationRows(rows, answerIds, this.base.vocabularySize);
  }

  dispose(): void {
    this.session?.dispose();
    this.session = null;
  }

  private sessionFor(slots: number): DecodeSession {
    if (this.session !== null && this.session.capacitySlots >= slots) return this.session;
    this.dispose();
    this.session = this.base.createDecodeSession(Math.ceil(slots / CHUNK_SLOTS + 1) * CHUNK_SLOTS);
    return this.session;
  }
}

/** How many of the first `length` slots of `a` hold in `b` the same at the same place. */
function commonPrefix(a: PreparedContext, length: number, b: PreparedContext): number {
  const most = Math.min(length, b.keys.length);
  let at = 0;
  while (
    at < most &&
    a.keys[at] === b.keys[at] &&
    a.places.positions[at] === b.places.positions[at] &&
    a.places.deviations[at] === b.places.deviations[at]
  ) {
    at++;
  }
  return at;
}
