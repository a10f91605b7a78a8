/**
 * How long work must take at least on a machine (Williams, Waterman and Patterson 2009, "Roofline"): its bytes at the
 * machine's bandwidth, its arithmetic at the machine's peak, whichever is longer, and the start of its kernels. Pure.
 */
import type { AnswerCosts, ProfileRow } from './profile.ts';

/** As a short probe measured them. */
export interface MachineLimits {
  readonly bytesPerSecond: number;
  readonly flopsPerSecond: number;
  /** What starting one kernel takes. */
  readonly dispatchMs: number;
  /** What one record of the profile takes. */
  readonly recordMs: number;
}

export interface Bound {
  readonly ms: number;
  /** What holds it up most. */
  readonly by: 'bandwidth' | 'arithmetic' | 'dispatches';
}

/** @returns null where bytes or arithmetic are not known, or nothing was done. */
export function boundOf(
  { bytes, flops, dispatches, calls }: Pick<ProfileRow, 'bytes' | 'flops' | 'dispatches' | 'calls'>,
  { bytesPerSecond, flopsPerSecond, dispatchMs }: MachineLimits,
): Bound | null {
  if (bytes === null || flops === null || calls === 0) return null;
  const bandwidthMs = (1000 * bytes) / bytesPerSecond;
  const arithmeticMs = (1000 * flops) / flopsPerSecond;
  const startMs = dispatches * dispatchMs;
  const ms = Math.max(bandwidthMs, arithmeticMs) + startMs;
  if (ms === 0) return null;
  if (startMs > Math.max(bandwidthMs, arithmeticMs)) return { ms, by: 'dispatches' };
  return { ms, by: bandwidthMs >= arithmeticMs ? 'bandwidth' : 'arithmetic' };
}

/** What focus costs while an answer is decoded. */
export interface FocusCost {
  readonly tokens: number;
  /** Of the base alone, a token. */
  readonly decodeMs: number;
  /** Score, allocate, assemble and repair of the cache, a token. */
  readonly focusMs: number;
  /** The second as a share of the first. */
  readonly share: number;
}

/** @returns null before an answer of two tokens. */
export function focusCost({
  plainTokens,
  plainMs,
  repairTokens,
  repairMs,
  focusMs,
}: AnswerCosts): FocusCost | null {
  if (plainTokens === 0 || plainMs <= 0) return null;
  const decodeMs = plainMs / plainTokens;
  const tokens = plainTokens + repairTokens;
  // A token that found its context changed is decoded as well: the rest of its time is the repair.
  const repaired = Math.max(0, repairMs - repairTokens * decodeMs);
  const perToken = (focusMs + repaired) / tokens;
  return { tokens, decodeMs, focusMs: perToken, share: perToken / decodeMs };
}
