/** The tree around the selected node as text: what screen readers walk while the canvas shows the same. */
import { useMemo } from 'react';
import type { BlockRef } from '../../model/viewport.ts';
import type { SpanMark } from '../../../runtime/engine/protocol/protocol.ts';
import { formatPlural, formatSpan } from '../../words/format.ts';
import { type TreeShape, childrenOf, parentOf, siblingsOf } from './tree-walk.ts';
import { useSession } from '../../view/hooks.ts';

const NO_MARKS: readonly SpanMark[] = [];

export function nodeId({ lod, start }: BlockRef): string {
  return `tree-node-${lod}-${start}`;
}

/** Ancestors, then the siblings with the children of the focused one among them. */
function aroundOf(node: BlockRef, shape: TreeShape): readonly BlockRef[] {
  const path: BlockRef[] = [];
  for (let parent = parentOf(node, shape); parent; parent = parentOf(parent, shape)) path.unshift(parent);
  const siblings = siblingsOf(node, shape).flatMap((sibling) =>
    sibling.start === node.start ? [sibling, ...childrenOf(node, shape)] : [sibling],
  );
  return [...path, ...siblings];
}

export function TreeTwin({ node, shape }: { readonly node: BlockRef; readonly shape: TreeShape }) {
  const marks = useSession((state) => state.session?.marks ?? NO_MARKS);
  const { tokenCount, maxLod } = shape;
  const around = useMemo(() => aroundOf(node, { tokenCount, maxLod }), [node, tokenCount, maxLod]);
  const top = Math.max(...around.map(({ lod }) => lod));
  return around.map((each) => {
    const family = siblingsOf(each, shape);
    const isFocused = each.lod === node.lod && each.start === node.start;
    const isOpen = each.lod > node.lod || isFocused;
    return (
      <div
        key={nodeId(each)}
        id={nodeId(each)}
        role="treeitem"
        aria-level={top - each.lod + 1}
        aria-setsize={family.length}
        aria-posinset={family.findIndex(({ start }) => start === each.start) + 1}
        aria-selected={isFocused}
        {...(each.lod > 0 ? { 'aria-expanded': isOpen } : {})}
      >
        {nodeWords(each)}
        {markWords(each, marks)}
      </div>
    );
  });
}

/** `LOD2, tokens 1,024–2,048`. */
export function nodeWords({ lod, start, end }: BlockRef): string {
  const name = lod === 0 ? 'Raw block' : `LOD${lod} gist`;
  return `${name}, tokens ${formatSpan(start, end)} (${formatPlural(end - start, 'token')})`;
}

function markWords(block: BlockRef, marks: readonly SpanMark[]): string {
  return marks
    .filter(({ lod, start }) => lod === block.lod && start === block.start)
    .map(({ kind, name }) =>
      kind === 'tag' ? `, tagged ${name ?? ''}` : kind === 'pin' ? ', pinned' : ', forbidden to expand',
    )
    .join('');
}
