/** The nodes that pass a filter, as the explorer lists them and as a file. */
import { csvLines } from '../../../base/table.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { findNodes, type NodeOrder, type NodePlace } from '../../../core/tree/query/find-nodes.ts';
import type { NodeFilter } from '../../../core/tree/query/node-filter.ts';
import { nodeRecord } from '../../../core/tree/query/node-record.ts';
import { nodeTable } from '../../../core/tree/query/node-table.ts';
import type { SpanMark } from '../../../storage/ports.ts';
import type { ListedNode, NodeList } from '../messages/query-messages.ts';

export interface NodeQuestion {
  readonly filter: NodeFilter;
  readonly order: NodeOrder;
}

/** Sources that a listed node names; how many more there are is said. */
const LISTED_SOURCES = 3;
const NODES_PER_PIECE = 4096;

type Pause = () => Promise<void>;

/** One page of what was found. O(nodes of the tree). */
export async function listNodes(
  tree: GistTree,
  marks: readonly SpanMark[],
  { filter, order, offset, limit }: NodeQuestion & { readonly offset: number; readonly limit: number },
  pause: Pause,
): Promise<NodeList> {
  const found = await findNodes(tree, filter, order, pause);
  const nodes = found
    .slice(offset, offset + limit)
    .map((place) => listed(tree, marks, place, LISTED_SOURCES));
  const treeNodes = Array.from({ length: tree.maxLod + 1 }, (_, lod) => tree.metadata(lod).length);
  return { total: found.length, treeNodes: treeNodes.reduce((a, b) => a + b, 0), offset, nodes };
}

/**
 * All of what was found, piece by piece: as CSV, or as one JSON document with the question that it answers and a line
 * for each node.
 */
export async function* nodeFile(
  tree: GistTree,
  marks: readonly SpanMark[],
  { filter, order }: NodeQuestion,
  format: 'csv' | 'json',
  pause: Pause,
): AsyncGenerator<string> {
  const found = await findNodes(tree, filter, order, pause);
  if (format === 'json') {
    const question = JSON.stringify({ filter, order }).slice(1, -1);
    yield `{"format":"megacontext-nodes","version":1,${question},"nodes":[`;
  }
  for (let first = 0; first < Math.max(1, found.length); first += NODES_PER_PIECE) {
    const nodes = found.slice(first, first + NODES_PER_PIECE).map((place) => listed(tree, marks, place));
    if (format === 'csv') {
      const [names, ...rows] = csvLines(nodeTable(nodes));
      yield [...(first === 0 ? [names] : []), ...rows].join('');
    } else {
      yield nodes.map((node, i) => `${first + i > 0 ? ',' : ''}\n${JSON.stringify(node)}`).join('');
    }
    await pause();
  }
  if (format === 'json') yield '\n]}\n';
}

function listed(
  tree: GistTree,
  marks: readonly SpanMark[],
  place: NodePlace,
  maxSources?: number,
): ListedNode {
  const node = nodeRecord(tree, place, maxSources);
  const isTag = ({ kind, lod, start }: SpanMark) =>
    kind === 'tag' && lod === node.lod && start === node.start;
  return { ...node, tag: marks.find(isTag)?.name ?? null };
}
