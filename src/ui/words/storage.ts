/** What becomes of a session's data, in a badge's words. Pure. */
import type { BootReport } from '../../runtime/engine/protocol/protocol.ts';

/** @param isSaved - false while storage refuses what the open session writes. */
export function storageWords(kind: BootReport['storage']['kind'] | null, isSaved: boolean): string {
  if (kind === null) return 'Storage…';
  if (kind === 'memory') return 'Memory only';
  return isSaved ? 'Saved here' : 'Saving fails';
}
