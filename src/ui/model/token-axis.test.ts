import { expect, it } from 'vitest';
import { pinchTokens, tokenToX, wheelZoom } from './token-axis.ts';

const WIDTH = 1000;
const WHOLE = { start: 0, end: 10_000 };

it('zooms at the speed of the hand: a trackpad that spreads to twice shows half', () => {
  // Thirty events, as Chrome sends a spread to twice the distance.
  const each = (-100 * Math.log(2)) / 30;
  const factor = Array.from({ length: 30 }, () => wheelZoom(each, true)).reduce((all, one) => all * one, 1);
  expect(factor).toBeCloseTo(0.5, 6);
  expect(wheelZoom(100, false)).toBeCloseTo(1.17, 2);
});

it('keeps what lies between two fingers between them, while they spread and move', () => {
  const zoomed = pinchTokens(WHOLE, { x: 400, distance: 100 }, { x: 500, distance: 200 }, WIDTH, 10_000);
  expect(zoomed.end - zoomed.start).toBeCloseTo(5000, 6);
  expect(tokenToX(4000, zoomed, WIDTH)).toBeCloseTo(500, 6);
  expect(pinchTokens(WHOLE, { x: 10, distance: 100 }, { x: 10, distance: 100 }, WIDTH, 10_000)).toEqual(
    WHOLE,
  );
});
