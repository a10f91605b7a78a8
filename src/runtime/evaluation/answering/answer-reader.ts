/**
 * What the base makes of a question after a working context: it decodes an answer freely, or reads a reference
 * teacher-forced. The cached prefix of the last context is kept. Owns the key-value cache, not the contexts.
 */
import { baseInput, BaseVectors } from '../../../core/context/base-input.ts';
import type { PositionScheme } from '../../../core/context/position-scheme.ts';
import type { GistInput } from '../../../core/parameters/context.ts';
import { type SlotPositions, slotPositions } from '../../../core/context/positions.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { spanIdOf } from '../../../core/tree/ids.ts';
import type { DecodeSession, LoadedModel } from '../../../nn/ports.ts';
import { AnswerWriter } from '../../session/chat/answer-writer.ts';
import { type ContinuationReading, readContinuationRows } from '../../session/decoding/continuation.ts';
import { GREEDY, MAX_ANSWER_TOKENS } from '../../session/decoding/greedy.ts';

/** Slots run in one call; bounds the attention matrix. */
const CHUNK_SLOTS = 256;
/** Key of a raw token: `position · 2^21 + id`, so that two questions at the same place differ. */
const ID_STRIDE = 2 ** 21;
const MAX_BRANCHES = 1024;

/** A working context with the question at its end, ready to be run; sorting by `compareKeys` makes prefixes shared. */
export interface PreparedContext {
  readonly layout: Layout;
  /** What of it the base reads. */
  readonly read: Layout;
  readonly gistInput: GistInput;
  readonly tree: GistTree;
  /** `[slots]` what each cached slot would hold. */
  readonly keys: Float64Array;
  /** `[slots + following]` where each of them stands, and where what is decoded or read behind them would. */
  readonly places: SlotPositions;
}

/** What tells contexts of one history apart. */
export interface ContextBranch {
  /** The history's length before the question: gists that end later are this branch's own. */
  readonly sharedTokens: number;
  /** Of the questions on the history, from 0. */
  readonly branch: number;
  readonly scheme: PositionScheme;
  readonly gistInput: GistInput;
  /** Moves the whole context this many tokens along; 0 where the history really stands there. */
  readonly offsetTokens: number;
  /** Tokens that may follow the context, at least. */
  readonly followingTokens: number;
}

export function prepareContext(
  layout: Layout,
  tree: GistTree,
  { sharedTokens, branch, scheme, gistInput, offsetTokens, followingTokens }: ContextBranch,
): PreparedContext {
  const read = baseInput(layout, gistInput);
  const keys = new Float64Array(read.usedTokens);
  let slot = 0;
  for (const { lod, start, end } of read.entries) {
    if (lod === 0) {
      const ids = tree.tokens(start, end);
      for (let i = 0; i < ids.length; i++) keys[slot++] = (start + i) * ID_STRIDE + ids[i]!;
    } else {
      const own = end > sharedTokens ? (branch + 1) / MAX_BRANCHES : 0;
      keys[slot++] = -(spanIdOf(lod, start) + 1) - own;
    }
  }
  const places = slotPositions(read, scheme, Math.max(followingTokens, MAX_ANSWER_TOKENS));
  for (let i = 0; i < places.positions.length; i++) places.positions[i]! += offsetTokens;
  return { layout, read, gistInput, tree, keys, places };
}

/** Orders contexts so that neighbours share as long a prefix as can be. */
export function compareKeys(a: PreparedContext, b: PreparedContext): number {
  let at = 0;
  while (at < a.keys.length && at < b.keys.length && a.keys[at] === b.keys[at]) at++;
  return (a.keys[at] ?? Infinity) - (b.keys[at] ?? Infinity) || a.keys.length - b.keys.length;
}

export function isSameContext(a: PreparedContext, b: PreparedContext): boolean {
  const { length } = a.keys;
  return length === b.keys.length && commonPrefix(a, length, b) === length;
}

/** What was decoded after a context. */
export interface DecodedAnswer {
  readonly text: string;
  readonly tokens: number;
}

export class AnswerReader {
  private session: DecodeSession | null = null;
  private cached: PreparedContext | null = null;

  /** @param pause - awaited between two chunks of a forward and between tokens; may throw to give up. */
  constructor(
    private readonly model: Pick<LoadedModel, 'base' | 'tokenizer' | 'manifest'>,
    private readonly pause: () => Promise<void>,
  ) {}

  /**
   * Decode greedily until the model stops or 64 tokens. The layout only grows. Knows no reference.
   * All contexts of one reader come from one history.
   */
  async decode(context: PreparedContext): Promise<DecodedAnswer> {
    const { base, tokenizer, manifest } = this.model;
    const { layout, read, places } = context;
    const { session, logits: first } = await this.logitsAfter(context, new Uint32Array(0));
    let logits = first;
    const writer = new AnswerWriter(tokenizer, 0, layout.cursor, manifest.chat.stop);
    for (let slot = read.usedTokens; ; slot++) {
      const { tokenId, isEnd } = writer.next(logits, GREEDY);
      if (isEnd || writer.tokenCount >= MAX_ANSWER_TOKENS) break;
      await this.pause();
      const position = places.positions.subarray(slot, slot + 1);
      logits = await session.append(base.embed(Uint32Array.of(tokenId)), position, 'last');
    }
    session.truncate(read.usedTokens);
    writer.finish();
    return { text: writer.text, tokens: writer.tokenCount };
  }

  /** Read a reference, each of its tokens after those before it. */
  async read(context: PreparedContext, referenceIds: Uint32Array): Promise<ContinuationReading> {
    const { session, logits } = await this.logitsAfter(context, referenceIds);
    session.truncate(context.read.usedTokens);
    return readContinuationRows(logits, referenceIds, this.model.base.vocabularySize);
  }

  dispose(): void {
    this.session?.dispose();
    this.session = null;
  }

  /** @returns `[max(1, n), V]` logits of the context's last slot and of all but the last of the n tokens after it. */
  private async logitsAfter(
    context: PreparedContext,
    followingIds: Uint32Array,
  ): Promise<{ readonly session: DecodeSession; readonly logits: Float32Array }> {
    const { read, gistInput, tree, places } = context;
    const { hiddenSize: d } = tree;
    const embed = (tokens: Uint32Array): Float32Array => this.model.base.embed(tokens);
    const inputs = followingIds.subarray(0, -1);
    const contextSlots = read.usedTokens;
    const slots = contextSlots + inputs.length;
    const embeddings = new Float32Array(slots * d);
    embeddings.set(new BaseVectors(tree, embed).gather(read, gistInput, 0, contextSlots));
    if (inputs.length > 0) embeddings.set(embed(inputs), contextSlots * d);

    const lastOfContext = contextSlots - 1;
    const session = this.sessionFor(Math.max(slots, contextSlots + MAX_ANSWER_TOKENS));
    const cached = this.cached === null ? 0 : commonPrefix(this.cached, session.length, context);
    const common = Math.min(cached, lastOfContext);
    session.truncate(common);
    this.cached = context;
    // Chunks of one size: a short one at the end would cost as much as a long one.
    const size = Math.ceil((slots - common) / Math.ceil((slots - common) / CHUNK_SLOTS));
    let logits: Float32Array = new Float32Array(0);
    for (let from = common; from < slots;) {
      if (from > common) await this.pause();
      const to = from + size > lastOfContext ? slots : from + size;
      const chunk = embeddings.subarray(from * d, to * d);
      const positions = places.positions.subarray(from, to);
      const deviations = places.deviations.subarray(from, to);
      logits = await session.append(chunk, positions, to === slots ? inputs.length + 1 : 0, deviations);
      from = to;
    }
    return { session, logits };
  }

  private sessionFor(slots: number): DecodeSession {
    if (this.session !== null && this.session.capacitySlots >= slots) return this.session;
    this.dispose();
    this.session = this.model.base.createDecodeSession(Math.ceil(slots / CHUNK_SLOTS + 1) * CHUNK_SLOTS);
    return this.session;
  }
}

/** How many of the first `length` slots of `a` hold in `b` the same at the same place. */
function commonPrefix(a: PreparedContext, length: number, b: PreparedContext): number {
  // Keys name a gist by its span, whatever stands for it.
  if (a.gistInput !== b.gistInput) return 0;
  const most = Math.min(length, a.keys.length, b.keys.length);
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
