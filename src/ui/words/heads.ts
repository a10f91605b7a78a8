/** What a working context is called where a run has several. */
import { STAGING_HEAD } from '../../core/heads/head-specs.ts';

export function headName(head: number): string {
  return head === STAGING_HEAD ? 'Staging' : `Head ${head}`;
}

/** Several of them, in the order given; they are never none. */
export function headNames(heads: readonly number[]): string {
  if (heads.length === 1) return headName(heads[0]!);
  return `Heads ${heads.slice(0, -1).join(', ')} and ${heads.at(-1)!}`;
}
