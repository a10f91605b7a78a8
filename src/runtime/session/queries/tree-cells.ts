/** The tree's nodes as the explorer draws them: one cell a node, or the sum of neighbours where they are many. */
import { tokensPerEntry } from '../../../core/tree/ids.ts';
import type { NodeMeasure } from '../../../core/tree/node-columns.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { isEmptyFilter, type NodeFilter, nodeTest } from '../../../core/tree/query/node-filter.ts';
import type { LevelCells, TreeCells } from '../messages/query-messages.ts';

/** What is asked of the cells. */
interface CellsWanted {
  /** Tokens `start..end-1`. */
  readonly start: number;
  readonly end: number;
  /** How many cells a level gets at most, one more where a cell straddles the range's start. */
  readonly cells: number;
  readonly measure: NodeMeasure;
  readonly filter?: NodeFilter | undefined;
}

/**
 * The nodes of every level that touch a span of tokens. O(nodes touched).
 *
 * @param step - the last refocus.
 */
export function treeCells(tree: GistTree, step: number, wanted: CellsWanted): TreeCells {
  const { measure, filter } = wanted;
  const passes = filter === undefined || isEmptyFilter(filter) ? null : nodeTest(tree, filter);
  const levels: LevelCells[] = [];
  for (let level = 0; level <= tree.maxLod; level++) {
    const matches = passes && ((row: number) => passes(level, row));
    levels.push(levelCells(level, tree, wanted, matches));
  }
  const { tokenCount, gistVersion, maxLod } = tree;
  return { tokenCount, step, gistVersion, maxLod, measure, levels };
}

function levelCells(
  level: number,
  tree: GistTree,
  { start, end, cells, measure }: CellsWanted,
  passes: ((row: number) => boolean) | null,
): LevelCells {
  const columns = tree.metadata(level);
  const span = tokensPerEntry(level);
  const nodeCount = columns.length;
  const from = Math.min(Math.floor(start / span), nodeCount);
  const to = Math.max(from, Math.min(Math.ceil(end / span), nodeCount));
  const stride = strideFor(to - from, cells);
  const firstIndex = Math.floor(from / stride) * stride;
  const count = Math.ceil((to - firstIndex) / stride);
  const values = new Float32Array(count).fill(NaN);
  const gistVersions = new Uint32Array(count).fill(level === 0 ? 0 : 0xffffffff);
  const flags = new Uint8Array(count);
  const matches = passes && new Uint8Array(count);
  for (let cell = 0; cell < count; cell++) {
    const first = firstIndex + cell * stride;
    const last = Math.min(first + stride, nodeCount);
    for (let row = first; row < last; row++) {
      if (level > 0) gistVersions[cell] = Math.min(gistVersions[cell]!, columns.gistVersion.get(row));
      const value = tree.measure(level, row, measure);
      if (!(value <= values[cell]!) && !Number.isNaN(value)) values[cell] = value;
      flags[cell]! |= columns.flagBits(row);
      if (matches?.[cell] === 0 && passes!(row)) matches[cell] = 1;
    }
  }
  return { level, nodeCount, firstIndex, stride, values, gistVersions, flags, matches };
}

/** The smallest power of two that brings the nodes down to the cells. Powers of two nest in K. */
function strideFor(nodes: number, cells: number): number {
  let stride = 1;
  while (nodes / stride > cells) stride *= 2;
  return stride;
}
