/** One node with everything that is known of it: where it lies, who wrote it when, how it was used. */
import type { GistTree, TreeNode } from '../gist-tree.ts';
import type { Role } from '../provenance.ts';
import type { NodePlace } from './find-nodes.ts';
import { isInState, NODE_STATES, type NodeState } from './node-filter.ts';

/** One of the texts that a node's tokens came from. */
export interface NodeSource {
  readonly documentId: string;
  readonly title: string;
  readonly role: Role;
  /** When it came in, milliseconds since 1970; null where nobody noted it. */
  readonly wallClockMs: number | null;
}

export interface NodeRecord extends TreeNode {
  readonly index: number;
  readonly states: readonly NodeState[];
  /** In order of place; at most as many as were asked for. */
  readonly sources: readonly NodeSource[];
  readonly sourceCount: number;
}

/** @param maxSources - how many sources are named; the coarsest gists may stand for thousands. */
export function nodeRecord(tree: GistTree, { lod, index }: NodePlace, maxSources = Infinity): NodeRecord {
  const node = tree.node(lod, index);
  const runs = tree.provenanceOf(node.start, node.end);
  const byDocument = new Map(runs.map((run) => [`${run.role}/${run.documentId}`, run]));
  return {
    ...node,
    index,
    states: NODE_STATES.filter((state) => isInState(tree, lod, index, state)),
    sources: [...byDocument.values()].slice(0, maxSources).map(({ documentId, title, role, wallClockMs }) => {
      return { documentId, title, role, wallClockMs: wallClockMs > 0 ? wallClockMs : null };
    }),
    sourceCount: byDocument.size,
  };
}
