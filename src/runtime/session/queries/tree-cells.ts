/** The tree's nodes as the explorer draws them: one cell a node, or the sum of neighbours where they are many. */
import { tokensPerEntry } from '../../../core/tree/ids.ts';
import type { NodeColumns } from '../../../core/tree/node-columns.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { LevelCells, TreeCells } from '../messages/query-messages.ts';

/**
 * The nodes of every level that touch tokens `start..end-1`. O(nodes touched).
 *
 * @param step - the last refocus.
 * @param cells - how many cells a level gets at most, one more where a cell straddles the range's start.
 */
export function treeCells(
  tree: GistTree,
  step: number,
  start: number,
  end: number,
  cells: number,
): TreeCells {
  const levels: LevelCells[] = [];
  for (let level = 0; level <= tree.maxLod; level++) {
    levels.push(levelCells(level, tree.metadata(level), start, end, cells));
  }
  const { tokenCount, gistVersion, maxLod } = tree;
  return { tokenCount, step, gistVersion, maxLod, levels };
}

function levelCells(
  level: number,
  columns: NodeColumns,
  start: number,
  end: number,
  cells: number,
): LevelCells {
  const span = tokensPerEntry(level);
  const nodeCount = columns.length;
  const from = Math.min(Math.floor(start / span), nodeCount);
  const to = Math.max(from, Math.min(Math.ceil(end / span), nodeCount));
  const stride = strideFor(to - from, cells);
  const firstIndex = Math.floor(from / stride) * stride;
  const count = Math.ceil((to - firstIndex) / stride);
  const accessCounts = new Uint32Array(count);
  const lastAccessSteps = new Int32Array(count).fill(-1);
  const gistVersions = new Uint32Array(count).fill(level === 0 ? 0 : 0xffffffff);
  const sensitivities = new Float32Array(count).fill(NaN);
  const flags = new Uint8Array(count);
  for (let cell = 0; cell < count; cell++) {
    const first = firstIndex + cell * stride;
    const last = Math.min(first + stride, nodeCount);
    for (let row = first; row < last; row++) {
      const accesses = columns.accessCount.get(row);
      if (accesses > 0) {
        accessCounts[cell] = Math.max(accessCounts[cell]!, accesses);
        lastAccessSteps[cell] = Math.max(lastAccessSteps[cell]!, columns.lastAccessStep.get(row));
      }
      if (level > 0) gistVersions[cell] = Math.min(gistVersions[cell]!, columns.gistVersion.get(row));
      const sensitivity = columns.sensitivity.get(row);
      if (!(sensitivity <= sensitivities[cell]!) && !Number.isNaN(sensitivity)) {
        sensitivities[cell] = sensitivity;
      }
      flags[cell]! |= columns.flagBits(row);
    }
  }
  return {
    level,
    nodeCount,
    firstIndex,
    stride,
    accessCounts,
    lastAccessSteps,
    gistVersions,
    sensitivities,
    flags,
  };
}

/** The smallest power of two that brings the nodes down to the cells. Powers of two nest in K. */
function strideFor(nodes: number, cells: number): number {
  let stride = 1;
  while (nodes / stride > cells) stride *= 2;
  return stride;
}
