/** What the tree's nodes count of a refocus: accesses, residency, expansions, collapses. */
import { tokensPerEntry } from '../tree/ids.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import type { Layout } from '../context/working-context.ts';
import type { ActionRecord } from '../trace/telemetry.ts';

/** Access counts and moves of one step go into the tree's metadata columns. Nodes that the tree has not are skipped. */
export function countInTree(
  tree: GistTree,
  layout: Layout,
  actions: readonly ActionRecord[],
  step: number,
): void {
  for (let i = 0; i < layout.entries.length; i++) {
    const { lod, start } = layout.entries[i]!;
    const row = start / tokensPerEntry(lod);
    if (lod > tree.maxLod || row >= tree.metadata(lod).length) continue;
    tree.metadata(lod).recordAccess(row, step, layout.residency[i]!);
  }
  for (const { applied, kind, lod, start } of actions) {
    if (!applied || (kind !== 'expand' && kind !== 'collapse') || lod > tree.maxLod) continue;
    const columns = tree.metadata(lod);
    const row = start / tokensPerEntry(lod);
    if (row >= columns.length) continue;
    const column = kind === 'expand' ? columns.expansions : columns.collapses;
    column.set(row, column.get(row) + 1);
  }
}
