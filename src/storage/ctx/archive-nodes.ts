/**
 * What is known of the nodes of each level, as columns in which equal neighbours are written once: `[value, count,
 * value, count, …]`. Most nodes of a long history were never used, so that millions of them take a few kilobytes.
 */
import { z } from '../../base/zod.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';
import { K, MAX_LOD, type NodeRun, tokensPerEntry } from '../../core/tree/ids.ts';
import { NODE_FLAGS, NODE_MEASURES, type NodeFlag, type NodeMeasure } from '../../core/tree/node-columns.ts';

const MAX_FLAGS = Object.values(NODE_FLAGS).reduce((all, bit) => all | bit, 0);

/** Null where a node has no value. */
const countRuns = z.array(z.number().int().min(0).max(0xffffffff).nullable());

export const archivedNodesSchema = z.object({
  level: z.number().int().min(0).max(MAX_LOD),
  /** Blocks at level 0, the open tail among them. */
  nodeCount: z.number().int().nonnegative(),
  createdAtStep: countRuns,
  gistVersion: countRuns,
  accessCount: countRuns,
  lastAccessStep: countRuns,
  expansions: countRuns,
  collapses: countRuns,
  residency: countRuns,
  /** Nats/token. */
  sensitivity: z.array(z.number().nullable()),
  /** Bits of `NODE_FLAGS`. */
  flags: z.array(z.number().int().min(0)),
} satisfies Record<NodeMeasure | 'level' | 'nodeCount' | 'flags', z.ZodType>);
export type ArchivedNodes = z.infer<typeof archivedNodesSchema>;

type Runs = readonly (number | null)[];

/** The levels of a tree that have nodes. O(nodes) */
export function archivedNodes(tree: GistTree): readonly ArchivedNodes[] {
  const levels: ArchivedNodes[] = [];
  for (let level = 0; level <= tree.maxLod; level++) {
    const columns = tree.metadata(level);
    const { length: nodeCount } = columns;
    if (nodeCount === 0) break;
    const measured = (measure: NodeMeasure) =>
      encodeRuns(nodeCount, (row) => {
        const value = tree.measure(level, row, measure);
        return Number.isNaN(value) ? null : value;
      });
    const byMeasure = Object.fromEntries(NODE_MEASURES.map((measure) => [measure, measured(measure)]));
    const flags = encodeRuns(nodeCount, (row) => columns.flagBits(row));
    levels.push({ level, nodeCount, ...(byMeasure as Record<NodeMeasure, (number | null)[]>), flags });
  }
  return levels;
}

function encodeRuns<V extends number | null>(length: number, valueAt: (row: number) => V): (V | number)[] {
  const runs: (V | number)[] = [];
  let count = 0;
  for (let row = 0; row < length; row++) {
    const value = valueAt(row);
    count++;
    if (row + 1 < length && valueAt(row + 1) === value) continue;
    runs.push(value, count);
    count = 0;
  }
  return runs;
}

/** Why a level's columns cannot be, as a phrase; null where they can. */
export function faultOfNodes(nodes: ArchivedNodes, entryCount: number): string | null {
  const { level, nodeCount, flags } = nodes;
  const most = level === 0 ? Math.ceil(entryCount / K) : entryCount;
  if (nodeCount > most) return `level ${level} has ${nodeCount} nodes, but its file makes ${most} at most`;
  for (const column of [...NODE_MEASURES, 'flags'] as const) {
    if (lengthOfRuns(nodes[column]) === nodeCount) continue;
    return `the runs of ${column} at level ${level} do not make its ${nodeCount} nodes`;
  }
  const isKnown = flags.every((bits, i) => i % 2 === 1 || bits <= MAX_FLAGS);
  return isKnown ? null : `level ${level} has flags that there are not`;
}

/** NaN where they are no pairs of a value and a count. */
function lengthOfRuns(runs: Runs): number {
  if (runs.length % 2 !== 0) return NaN;
  let length = 0;
  for (let i = 1; i < runs.length; i += 2) {
    const count = runs[i] ?? 0;
    if (!Number.isSafeInteger(count) || count < 1) return NaN;
    length += count;
  }
  return length;
}

/** The nodes that have a flag, neighbours together. */
export function flaggedNodes(levels: readonly ArchivedNodes[], flag: NodeFlag): readonly NodeRun[] {
  return levels.flatMap(({ level, flags }) => {
    const found: NodeRun[] = [];
    let first = 0;
    for (let i = 0; i < flags.length; i += 2) {
      const count = flags[i + 1]!;
      if ((flags[i]! & NODE_FLAGS[flag]) !== 0) found.push({ lod: level, first, count });
      first += count;
    }
    return found;
  });
}

/** Each node of some runs as a span of tokens. */
export function spansOfNodes(
  runs: readonly NodeRun[],
  tokenCount: number,
): readonly { readonly lod: number; readonly start: number; readonly end: number }[] {
  return runs.flatMap(({ lod, first, count }) => {
    const span = tokensPerEntry(lod);
    return Array.from({ length: count }, (_, i) => {
      const start = (first + i) * span;
      return { lod, start, end: Math.min(start + span, tokenCount) };
    });
  });
}
