/**
 * Keeps the base model's key-value cache in step with a working context. After a change only the slots from
 * the first changed one on are run again (`exact`), or only those that were swapped in and the few behind them
 * (`patch`); slots before the first change are never recomputed.
 */
import type { GistInput, KvMode } from '../../../core/parameters/context.ts';
import type { AttentionReading } from '../../../core/parameters/measurement.ts';
import type { ConfigAffecting } from '../../../core/trace/config.ts';
import { type NodeRun, spanIdOf, tokensPerEntry } from '../../../core/tree/ids.ts';
import { bringInGists } from '../../../core/context/slot-view.ts';
import { ABSOLUTE_POSITIONS, positionSchemeOf } from '../../../core/context/position-scheme.ts';
import type { SentPositions } from '../../../core/context/invariants.ts';
import { slotPositions } from '../../../core/context/positions.ts';
import type { PositionScheme } from '../../../core/context/position-scheme.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { baseInput, BaseVectors } from '../../../core/context/base-input.ts';
import type { Entry, Layout } from '../../../core/context/working-context.ts';
import { PREFILL_SLOTS } from '../../../nn/ports.ts';
import type { DecodeSession, FirstChoice, LanguageModel } from '../../../nn/ports.ts';
import { ChoicesAhead } from './choices-ahead.ts';
import { type ContinuationReading, readContinuationRows } from './continuation.ts';
import { commonPrefix, gapsOf, planPatch, RERUN_SLOTS } from './patch-plan.ts';
import type { SlotList } from './patch-plan.ts';

/** Room behind the working context: an open block and the horizon of a measurement. */
const SLACK_SLOTS = 128;
/** The longest continuation that is scored. */
export const MAX_SCORED_TOKENS = SLACK_SLOTS;

/** What a working context predicts. */
interface Prediction {
  /** `[V]` for the next token; borrowed until the next call. */
  readonly logits: Float32Array;
  /** `[slots]` how much it attends to each slot, sums to 1; null where that is not read. Borrowed alike. */
  readonly attention: Float32Array | null;
  /** What the base read, in order: each entry as many slots as it costs. */
  readonly entries: readonly Entry[];
  /** How many slots were run for it. */
  readonly ranSlots: number;
}

/** What a working context predicts first, chosen on the device. */
interface ChosenPrediction extends Pick<Prediction, 'entries' | 'ranSlots'> {
  readonly choice: FirstChoice;
}

/** The slot that a working context ends with, to be run together with others'. */
export interface LastSlot {
  readonly session: DecodeSession;
  /** `[d]`. */
  readonly vector: Float32Array;
  readonly position: number;
  readonly deviation: number;
  /** What of its attention is to be read. */
  readonly reading: AttentionReading | undefined;
  /** Must be told its final hidden state `[d]`, which is kept, once it was run. */
  readonly ran: (hidden: Float32Array) => void;
}

/** A working context as the cache is to hold it. */
interface Target {
  readonly session: DecodeSession;
  readonly layout: Layout;
  readonly wanted: SlotList;
  /** Slots from the first one on that are cached as they are wanted. */
  readonly common: number;
}

export class Decoder {
  private session: DecodeSession | null = null;
  /** What the cached slots hold and where they were run: one that stands elsewhere now is another slot. */
  private cached: SlotList = emptySlots(0);
  private scheme: PositionScheme = ABSOLUTE_POSITIONS;
  private mode: KvMode = 'exact';
  private length = 0;
  private lastLogits: Float32Array | null = null;
  private lastAttention: Float32Array | null = null;
  private lastHidden: Float32Array | null = null;
  private lastChoice: FirstChoice | null = null;
  private readonly ahead = new ChoicesAhead();
  private reading: AttentionReading | undefined;
  private gistInput: GistInput = 'vector';
  private readonly vectors: BaseVectors;

  /**
   * Decoders of the same base over the same tree, whose cached slots may serve this one where it would have to run the
   * same; asked at every prefill.
   */
  beside: () => readonly Decoder[] = () => [];

  /** @param pause - awaited between the chunks of a prefill; may throw to give up. */
  constructor(
    private readonly base: LanguageModel,
    private readonly tree: GistTree,
    private readonly pause: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.vectors = new BaseVectors(tree, (ids) => base.embed(ids));
  }

  /** Slots whose keys and values are cached. */
  get cachedSlots(): number {
    return this.length;
  }

  /** Decode as a run's parameters ask for, from the next `sync` on. */
  configure(config: ConfigAffecting<'decoder'>, trainedContextTokens: number): void {
    this.setPositions(positionSchemeOf(config, trainedContextTokens));
    this.setKvMode(config.kvMode);
    this.readAttention(config.recordAttention);
    if (config.gistInput !== this.gistInput) this.reset();
    this.gistInput = config.gistInput;
  }

  /** Positions from the next `sync` on; what then stands elsewhere is run again. */
  setPositions(scheme: PositionScheme): void {
    this.scheme = scheme;
  }

  /** How the cache follows changes from the next `sync` on; what `patch` left behind is run again by `reset`. */
  setKvMode(mode: KvMode): void {
    if (mode === 'exact' && this.mode === 'patch') this.reset();
    this.mode = mode;
  }

  /** Whether predictions made from now on read the attention. It never changes their logits. */
  readAttention(reading: AttentionReading | 'off'): void {
    this.reading = reading === 'off' ? undefined : reading;
  }

  /** Where `sync` sends a layout's slots. */
  sentPositions(layout: Layout): SentPositions {
    const read = baseInput(layout, this.gistInput);
    return { ...slotPositions(read, this.scheme), scheme: this.scheme, entries: read.entries };
  }

  /**
   * Make the cache hold exactly this layout.
   *
   * @param capacitySlots - the largest layout to expect; the cache is made anew only when it must grow.
   * @returns what follows it; its attention is null, too, if it was predicted before attention was read.
   */
  async sync(context: Layout, capacitySlots: number): Promise<Prediction> {
    await bringInGists(context, this.tree);
    const target = this.target(context, capacitySlots);
    const { entries } = target.layout;
    const count = target.wanted.keys.length;
    if (this.isAt(target) && this.lastLogits !== null) {
      return { logits: this.lastLogits, attention: this.lastAttention, entries, ranSlots: 0 };
    }
    const { from, filledSlots } = await this.keep(target);
    await this.runTail(target, from, count, 'last');
    const ranSlots = filledSlots + count - from;
    return { logits: this.lastLogits!, attention: this.lastAttention, entries, ranSlots };
  }

  /**
   * As `sync`, for the most likely token alone, where the device chooses it; it may go on with its choice before
   * anybody reads it.
   *
   * @param tokens - how many will be decoded so, with nothing but themselves changing the layout between them.
   * @returns null, nothing changed, where the device leaves the choice to whoever reads the logits.
   */
  async syncChoice(context: Layout, capacitySlots: number, tokens: number): Promise<ChosenPrediction | null> {
    const target = this.target(context, capacitySlots);
    const { session, layout, wanted } = target;
    const { greedy } = session;
    if (greedy === undefined) return null;
    const { entries } = layout;
    if (this.isAt(target) && this.lastChoice !== null)
      return { choice: this.lastChoice, entries, ranSlots: 0 };
    const last = wanted.keys.length - 1;
    const { from, filledSlots } = await this.keep(target);
    if (from < last) await this.runTail(target, from, last, 0);
    this.cut(session, last);
    const slots = Math.max(1, Math.min(tokens, greedy.mostSlots, session.capacitySlots - last));
    const { positions, deviations } = slotPositions(layout, this.scheme, slots - 1);
    const choices = await greedy.append(
      this.vectors.gather(layout, this.gistInput, last, last + 1),
      positions.subarray(last, last + slots),
      deviations.subarray(last, last + slots),
    );
    this.note(wanted, last, last + 1);
    this.length = last + 1;
    this.lastChoice = choices[0]!;
    this.ahead.fill(choices, context.cursor, {
      positions: positions.subarray(last + 1),
      deviations: deviations.subarray(last + 1),
    });
    return { choice: choices[0]!, entries, ranSlots: filledSlots + last + 1 - from };
  }

  /**
   * Make the cache hold this layout but for its last slot, which is to be run together with others'.
   *
   * @param capacitySlots - as `sync` has it.
   * @returns the slot; or its final hidden state, where it was run already.
   */
  async approach(context: Layout, capacitySlots: number): Promise<LastSlot | Float32Array> {
    await bringInGists(context, this.tree);
    const target = this.target(context, capacitySlots);
    const { session, layout, wanted } = target;
    if (this.isAt(target) && this.lastHidden !== null) return this.lastHidden;
    const last = wanted.keys.length - 1;
    const { from } = await this.keep(target);
    if (from < last) await this.runTail(target, from, last, 0);
    this.cut(session, last);
    const { positions, deviations } = placesOf(wanted, last, last + 1);
    return {
      session,
      vector: this.vectors.gather(layout, this.gistInput, last, last + 1),
      position: positions[0]!,
      deviation: deviations[0]!,
      reading: this.reading,
      ran: (hidden) => {
        this.note(wanted, last, last + 1);
        this.length = last + 1;
        this.forgetLast();
        this.lastHidden = hidden;
        this.lastAttention = session.lastAttention;
      },
    };
  }

  /**
   * How much the last slot of a layout that was approached and run attends to each of its slots; null where that was
   * not read.
   */
  attentionOver(context: Layout): (Pick<Prediction, 'entries'> & { readonly weights: Float32Array }) | null {
    const { lastAttention: weights } = this;
    return weights && { weights, entries: baseInput(context, this.gistInput).entries };
  }

  private target(context: Layout, capacitySlots: number): Target {
    const layout = baseInput(context, this.gistInput);
    if (layout.usedTokens === 0) throw new RangeError('An empty working context predicts nothing.');
    const session = this.sessionFor(Math.max(capacitySlots, layout.usedTokens));
    const wanted: SlotList = { keys: slotKeys(layout), places: this.sentPositions(layout) };
    this.takeAhead(wanted);
    return { session, layout, wanted, common: commonPrefix(this.cached, this.length, wanted) };
  }

  /** Slots that were run ahead and are wanted now count as cached. */
  private takeAhead(wanted: SlotList): void {
    while (!this.ahead.isEmpty && this.length < wanted.keys.length) {
      const { length: at, tree } = this;
      const key = wanted.keys[at]!;
      const isToken = key >= 0 && key < tree.tokenCount;
      const after = this.ahead.take({
        key,
        tokenId: isToken ? tree.tokens(key, key + 1)[0]! : -1,
        position: wanted.places.positions[at]!,
        deviation: wanted.places.deviations[at]!,
      });
      if (after === null) return;
      this.note(wanted, at, at + 1);
      this.length = at + 1;
      this.lastChoice = after;
    }
  }

  /** Whether the cache holds all of it, and nothing else. */
  private isAt({ wanted, common }: Target): boolean {
    return common === wanted.keys.length && common === this.length;
  }

  /**
   * Keep of the cache what can be kept.
   *
   * @returns from which slot on it must be run, at least the last one, and how many slots before were run.
   */
  private async keep(target: Target): Promise<{ readonly from: number; readonly filledSlots: number }> {
    const { session, layout, wanted, common } = target;
    // What follows the last slot is wanted even when all slots are there.
    const first = Math.min(common, wanted.keys.length - 1);
    // A context that only grew, as with every decoded token, has nothing to patch.
    const canPatch = this.mode === 'patch' && common < this.length;
    const patched = canPatch ? await this.patch(session, layout, wanted, first) : null;
    if (patched !== null) return { from: patched.keptTo, filledSlots: patched.filledSlots };
    this.cut(session, first);
    return { from: this.takeShared(target, first), filledSlots: 0 };
  }

  /**
   * Copy what another decoder has cached behind slot `first` where it ran the very slots that are wanted here.
   *
   * @returns up to which slot the cache then is right; the last one is left to be run.
   */
  private takeShared({ session, wanted }: Target, first: number): number {
    // A context that only grew, as with every decoded token, has nothing to share.
    if (this.mode !== 'exact' || first >= wanted.keys.length - 1) return first;
    let length = first;
    let lender: DecodeSession | null = null;
    for (const other of this.beside()) {
      if (other === this || other.mode !== 'exact' || other.gistInput !== this.gistInput) continue;
      const shared = Math.min(commonPrefix(other.cached, other.length, wanted), wanted.keys.length - 1);
      if (shared <= length) continue;
      length = shared;
      lender = other.session;
    }
    if (lender === null) return first;
    session.copyFrom(lender, length);
    this.note(wanted, first, length);
    this.length = length;
    return length;
  }

  /**
   * Move the slots that can be kept to their new places and run those between them.
   *
   * @returns up to which slot the cache then is right, and how many slots were run; null, nothing changed, if
   * no slot behind the first changed one can be kept.
   */
  private async patch(
    session: DecodeSession,
    layout: Layout,
    wanted: SlotList,
    first: number,
  ): Promise<{ readonly keptTo: number; readonly filledSlots: number } | null> {
    const sources = planPatch(this.cached, this.length, wanted, RERUN_SLOTS);
    const gaps = gapsOf(sources);
    const keptTo = gaps.at(-1)!.from;
    if (keptTo <= first) return null;
    session.rearrange(sources.subarray(0, keptTo));
    this.forgetLast();
    let filledSlots = 0;
    try {
      for (const gap of gaps.slice(0, -1)) {
        for (let from = gap.from; from < gap.to; from += PREFILL_SLOTS) {
          const to = Math.min(from + PREFILL_SLOTS, gap.to);
          this.length = from;
          await this.pause();
          const { positions, deviations } = placesOf(wanted, from, to);
          await session.fill(
            from,
            this.vectors.gather(layout, this.gistInput, from, to),
            positions,
            deviations,
          );
          filledSlots += to - from;
        }
      }
    } finally {
      // Given up within a gap: what stands behind it does not count.
      this.note(wanted, 0, keptTo);
    }
    this.length = keptTo;
    return { keptTo, filledSlots };
  }

  /** Run the slots `first..end-1`, to which the cache is right. @param want - of the last of them. */
  private async runTail(
    { session, layout, wanted }: Target,
    first: number,
    end: number,
    want: 'last' | 0,
  ): Promise<void> {
    let logits: Float32Array | null = null;
    for (let from = first; from < end; from += PREFILL_SLOTS) {
      if (from > first) await this.pause();
      const to = Math.min(from + PREFILL_SLOTS, end);
      const { positions, deviations } = placesOf(wanted, from, to);
      const vectors = this.vectors.gather(layout, this.gistInput, from, to);
      const reading = want === 0 ? undefined : this.reading;
      logits = await session.append(vectors, positions, to === end ? want : 0, deviations, reading);
      this.note(wanted, from, to);
      this.length = to;
    }
    this.forgetLast();
    this.lastLogits = want === 0 ? null : logits;
    this.lastAttention = want === 0 ? null : session.lastAttention;
  }

  /** Slots `from..to-1` hold now what is wanted there. */
  private note({ keys, places }: SlotList, from: number, to: number): void {
    this.cached.keys.set(keys.subarray(from, to), from);
    this.cached.places.positions.set(places.positions.subarray(from, to), from);
    this.cached.places.deviations.set(places.deviations.subarray(from, to), from);
  }

  /**
   * Mean negative log-likelihood, nats per token, of tokens that would follow the layout. The cache is left as
   * `sync` leaves it.
   */
  async scoreContinuation(layout: Layout, ids: Uint32Array, capacitySlots: number): Promise<number> {
    const { nll } = await this.readContinuation(layout, ids, capacitySlots);
    return nll.reduce((sum, nats) => sum + nats, 0) / nll.length;
  }

  /**
   * Read tokens that would follow the layout, each after those before it. The cache is left as `sync` leaves it.
   *
   * @param ids - 1 to `MAX_SCORED_TOKENS`.
   */
  async readContinuation(
    layout: Layout,
    ids: Uint32Array,
    capacitySlots: number,
  ): Promise<ContinuationReading> {
    const rows = await this.continuationRows(layout, ids, capacitySlots);
    return readContinuationRows(rows, ids, this.base.vocabularySize);
  }

  /** `[n, V]` logits, row i of token i as `readContinuation` has them; owned by the caller. */
  async continuationRows(layout: Layout, ids: Uint32Array, capacitySlots: number): Promise<Float32Array> {
    const { logits } = await this.sync(layout, capacitySlots);
    const session = this.session!;
    const inputs = ids.subarray(0, ids.length - 1);
    const vocabulary = this.base.vocabularySize;
    const rows = new Float32Array(ids.length * vocabulary);
    rows.set(logits);
    if (inputs.length > 0) {
      const { positions } = slotPositions(baseInput(layout, this.gistInput), this.scheme, inputs.length);
      rows.set(
        await session.append(this.base.embed(inputs), positions.subarray(this.length), 'all'),
        vocabulary,
      );
      session.truncate(this.length);
    }
    return rows;
  }

  /** Gists were made anew: forget the first slot that holds an old one, and what was read behind it. */
  forgetGists({ lod, first, count }: NodeRun): void {
    if (this.session === null) return;
    const firstKey = gistKey(lod, first * tokensPerEntry(lod));
    const slot = this.cached.keys
      .subarray(0, this.length)
      .findIndex((key) => key <= firstKey && key > firstKey - count);
    if (slot >= 0) this.cut(this.session, slot);
  }

  /** Forget everything. */
  reset(): void {
    if (this.session !== null) this.cut(this.session, 0);
  }

  dispose(): void {
    this.session?.dispose();
    this.session = null;
    this.length = 0;
    this.forgetLast();
  }

  private cut(session: DecodeSession, length: number): void {
    session.truncate(length);
    this.length = length;
    this.forgetLast();
  }

  /** What followed the last slot follows it no more. */
  private forgetLast(): void {
    this.lastLogits = this.lastAttention = this.lastHidden = this.lastChoice = null;
    this.ahead.clear();
  }

  private sessionFor(slots: number): DecodeSession {
    if (this.session !== null && this.session.capacitySlots >= slots + SLACK_SLOTS) return this.session;
    this.dispose();
    this.session = this.base.createDecodeSession(slots + SLACK_SLOTS);
    this.cached = emptySlots(slots + SLACK_SLOTS);
    return this.session;
  }
}

function emptySlots(count: number): SlotList {
  return {
    keys: new Float64Array(count),
    places: { positions: new Float64Array(count), deviations: new Float64Array(count) },
  };
}

function placesOf({ places }: SlotList, from: number, to: number) {
  return {
    positions: places.positions.subarray(from, to),
    deviations: places.deviations.subarray(from, to),
  };
}

/** What a gist's slot is known by: below every token's index, one less for each next gist of a level. */
function gistKey(lod: number, start: number): number {
  return -(spanIdOf(lod, start) + 1);
}

function slotKeys(layout: Layout): Float64Array {
  const keys = new Float64Array(layout.usedTokens);
  let slot = 0;
  for (const entry of layout.entries) {
    if (entry.lod > 0) keys[slot++] = gistKey(entry.lod, entry.start);
    else for (let token = entry.start; token < entry.end; token++) keys[slot++] = token;
  }
  return keys;
}
