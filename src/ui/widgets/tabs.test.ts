import { expect, it } from 'vitest';
import { tabReached } from './tabs.tsx';

it.each([
  ['ArrowRight', 0, 1],
  ['ArrowRight', 2, 0],
  ['ArrowLeft', 0, 2],
  ['Home', 2, 0],
  ['End', 0, 2],
  ['Enter', 1, -1],
])('%s from tab %i of three leads to %i', (key, at, reached) => {
  expect(tabReached(key, at, 3)).toBe(reached);
});
