/** Says where a base cannot read a task at all, so that nobody takes its answers for a policy's failure. Pure. */
import type { Cell } from '../../../core/evaluation-report/report.ts';

/** Fewer answers than this with the gold blocks in context say that reading fails, whatever focus does. */
const MIN_READ = 0.1;

/** @param cells - of one task and length. @returns null where the gold blocks are read, or were not tried. */
export function readingNote(cells: readonly Cell[]): string | null {
  const gold = cells.find(({ policy }) => policy === 'gold')?.answered ?? null;
  if (gold === null || gold >= MIN_READ) return null;
  return `The base cannot read this task even with the gold blocks (${gold.toFixed(2)} answered): only the routing says something.`;
}
