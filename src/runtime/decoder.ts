/**
 * Keeps the base model's key-value cache in step with a working context. After a change only the slots from
 * the first changed one on are run again (`exact` mode); slots before it are never recomputed.
 */
import type { AttentionReading } from '../core/attention-record.ts';
import { spanIdOf, tokensPerEntry } from '../core/ids.ts';
import { ABSOLUTE_POSITIONS, slotPositions } from '../core/positions.ts';
import type { PositionScheme, SlotPositions } from '../core/positions.ts';
import type { GistTree } from '../core/tree.ts';
import type { Layout } from '../core/working-context.ts';
import type { DecodeSession, LanguageModel } from '../nn/ports.ts';
import { logSumExp } from './sampler.ts';

/** Slots run in one call: bounds the attention matrix, and how long a stop has to wait. */
const PREFILL_CHUNK = 256;
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
  /** How many slots were run for it. */
  readonly ranSlots: number;
}

export class Decoder {
  private session: DecodeSession | null = null;
  /** What each cached slot holds: a raw token's position, or minus (a gist's span id + 1). */
  private keys = new Float64Array(0);
  /** Where each cached slot was run; a slot that stands elsewhere now is another slot. */
  private places: SlotPositions = { positions: new Float64Array(0), deviations: new Float64Array(0) };
  private scheme: PositionScheme = ABSOLUTE_POSITIONS;
  private length = 0;
  private lastLogits: Float32Array | null = null;
  private lastAttention: Float32Array | null = null;
  private reading: AttentionReading | undefined;

  /** @param pause - awaited between the chunks of a prefill; may throw to give up. */
  constructor(
    private readonly base: LanguageModel,
    private readonly tree: GistTree,
    private readonly pause: () => Promise<void> = () => Promise.resolve(),
  ) {}

  /** Slots whose keys and values are cached. */
  get cachedSlots(): number {
    return this.length;
  }

  /** Positions from the next `sync` on; what then stands elsewhere is run again. */
  setPositions(scheme: PositionScheme): void {
    this.scheme = scheme;
  }

  /** Whether predictions made from now on read the attention. It never changes their logits. */
  readAttention(reading: AttentionReading | 'off'): void {
    this.reading = reading === 'off' ? undefined : reading;
  }

  /**
   * Make the cache hold exactly this layout.
   *
   * @param capacitySlots - the largest layout to expect; the cache is made anew only when it must grow.
   * @returns what follows it; its attention is null, too, if it was predicted before attention was read.
   */
  async sync(layout: Layout, capacitySlots: number): Promise<Prediction> {
    if (layout.usedTokens === 0) throw new RangeError('An empty working context predicts nothing.');
    const session = this.sessionFor(Math.max(capacitySlots, layout.usedTokens));
    const wanted = slotKeys(layout);
    const places = slotPositions(layout, this.scheme);
    const common = this.commonPrefix(wanted, places);
    if (common === wanted.length && common === this.length && this.lastLogits !== null) {
      return { logits: this.lastLogits, attention: this.lastAttention, ranSlots: 0 };
    }
    // The last slot's logits are wanted even when all slots are there.
    const first = Math.min(common, wanted.length - 1);
    this.cut(session, first);
    let logits: Float32Array | null = null;
    for (let from = first; from < wanted.length; from += PREFILL_CHUNK) {
      if (from > first) await this.pause();
      const to = Math.min(from + PREFILL_CHUNK, wanted.length);
      const positions = places.positions.subarray(from, to);
      const deviations = places.deviations.subarray(from, to);
      const want = to === wanted.length ? 'last' : 0;
      const vectors = this.gather(layout, from, to);
      logits = await session.append(vectors, positions, want, deviations, this.reading);
      this.keys.set(wanted.subarray(from, to), from);
      this.places.positions.set(positions, from);
      this.places.deviations.set(deviations, from);
      this.length = to;
    }
    this.lastLogits = logits!;
    this.lastAttention = session.lastAttention;
    return { logits: this.lastLogits, attention: this.lastAttention, ranSlots: wanted.length - first };
  }

  /**
   * Mean negative log-likelihood, nats per token, of tokens that would follow the layout. The cache is left as
   * `sync` leaves it.
   */
  async scoreContinuation(layout: Layout, ids: Uint32Array, capacitySlots: number): Promise<number> {
    const nlls = await this.tokenNlls(layout, ids, capacitySlots);
    return nlls.reduce((sum, nll) => sum + nll, 0) / nlls.length;
  }

  /**
   * `[ids.length]` negative log-likelihoods in nats, each token after those before it. The cache is left as
   * `sync` leaves it.
   *
   * @param ids - 1 to `MAX_SCORED_TOKENS`.
   */
  async tokenNlls(layout: Layout, ids: Uint32Array, capacitySlots: number): Promise<Float64Array> {
    const { logits } = await this.sync(layout, capacitySlots);
    const first = logits.slice();
    const session = this.session!;
    const inputs = ids.subarray(0, ids.length - 1);
    const vocabulary = this.base.vocabularySize;
    const nlls = new Float64Array(ids.length);
    nlls[0] = logSumExp(first) - first[ids[0]!]!;
    if (inputs.length > 0) {
      const { positions } = slotPositions(layout, this.scheme, inputs.length);
      const rows = await session.append(this.base.embed(inputs), positions.subarray(this.length), 'all');
      session.truncate(this.length);
      for (let i = 0; i < inputs.length; i++) {
        const row = rows.subarray(i * vocabulary, (i + 1) * vocabulary);
        nlls[i + 1] = logSumExp(row) - row[ids[i + 1]!]!;
      }
    }
    return nlls;
  }

  /** Forget everything, for example when gists were recomputed. */
  reset(): void {
    if (this.session !== null) this.cut(this.session, 0);
  }

  dispose(): void {
    this.session?.dispose();
    this.session = null;
    this.length = 0;
    this.lastLogits = this.lastAttention = null;
  }

  private cut(session: DecodeSession, length: number): void {
    session.truncate(length);
    this.length = length;
    this.lastLogits = this.lastAttention = null;
  }

  private sessionFor(slots: number): DecodeSession {
    if (this.session !== null && this.session.capacitySlots >= slots + SLACK_SLOTS) return this.session;
    this.dispose();
    this.session = this.base.createDecodeSession(slots + SLACK_SLOTS);
    this.keys = new Float64Array(slots + SLACK_SLOTS);
    this.places = {
      positions: new Float64Array(slots + SLACK_SLOTS),
      deviations: new Float64Array(slots + SLACK_SLOTS),
    };
    return this.session;
  }

  /** How many cached slots hold what is wanted, where it is wanted. */
  private commonPrefix(wanted: Float64Array, { positions, deviations }: SlotPositions): number {
    const most = Math.min(this.length, wanted.length);
    const { keys, places } = this;
    let common = 0;
    while (
      common < most &&
      keys[common] === wanted[common] &&
      places.positions[common] === positions[common] &&
      places.deviations[common] === deviations[common]
    ) {
      common++;
    }
    return common;
  }

  /** `[to - from, d]` vectors of the layout's slots `from..to-1`. */
  private gather(layout: Layout, from: number, to: number): Float32Array {
    const d = this.tree.hiddenSize;
    const embeddings = new Float32Array((to - from) * d);
    let slot = 0;
    for (const entry of layout.entries) {
      const first = Math.max(slot, from);
      const end = Math.min(slot + entry.cost, to);
      if (first < end && entry.lod === 0) {
        const start = entry.start + first - slot;
        const ids = this.tree.tokens(start, start + end - first);
        embeddings.set(this.base.embed(ids), (first - from) * d);
      } else if (first < end) {
        const index = entry.start / tokensPerEntry(entry.lod);
        this.tree.readGists(entry.lod, index, 1, embeddings, (first - from) * d);
      }
      slot += entry.cost;
      if (slot >= to) break;
    }
    return embeddings;
  }
}

function slotKeys(layout: Layout): Float64Array {
  const keys = new Float64Array(layout.usedTokens);
  let slot = 0;
  for (const entry of layout.entries) {
    if (entry.lod > 0) keys[slot++] = -(spanIdOf(entry.lod, entry.start) + 1);
    else for (let token = entry.start; token < entry.end; token++) keys[slot++] = token;
  }
  return keys;
}
