/** A block as the outside names it, checked against the tree. */
import { type BlockSpan, tokensPerEntry } from '../../../core/tree/ids.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { EngineError } from '../messages/errors.ts';

/**
 * Check a span that came from outside against the tree.
 *
 * @throws {EngineError} `bad-span` if the tree has no such block.
 */
export function checkBlock(tree: GistTree, { lod, start, end }: BlockSpan): void {
  const span = tokensPerEntry(lod);
  const isKnown = lod === 0 ? start < tree.tokenCount : start / span < tree.countAt(lod);
  const isAligned =
    start % span === 0 && end === Math.min(start + span, lod === 0 ? tree.tokenCount : Infinity);
  if (isKnown && isAligned) return;
  throw new EngineError(
    'bad-span',
    `The history of ${tree.tokenCount} tokens has no LOD${lod} block at ${start}..${end}.`,
    'Nothing was changed.',
    'Choose a block that is shown.',
  );
}
