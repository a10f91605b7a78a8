/** What a working context is called where a run has several. */
import { STAGING_HEAD } from '../../core/heads/head-specs.ts';

export function headName(head: number): string {
  return head === STAGING_HEAD ? 'Staging' : `Head ${head}`;
}
