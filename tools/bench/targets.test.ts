import { expect, it } from 'vitest';
import { rowOf } from './measure.ts';
import { readTable, withRows } from './table.ts';
import { targetLines, TARGET_SUITES, withTargets } from './targets.ts';

const rows = readTable(
  withRows('', [
    { suite: 'ingest', rows: [rowOf('ingest, refocus cadence block', [1190], 'tokens per CPU second')] },
    {
      suite: 'refocus',
      rows: [
        rowOf('focus overhead of 32 tokens, budget 2048 · Smollm2 135M', [14], '%'),
        rowOf('focus overhead of 32 tokens, budget 2048', [16], '%'),
      ],
    },
    { suite: 'bundle', rows: [rowOf('first load without weights, gzip', [638], 'kB')] },
    {
      suite: 'open',
      rows: [
        rowOf('142000 stored tokens, 970 refocuses: to the whole timeline', [1400], 'ms'),
        rowOf('142000 stored tokens, 970 refocuses: longest task', [60], 'ms'),
      ],
    },
  ]),
);

it('says of every aim what was measured, and whether that is enough', () => {
  const lines = targetLines(rows);
  expect(lines).toContain('| ingest by the block, tokens per CPU second | ≥ 900 | 1,190 | yes |');
  expect(lines).toContain('| first load without weights, kB gzip | ≤ 600 | 638 | no |');
  expect(lines).toContain('| 142,000 stored tokens to a full timeline, ms | ≤ 1,500 | 1,400 | yes |');
  expect(lines).toContain('| its longest task, ms | ≤ 50 | 60 | no |');
  expect(lines).toContain('| focus overhead of 32 tokens, tiny base, 2,048 slots, % | ≤ 15 | 16 | no |');
  expect(lines).toContain('| the same of SmolLM2, 2,048 slots, % | ≤ 15 | 14 | yes |');
  expect(lines.filter((line) => line.endsWith('| not measured | – |'))).toHaveLength(lines.length - 6);
  expect(TARGET_SUITES).toContain('refocus');
});

it('takes the place of the lines that a text has', () => {
  const text = withTargets('# Performance\n', rows);
  expect(withTargets(text, rows)).toBe(text);
  expect(withTargets(`${text}\nMore.\n`, [])).toContain('\nMore.');
  expect(withTargets(text, [])).not.toContain('1,190');
});
