/** Undoes a step's actions: the layout that the scores of that step belong to. Pure. */
import { K, tokensPerEntry } from '../../core/tree/ids.ts';
import type { ActionRecord, LayoutEntry } from '../../core/trace/telemetry.ts';
import { entryAtToken } from '../features/timeline/hit.ts';

/** The layout before the applied actions, newest undone first. Actions that cannot be undone are skipped. */
export function scoredLayout(
  after: readonly LayoutEntry[],
  actions: readonly ActionRecord[],
): readonly LayoutEntry[] {
  const applied = actions.filter((action) => action.applied);
  if (applied.length === 0) return after;
  const layout = [...after];
  for (const action of applied.reverse()) undo(layout, action);
  return layout;
}

function undo(layout: LayoutEntry[], action: ActionRecord): void {
  if (action.kind === 'evict') {
    layout.unshift([action.lod, action.start, action.end]);
    return;
  }
  const at = entryAtToken(layout, action.start);
  if (at < 0) return;
  if (action.kind === 'readmit') {
    layout.splice(at, 1);
    return;
  }
  if (action.kind === 'expand') {
    let count = 0;
    while ((layout[at + count]?.[1] ?? Number.POSITIVE_INFINITY) < action.end) count++;
    layout.splice(at, count, [action.lod, action.start, action.end]);
    return;
  }
  layout.splice(at, 1, ...children(action));
}

/** What a collapse replaced: one raw block for LOD1, else K siblings of the level below. */
function children({ toLod, start, end }: ActionRecord): LayoutEntry[] {
  if (toLod <= 1) return [[0, start, end]];
  const size = tokensPerEntry(toLod - 1);
  return Array.from({ length: K }, (_, i): LayoutEntry => [
    toLod - 1,
    start + i * size,
    start + (i + 1) * size,
  ]);
}
