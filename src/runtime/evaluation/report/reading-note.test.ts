import { expect, it } from 'vitest';
import { cellOf } from './cell.ts';
import { readingNote } from './reading-note.ts';

const cell = (policy: string, answered: number) =>
  cellOf('ruler', {
    task: 'vt',
    policy,
    templates: null,
    historyTokens: 4096,
    budgetTokens: 1024,
    heads: 1,
    clusters: [{ cluster: 'a', n: 20, figures: { answered: [20, answered] } }],
  });

it('speaks up where the gold blocks are not read, and nowhere else', () => {
  expect(readingNote([cell('lensnet', 0), cell('gold', 1)])).toContain('cannot read');
  expect(readingNote([cell('lensnet', 0), cell('gold', 12)])).toBeNull();
  expect(readingNote([cell('lensnet', 0)])).toBeNull();
});
