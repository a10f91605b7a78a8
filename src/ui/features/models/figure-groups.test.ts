import { expect, it } from 'vitest';
import { groupFigures } from './figure-groups.ts';

const figure = (name: string) => ({ name, value: 1, n: 2, ci95: [0, 1], command: 'npm run eval' });

it('groups figures by suite and task, in order, and leaves plain names alone', () => {
  const { single, groups } = groupFigures(
    ['recall.single.bm25.1x', 'gapRecovered', 'topics.stay.full.1x', 'recall.single.gold.1x', 'a.b'].map(
      figure,
    ),
  );
  expect(single.map(({ name }) => name)).toEqual(['gapRecovered', 'a.b']);
  expect(groups.map(({ title, figures }) => [title, figures.map(({ name }) => name)])).toEqual([
    ['recall · single', ['bm25 · 1x', 'gold · 1x']],
    ['topics · stay', ['full · 1x']],
  ]);
});
