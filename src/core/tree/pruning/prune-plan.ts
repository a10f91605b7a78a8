/** A dry run of pruning: what would go, in which order, and what it weighs. Changes nothing. */
import { hashUint32 } from '../../../base/rng.ts';
import type { GistTree } from '../gist-tree.ts';
import { type Lod, K, tokensPerEntry } from '../ids.ts';
import { unionRuns } from '../node-runs.ts';
import type { NodeRun } from '../ids.ts';
import { mayGo, useOf, useOfGroup, worth } from './prune-rules.ts';
import type { PruneRules } from './prune-rules.ts';

/** By what nodes are chosen: what their telemetry tells, the oldest, or a seeded draw; the last two to compare with. */
export type PruneOrder = 'telemetry' | 'age' | 'random';

export interface PruneInput {
  readonly tree: GistTree;
  readonly rules: PruneRules;
  /** The last refocus. */
  readonly step: number;
  /** Spans of which nothing goes: pins, tags, the protected recent window. Sorted or not. */
  readonly protectedSpans: readonly { readonly start: number; readonly end: number }[];
  /** Entries that stand in a working context, of any head: their own level stays. */
  readonly heldEntries: readonly { readonly lod: number; readonly start: number }[];
  readonly order?: PruneOrder;
  /** Of the order `random`. */
  readonly seed?: number;
}

/** What goes together: one raw block, or the K children of a gist. */
interface PruneUnit extends NodeRun {
  /** Measured ΔNLL of losing it, nats/token; null until measured. */
  readonly sensitivity: number | null;
}

export interface PrunePlan {
  /** In the order in which they go: what is worth least first. */
  readonly units: readonly PruneUnit[];
  /** The same nodes, neighbours together, in order of LOD and place. */
  readonly runs: readonly NodeRun[];
  /** Of token ids and gists. */
  readonly bytes: number;
}

/**
 * Gists are made with up to 96 children before them as context, the children of three parents: a group goes only once
 * so many parents behind its own are made.
 */
const CONTEXT_PARENTS = 3;

/** What pruning by the rules would move to the cold tier now. O(nodes of the levels that may go). */
export function planPruning(input: PruneInput): PrunePlan {
  const lods = Array.from({ length: input.tree.maxLod }, (_, lod) => lod);
  return planOf(
    input.tree,
    lods.flatMap((lod) => unitsAt(lod, input)),
  );
}

/** Bytes of the payload of nodes: token ids at LOD0, fp16 gists above. */
export function payloadBytes(tree: GistTree, lod: number, count: number): number {
  return count * (lod === 0 ? K * Uint32Array.BYTES_PER_ELEMENT : tree.hiddenSize * 2);
}

function planOf(tree: GistTree, units: readonly PruneUnit[]): PrunePlan {
  const runs = unionRuns(
    units.map(({ lod, first, count }) => ({ lod, first, count })),
    [],
  );
  return {
    units,
    runs,
    bytes: runs.reduce((sum, { lod, count }) => sum + payloadBytes(tree, lod, count), 0),
  };
}

function unitsAt(lod: number, input: PruneInput): readonly PruneUnit[] {
  const { tree, rules, step, order = 'telemetry', seed = 0 } = input;
  const columns = tree.metadata(lod);
  const nodes = tree.countAt(lod);
  const size = lod === 0 ? 1 : K;
  const last = lastPrunableEnd(tree, lod);
  const isProtected = spanTest(input.protectedSpans);
  const held = new Set(
    input.heldEntries.filter((entry) => entry.lod === lod).map(({ start }) => start / tokensPerEntry(lod)),
  );
  const found: { readonly unit: PruneUnit; readonly key: number }[] = [];
  for (let first = 0; first + size <= nodes; first += size) {
    const start = first * tokensPerEntry(lod);
    if (start + size * tokensPerEntry(lod) > last) break;
    if (isProtected(start, start + size * tokensPerEntry(lod))) continue;
    const rows = Array.from({ length: size }, (_, i) => first + i);
    if (rows.some((row) => held.has(row) || columns.isWithheld(row))) continue;
    if (!tree.canServe(lod + 1, start)) continue;
    if (lod > 0 && !isLeftAlone(tree, lod, first)) continue;
    const own = useOfGroup(rows.map((row) => useOf(columns, row, step, rules)));
    // What a gist is worth expanded is what its children are worth.
    const above = tree.metadata(lod + 1).sensitivity.get(start / tokensPerEntry(lod + 1));
    const use = Number.isNaN(above)
      ? own
      : { ...own, sensitivity: Math.max(own.sensitivity ?? -Infinity, above) };
    if (order === 'telemetry' && !mayGo(use, rules)) continue;
    const key = { telemetry: worth(use, rules), age: first, random: hashUint32(seed, lod, first) }[order];
    found.push({ unit: { lod, first, count: size, sensitivity: use.sensitivity }, key });
  }
  found.sort((a, b) => a.key - b.key || a.unit.first - b.unit.first);
  const room = Math.floor(rules.pruneMaxShare * nodes) - columns.withheldCount;
  return found.slice(0, Math.max(0, Math.floor(room / size))).map(({ unit }) => unit);
}

/** Where the part of the history ends whose nodes of a level no gist that is still to come is made from. */
function lastPrunableEnd(tree: GistTree, lod: number): number {
  const parents = tree.countAt(lod + 1) - (lod === 0 ? 0 : CONTEXT_PARENTS);
  return parents * tokensPerEntry(lod + 1);
}

/** All detail below the group is cold, and none of the group was ever expanded. */
function isLeftAlone(tree: GistTree, lod: number, first: number): boolean {
  const columns = tree.metadata(lod);
  const below = tree.metadata(lod - 1);
  const perNode = lod === 1 ? 1 : K;
  for (let row = first; row < first + K; row++) {
    if (columns.expansions.get(row) > 0) return false;
    for (let child = row * perNode; child < (row + 1) * perNode; child++) {
      if (!below.isWithheld(child)) return false;
    }
  }
  return true;
}

function spanTest(
  spans: readonly { readonly start: number; readonly end: number }[],
): (start: number, end: number) => boolean {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  let at = 0;
  return (start, end) => {
    while (at < merged.length && merged[at]!.end <= start) at++;
    return at < merged.length && merged[at]!.start < end;
  };
}

/** The gist whose detail a unit is, as a block: what its sensitivity is measured on. */
export function gistAbove({ lod, first }: NodeRun): {
  readonly lod: Lod;
  readonly start: number;
  readonly end: number;
} {
  const span = tokensPerEntry(lod + 1);
  const start = Math.floor((first * tokensPerEntry(lod)) / span) * span;
  return { lod: (lod + 1) as Lod, start, end: start + span };
}
