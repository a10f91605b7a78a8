import { expect, it } from 'vitest';
import { levelPlaces } from './stream-gists.ts';

it('ends every level where its gists do, and spends no more than the budget on them', () => {
  const config = { recentTokens: 256, budgetTokens: 1024 };
  expect(levelPlaces(4096, config, 4)).toEqual([
    { lod: 1, recentStart: 3840, gists: 120 },
    { lod: 2, recentStart: 3072, gists: 3 },
  ]);
  expect(levelPlaces(65_536, config, 4)).toEqual([
    { lod: 1, recentStart: 65_280, gists: 768 },
    { lod: 2, recentStart: 64_512, gists: 63 },
    { lod: 3, recentStart: 32_768, gists: 1 },
  ]);
  expect(levelPlaces(280, config, 4)).toEqual([]);
});
