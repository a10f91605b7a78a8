import { expect, it } from 'vitest';
import { REFOCUS_CADENCES } from '../parameters/allocator.ts';
import {
  BULK_TEXT_TOKENS,
  LONG_TEXT_TOKENS,
  isRefocusDue,
  nextPieceTokens,
  refocusEveryTokens,
} from './refocus-cadence.ts';

it('refocuses the more rarely by itself the more text waits, and at every block where someone watches', () => {
  const every = (waitingTokens: number, isPaced = false) =>
    refocusEveryTokens('automatic', { waitingTokens, isPaced });
  expect(
    [0, LONG_TEXT_TOKENS - 1, LONG_TEXT_TOKENS, BULK_TEXT_TOKENS - 1, BULK_TEXT_TOKENS].map((n) => every(n)),
  ).toEqual([32, 32, 256, 256, 1024]);
  expect(every(10 * BULK_TEXT_TOKENS, true)).toBe(32);
});

it('keeps to what was chosen whatever waits', () => {
  for (const waitingTokens of [0, 10 * BULK_TEXT_TOKENS]) {
    for (const isPaced of [false, true]) {
      const waiting = { waitingTokens, isPaced };
      expect(REFOCUS_CADENCES.slice(1).map((cadence) => refocusEveryTokens(cadence, waiting))).toEqual([
        32,
        256,
        1024,
        Infinity,
      ]);
    }
  }
});

it.each([32, 256, 1024, Infinity])(
  'cuts pieces of every %s tokens so that none passes a place that is due',
  (every) => {
    let tokens = 77;
    const due: number[] = [];
    for (let piece = 0; piece < 200; piece++) {
      const next = tokens + nextPieceTokens(every, tokens);
      expect(next - tokens).toBeLessThanOrEqual(1024);
      for (let at = tokens + 1; at < next; at++) expect(isRefocusDue(every, at)).toBe(false);
      tokens = next;
      if (isRefocusDue(every, tokens)) due.push(tokens);
    }
    expect(due.length).toBe(Number.isFinite(every) ? 200 : 0);
  },
);
