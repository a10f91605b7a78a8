/** What was asked last, while it is near: whether somebody waits for an answer, or text only streams in. */
import type { ProvenanceRun } from './provenance.ts';

/** A question further back than this is no longer what the newest tokens are about. */
export const QUESTION_REACH_TOKENS = 256;

/** The last user turn before a cursor, at most its last `QUESTION_REACH_TOKENS`; null where none ends within so many. */
export function questionAt(
  tree: { provenanceOf: (start: number, end: number) => readonly ProvenanceRun[] },
  cursor: number,
): { readonly start: number; readonly end: number } | null {
  const near = tree.provenanceOf(Math.max(0, cursor - QUESTION_REACH_TOKENS), cursor);
  const question = near.findLast(({ start, role }) => role === 'user' && start < cursor);
  if (question === undefined) return null;
  const end = Math.min(question.end, cursor);
  return { start: Math.max(question.start, end - QUESTION_REACH_TOKENS), end };
}
