/** Finds the nodes that a filter means, in the order that is asked for. */
import type { GistTree } from '../gist-tree.ts';
import { type Lod, tokensPerEntry } from '../ids.ts';
import type { NodeMeasure } from '../node-columns.ts';
import { type NodeFilter, nodeTest } from './node-filter.ts';

/** `place`: as the tree is walked, a gist before what it stands for. */
export interface NodeOrder {
  readonly by: 'place' | NodeMeasure;
  readonly descending: boolean;
}

/** The `index`-th node of a level; blocks at LOD0. */
export interface NodePlace {
  readonly lod: Lod;
  readonly index: number;
}

/** Nodes that are looked at before others get a turn. */
const ROWS_PER_TURN = 32_768;

/**
 * All nodes that pass the filter. Nodes without a value come last, whichever way they are ordered, and those of the
 * same value as the tree is walked. O(nodes of the tree + found · log found).
 *
 * @param pause - awaited now and then, so that long trees stop nobody.
 */
export async function findNodes(
  tree: GistTree,
  filter: NodeFilter,
  { by, descending }: NodeOrder,
  pause: () => Promise<void>,
): Promise<readonly NodePlace[]> {
  const passes = nodeTest(tree, filter);
  const found: { readonly place: NodePlace; readonly key: number; readonly start: number }[] = [];
  let looked = 0;
  for (let lod = 0; lod <= tree.maxLod; lod++) {
    if (filter.lod !== undefined && filter.lod !== lod) continue;
    const span = tokensPerEntry(lod);
    const { length } = tree.metadata(lod);
    for (let index = 0; index < length; index++) {
      if (++looked % ROWS_PER_TURN === 0) await pause();
      if (!passes(lod, index)) continue;
      const key = by === 'place' ? index * span : tree.measure(lod, index, by);
      found.push({ place: { lod: lod as Lod, index }, key, start: index * span });
    }
  }
  const direction = descending ? -1 : 1;
  found.sort((a, b) => {
    const isMissing = Number.isNaN(a.key);
    if (isMissing !== Number.isNaN(b.key)) return isMissing ? 1 : -1;
    const byKey = isMissing ? 0 : (a.key - b.key) * direction;
    return byKey || a.start - b.start || b.place.lod - a.place.lod;
  });
  return found.map(({ place }) => place);
}
