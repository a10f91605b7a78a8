/** When focus is renewed while text is read: the rule behind the parameter `refocusCadence`. Pure. */
import type { RefocusCadence } from '../parameters/allocator.ts';
import { K } from '../tree/ids.ts';

/** From this many waiting tokens on, `automatic` refocuses every 256 tokens, and every 1,024. */
export const LONG_TEXT_TOKENS = 16_384;
export const BULK_TEXT_TOKENS = 131_072;

/** Read at most in one step: one page, whose gists GistNet makes in one call. */
const PAGE_TOKENS = K * K;

/** What is known of the text when its next piece is due. */
export interface Waiting {
  readonly waitingTokens: number;
  /** Whether someone set a pace, and so watches every step. */
  readonly isPaced: boolean;
}

/** Tokens from one refocus to the next, a multiple of K; Infinity: only once the text ends. */
export function refocusEveryTokens(cadence: RefocusCadence, { waitingTokens, isPaced }: Waiting): number {
  switch (cadence) {
    case 'block':
      return K;
    case '256':
      return 256;
    case '1024':
      return 1024;
    case 'end':
      return Infinity;
    case 'automatic':
      if (isPaced || waitingTokens < LONG_TEXT_TOKENS) return K;
      return waitingTokens < BULK_TEXT_TOKENS ? 256 : 1024;
  }
}

/** How many tokens the next piece holds at most: up to where a refocus is due, or a page. */
export function nextPieceTokens(everyTokens: number, tokenCount: number): number {
  const step = Math.min(everyTokens, PAGE_TOKENS);
  return step - (tokenCount % step);
}

/** Whether a history of this length is due for a refocus; the end of the text is, besides. */
export function isRefocusDue(everyTokens: number, tokenCount: number): boolean {
  return Number.isFinite(everyTokens) && tokenCount % everyTokens === 0;
}
