/** Walking the gist tree by position alone: parents, children, siblings. Pure; knows no metadata. */
import { K, tokensPerEntry } from '../../../core/tree/ids.ts';
import type { BlockRef } from '../../model/viewport.ts';

/** What the tree is known to hold. */
export interface TreeShape {
  readonly tokenCount: number;
  readonly maxLod: number;
}

export type Step = 'parent' | 'child' | 'next' | 'previous' | 'first' | 'last';

/** How many nodes a level has; the open tail counts at LOD0. */
export function nodesAt(lod: number, { tokenCount, maxLod }: TreeShape): number {
  if (lod > maxLod) return 0;
  return lod === 0 ? Math.ceil(tokenCount / K) : Math.floor(tokenCount / tokensPerEntry(lod));
}

/** The coarsest level that has a node, or -1 for an empty tree. */
export function coarsestLevel(shape: TreeShape): number {
  for (let lod = shape.maxLod; lod >= 0; lod--) if (nodesAt(lod, shape) > 0) return lod;
  return -1;
}

/** The node of a level at an index, or null. */
export function nodeOf(lod: number, index: number, shape: TreeShape): BlockRef | null {
  if (index < 0 || index >= nodesAt(lod, shape)) return null;
  const span = tokensPerEntry(lod);
  return { lod, start: index * span, end: Math.min((index + 1) * span, shape.tokenCount) };
}

/** The node of a level that holds a token, or null. */
export function nodeAtToken(lod: number, token: number, shape: TreeShape): BlockRef | null {
  return nodeOf(lod, Math.floor(token / tokensPerEntry(lod)), shape);
}

export function parentOf(node: BlockRef, shape: TreeShape): BlockRef | null {
  return nodeAtToken(node.lod + 1, node.start, shape);
}

/** K gists, the one raw block below LOD1, nothing below a raw block. */
export function childrenOf(node: BlockRef, shape: TreeShape): readonly BlockRef[] {
  if (node.lod === 0) return [];
  const lod = node.lod - 1;
  const count = lod === 0 ? 1 : K;
  const first = node.start / tokensPerEntry(lod);
  return Array.from({ length: count }, (_, i) => nodeOf(lod, first + i, shape)).filter(
    (child) => child !== null,
  );
}

/** The nodes that share a parent with this one, itself among them; without a parent, those of its level that have none. */
export function siblingsOf(node: BlockRef, shape: TreeShape): readonly BlockRef[] {
  const parent = parentOf(node, shape);
  if (parent !== null) return childrenOf(parent, shape);
  const first = nodesAt(node.lod + 1, shape) * (node.lod === 0 ? 1 : K);
  const count = Math.max(0, nodesAt(node.lod, shape) - first);
  return Array.from({ length: count }, (_, i) => nodeOf(node.lod, first + i, shape)).filter(
    (each) => each !== null,
  );
}

/** Where a step leads; the node itself where there is nothing. */
export function walk(node: BlockRef, step: Step, shape: TreeShape): BlockRef {
  const index = Math.floor(node.start / tokensPerEntry(node.lod));
  const found = {
    parent: () => parentOf(node, shape),
    child: () => childrenOf(node, shape)[0] ?? null,
    next: () => nodeOf(node.lod, index + 1, shape),
    previous: () => nodeOf(node.lod, index - 1, shape),
    first: () => nodeOf(node.lod, 0, shape),
    last: () => nodeOf(node.lod, nodesAt(node.lod, shape) - 1, shape),
  }[step]();
  return found ?? node;
}
