/** Makes recorded actions again, or undoes them, in a draft: the records of a trace turned back into moves. Pure. */
import type { BlockSpan, Lod } from '../tree/ids.ts';
import { DraftLayout, NONE } from '../context/draft-layout.ts';
import { apply } from '../context/moves.ts';
import { entryAt, layoutOf } from '../context/working-context.ts';
import type { Layout } from '../context/working-context.ts';
import { toLayoutEntries } from './layout-delta.ts';
import type { ActionRecord, LayoutEntry } from './telemetry.ts';

/** A layout as traces store it, with everything that follows from its entries. */
export function layoutFromEntries(entries: readonly LayoutEntry[]): Layout {
  return layoutOf(entries.map(([lod, start, end]) => entryAt(lod as Lod, start, end)));
}

/** Make an applied action again. @returns false, nothing changed, if the draft has not what it needs. */
export function redo(draft: DraftLayout, { kind, lod, start, end }: ActionRecord): boolean {
  const span = { lod, start, end };
  if (kind === 'evict') return evict(draft, span);
  if (kind === 'readmit') return readmit(draft, span);
  return kind === 'expand' ? split(draft, span) : merge(draft, span);
}

/** Undo an applied action. @returns false, nothing changed, if the draft has not what it left. */
export function undo(draft: DraftLayout, { kind, lod, start, end }: ActionRecord): boolean {
  const span = { lod, start, end };
  if (kind === 'evict') return readmit(draft, span);
  if (kind === 'readmit') return evict(draft, span);
  return kind === 'expand' ? merge(draft, span) : split(draft, span);
}

/**
 * The layout that the scores of a step belong to: before its applied actions, newest undone first. Actions that
 * cannot be undone are skipped.
 */
export function scoredLayout(
  after: readonly LayoutEntry[],
  actions: readonly ActionRecord[],
): readonly LayoutEntry[] {
  const applied = actions.filter((action) => action.applied);
  if (applied.length === 0) return after;
  const draft = new DraftLayout(layoutFromEntries(after));
  for (const action of applied.reverse()) undo(draft, action);
  return toLayoutEntries(draft.toLayout().entries);
}

function split(draft: DraftLayout, { lod, start }: BlockSpan): boolean {
  const node = draft.nodeAt(start);
  if (lod < 1 || node === NONE || draft.lod[node] !== lod || draft.start[node] !== start) return false;
  apply(draft, 'expand', node);
  return true;
}

function merge(draft: DraftLayout, { lod, start }: BlockSpan): boolean {
  const node = draft.nodeAt(start);
  if (node === NONE || draft.lod[node] !== lod - 1 || draft.start[node] !== start) return false;
  if (draft.isOpenTail(node) || draft.firstSibling(node) !== node) return false;
  apply(draft, 'collapse', node);
  return true;
}

function evict(draft: DraftLayout, { lod, start }: BlockSpan): boolean {
  const node = draft.first;
  if (node === NONE || draft.lod[node] !== lod || draft.start[node] !== start) return false;
  draft.evictFirst();
  return true;
}

function readmit(draft: DraftLayout, span: BlockSpan): boolean {
  if (draft.first !== NONE && draft.start[draft.first] !== span.end) return false;
  draft.admitFirst(span);
  return true;
}
