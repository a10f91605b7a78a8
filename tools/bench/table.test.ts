import { expect, it } from 'vitest';
import { rowOf } from './measure.ts';
import { modelOf, ofModel, readTable, regressions, withRows } from './table.ts';

const measured = (speed: number, ms: number) => [
  {
    suite: 'ingest',
    rows: [rowOf('by the block', [speed - 100, speed, speed + 50], 'tokens per CPU second')],
  },
  { suite: 'open', rows: [rowOf('to a full timeline', [ms], 'ms')] },
];

it('writes a table that it reads back, and replaces the rows of a suite without touching the rest', () => {
  const first = withRows('# Performance\n\nWords.\n', measured(1200, 1500));
  expect(first).toContain('| ingest | by the block | 1,200 tokens per CPU second | 1,100–1,250 | 3 |');
  const second = withRows(`${first}\nMore words.\n`, [measured(1300, 0)[0]!]);
  expect(readTable(second)).toEqual([
    { suite: 'open', name: 'to a full timeline', value: 1500, unit: 'ms' },
    { suite: 'ingest', name: 'by the block', value: 1300, unit: 'tokens per CPU second' },
  ]);
  expect(second.startsWith('# Performance\n\nWords.\n')).toBe(true);
  expect(second).toContain('\nMore words.');
});

it('keeps the rows of one model where those of another are written', () => {
  const rows = [rowOf('a token', [20], 'ms')];
  const both = withRows(withRows('', [{ suite: 'decode', rows }]), [
    { suite: 'decode', rows: ofModel(rows, 'SmolLM2') },
  ]);
  const again = withRows(both, [{ suite: 'decode', rows: [rowOf('a token', [3], 'ms')] }]);
  expect(readTable(again).map(({ name, value }) => [name, value])).toEqual([
    ['a token · SmolLM2', 20],
    ['a token', 3],
  ]);
  expect(readTable(again).map(modelOf)).toEqual(['SmolLM2', '']);
});

it('says what became slower or longer, beyond noise, and nothing else', () => {
  const table = (speed: number, ms: number) => readTable(withRows('', measured(speed, ms)));
  const before = table(1200, 1500);
  expect(regressions(before, table(1150, 1600))).toEqual([]);
  expect(regressions(before, table(2400, 700))).toEqual([]);
  expect(regressions(before, table(600, 3000))).toEqual([
    'ingest: by the block was 1,200 tokens per CPU second and is 600, 100% worse.',
    'open: to a full timeline was 1,500 ms and is 3,000, 100% worse.',
  ]);
});
