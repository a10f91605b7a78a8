/** How much work an evaluation is, and about how long it takes. Pure. */
import type { EvaluationRequest } from '../../../runtime/engine/protocol/evaluation.ts';

export interface WorkEstimate {
  readonly answers: number;
  /** Tokens of all histories, each compressed once. */
  readonly compressedTokens: number;
  /** Slots of working contexts that the base reads, at most. */
  readonly readSlots: number;
  /** Milliseconds; null while nothing is known of this machine. */
  readonly durationMs: number | null;
}

/** The runner asks about this many questions of one history. */
const QUESTIONS_PER_HISTORY = 10;
/** Compressing a token costs about 0.7 of reading one slot (both measured on the tiny base with WASM). */
const SLOTS_PER_COMPRESSED_TOKEN = 0.7;

/** What a suite without policies and ways to read compares: the ways of placing slots. */
const PLACEMENTS = 4;

/**
 * @param msPerSlot - milliseconds per slot of work as the last finished run measured it; null before any.
 */
export function estimateWork(options: EvaluationRequest, msPerSlot: number | null): WorkEstimate {
  const { tasks, historyTokens, samples, budgetTokens } = options;
  const contenders = options.policies.length || options.arms.length || PLACEMENTS;
  const answers = tasks.length * contenders * historyTokens.length * samples;
  const histories = tasks.length * Math.ceil(samples / QUESTIONS_PER_HISTORY);
  const compressedTokens = histories * historyTokens.reduce((sum, tokens) => sum + tokens, 0);
  const readSlots =
    tasks.length *
    contenders *
    samples *
    historyTokens.reduce((sum, tokens) => sum + Math.min(tokens, budgetTokens), 0);
  const work = slotsOfWork({ compressedTokens, readSlots });
  const durationMs = msPerSlot === null ? null : work * msPerSlot;
  return { answers, compressedTokens, readSlots, durationMs };
}

/** One figure for all work, so that a finished run tells how long the next one takes. */
export function slotsOfWork({
  compressedTokens,
  readSlots,
}: Pick<WorkEstimate, 'compressedTokens' | 'readSlots'>): number {
  return readSlots + SLOTS_PER_COMPRESSED_TOKEN * compressedTokens;
}
