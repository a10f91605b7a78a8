/** Says in words why a move by hand was refused. */
import { explainObstacle, moveRules, refuse } from '../../../core/context/moves.ts';
import type { ActionRecord } from '../../../core/trace/telemetry.ts';
import { indexOfEntry } from '../../../core/context/working-context.ts';
import type { Head } from './head.ts';
import type { BlockSpan } from '../../../core/tree/ids.ts';

/** One sentence for people. */
export function explainRefusal(head: Head, refused: ActionRecord, block: BlockSpan): string {
  const name = `LOD${block.lod} ${block.start}..${block.end}`;
  if (refused.reason === 'no-budget') {
    return `${name} cannot expand: ${refused.missingTokens ?? 0} tokens of budget are missing.`;
  }
  if (refused.reason === 'forbidden')
    return `${name} may not expand: you forbade it, or a gist that holds it, or hid its document.`;
  if (refused.reason === 'pinned') return `${name} is pinned, so it cannot collapse.`;
  const { layout, tree, parameters } = head;
  const index = indexOfEntry(layout, block.lod, block.start);
  const entry = layout.entries[index];
  if (entry === undefined) return `${name} is not in the working context.`;
  const kind = refused.kind === 'expand' ? 'expand' : 'collapse';
  const obstacle = refuse(layout, kind, index, moveRules(layout, tree, parameters));
  return `${name} cannot ${kind}: ${explainObstacle(obstacle)}`;
}
