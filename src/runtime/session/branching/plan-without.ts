/** Plans a session in which everything is done again that was done in a stored one, but for one document. Pure. */
import { K } from '../../../core/tree/ids.ts';
import { CHAT_OPENING, isOfChat, isOfDocument } from '../../../core/tree/provenance.ts';
import type { StoredSession } from '../../../storage/ports.ts';
import { EngineError } from '../messages/errors.ts';
import { type BranchPlan, type ReplayAct, planFromStart } from './branch-plan.ts';

/**
 * The whole run without the document's tokens. What was done by hand to blocks behind it is left out: other tokens
 * stand in their places.
 *
 * @throws {EngineError} `bad-span` if the history holds no such document.
 */
export function planWithout(
  stored: StoredSession,
  documentId: string,
): { readonly plan: BranchPlan; readonly without: string } {
  const runs = stored.provenance.filter((run) => isOfDocument(run, documentId));
  const [first] = runs;
  if (first === undefined || isOfChat(documentId)) {
    throw new EngineError('bad-span', 'The history holds no such document.');
  }
  const whole = planFromStart(stored);
  const movedFrom = Math.floor(first.start / K) * K;
  let leftOut = 0;
  const staysPossible = (act: ReplayAct): boolean => {
    if (act.kind === 'ingest') {
      // The opening of the chat is written by the session itself.
      return !isOfDocument(act.origin, documentId) && act.origin.documentId !== CHAT_OPENING;
    }
    if (act.kind === 'hide') return act.documentId !== documentId;
    if (act.kind !== 'move' && act.kind !== 'mark') return true;
    const { end } = act.kind === 'move' ? act.action : act.mark;
    const stays = end <= movedFrom;
    if (!stays) leftOut++;
    return stays;
  };
  const acts = whole.acts.filter(staysPossible);
  const notes =
    leftOut === 0
      ? whole.notes
      : [...whole.notes, `${leftOut} acts by hand on blocks behind the document were left out.`];
  const removed = runs.reduce((sum, { start, end }) => sum + end - start, 0);
  return {
    without: first.title,
    plan: {
      ...whole,
      acts,
      notes,
      batch: {},
      cursor: 0,
      pending: stored.pending.filter((text) => text.documentId !== documentId),
      totalTokens: whole.totalTokens - removed,
    },
  };
}
