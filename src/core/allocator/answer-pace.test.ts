import fc from 'fast-check';
import { expect, it } from 'vitest';
import { answerPace, totalWork } from './answer-pace.ts';

const WORK = { token: 100, refocus: 900, opening: 300, closing: 60, freeTokens: 0 };

it('refocuses at every block without a limit, whatever it costs', () => {
  expect(answerPace(0, 8, { ...WORK, refocus: 1e12 })).toEqual({ everyTokens: 32, maxActions: 8 });
});

it('refocuses as soon as a look and one block are paid for, and opens as many as are', () => {
  // 32 tokens at 15% are worth 480; 64: 960, less 120 for what is closed; 128: 1,920 less 240.
  expect(answerPace(15, 8, WORK)).toEqual({ everyTokens: 128, maxActions: 2 });
  expect(answerPace(15, 8, { ...WORK, freeTokens: 128 })).toEqual({ everyTokens: 128, maxActions: 3 });
  expect(answerPace(15, 1, WORK)).toEqual({ everyTokens: 128, maxActions: 1 });
  expect(answerPace(100, 8, WORK)).toEqual({ everyTokens: 32, maxActions: 7 });
  // Nothing may move: a look alone has to be paid for.
  expect(answerPace(15, 0, { ...WORK, refocus: 400 })).toEqual({ everyTokens: 32, maxActions: 0 });
});

it('leaves to the end of the turn what no share pays for', () => {
  expect(answerPace(15, 8, { ...WORK, refocus: 1e6 })).toEqual({ everyTokens: Infinity, maxActions: 0 });
  expect(answerPace(1, 8, { ...WORK, closing: 1000 })).toEqual({ everyTokens: Infinity, maxActions: 0 });
});

it('never takes more than the share', () => {
  const some = fc.integer({ min: 1, max: 1_000_000 });
  fc.assert(
    fc.property(
      fc.record({ token: some, refocus: some, opening: some, closing: some, freeTokens: fc.constant(0) }),
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 0, max: 64 }),
      (work, share, most) => {
        const { everyTokens, maxActions } = answerPace(share, most, work);
        expect(maxActions).toBeLessThanOrEqual(most);
        if (everyTokens === Infinity) return;
        const taken = work.refocus + maxActions * work.opening + (everyTokens / 32) * work.closing;
        expect(taken).toBeLessThanOrEqual((share / 100) * everyTokens * work.token + 1e-6);
      },
    ),
  );
});

it('adds up several contexts', () => {
  const both = { token: 200, refocus: 1800, opening: 600, closing: 120, freeTokens: 0 };
  expect(totalWork([WORK, { ...WORK, freeTokens: 99 }])).toEqual(both);
});
