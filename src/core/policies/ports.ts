/** What core asks of the outside: the tensor view that a scorer reads, and the scorer itself. */
import type { Entry } from '../context/entry.ts';

/** Entry features per slot, in the order of docs/models.md. */
export const SLOT_FEATURES = 12;

/**
 * The working context as tensors. N slots = the sum of entry costs; borrowed by the scorer, never kept.
 * An LOD0 block is one slot a token, a gist is one slot.
 */
export interface SlotView {
  readonly entries: readonly Entry[];
  readonly slotCount: number;
  readonly hiddenSize: number;
  /** `[N, d]` token embeddings and gists: what the base model reads. */
  readonly embeddings: Float32Array;
  /** `[N, d]` the gist itself, or for LOD0 slots their block's LOD1 gist (open tail: mean embedding). */
  readonly blockVectors: Float32Array;
  /** `[N, SLOT_FEATURES]`. */
  readonly features: Float32Array;
  /** `[N]` absolute indices; a gist sits at its span's centre, `start + span/2`. */
  readonly positions: Float64Array;
  /** `[N]` index into `entries`. */
  readonly entryOfSlot: Uint32Array;
  /** `[m, d]` embeddings of the last m tokens of history, oldest first. */
  readonly tail: Float32Array;
  readonly tailCount: number;
  /** The next token's absolute index. */
  readonly cursor: number;
  /** The refocus step that is being scored; absent outside a run. */
  readonly step?: number;
}

/** Scores every slot in [-1, 1]; core reduces slots to entries by their mean. */
export interface Scorer {
  readonly id: string;
  score(view: SlotView): Promise<Float32Array>;
}
