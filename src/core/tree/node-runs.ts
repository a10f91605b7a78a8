/** Sets of nodes as sorted runs that neither touch nor overlap: neighbours of one LOD are one item. */
import { type NodeRun, tokensPerEntry } from './ids.ts';

/** Tokens `start..end-1` that a run covers. */
export function spanOfRun({ lod, first, count }: NodeRun): { readonly start: number; readonly end: number } {
  const span = tokensPerEntry(lod);
  return { start: first * span, end: (first + count) * span };
}

export function countNodes(runs: readonly NodeRun[]): number {
  return runs.reduce((sum, { count }) => sum + count, 0);
}

/** The nodes of both, in order of LOD and place. */
export function unionRuns(a: readonly NodeRun[], b: readonly NodeRun[]): NodeRun[] {
  const union: NodeRun[] = [];
  for (const run of [...a, ...b].filter(({ count }) => count > 0).sort(byPlace)) {
    const last = union.at(-1);
    if (last?.lod !== run.lod || run.first > last.first + last.count) union.push(run);
    else {
      const count = Math.max(last.first + last.count, run.first + run.count) - last.first;
      union[union.length - 1] = { ...last, count };
    }
  }
  return union;
}

/** The nodes of `a` that `b` does not hold. */
export function withoutRuns(a: readonly NodeRun[], b: readonly NodeRun[]): NodeRun[] {
  const taken = unionRuns(b, []);
  return unionRuns(a, []).flatMap((run) => {
    const left: NodeRun[] = [];
    let first = run.first;
    for (const { lod, first: from, count } of taken) {
      if (lod !== run.lod || from + count <= first || from >= run.first + run.count) continue;
      if (from > first) left.push({ lod, first, count: from - first });
      first = from + count;
    }
    const end = run.first + run.count;
    return first < end ? [...left, { lod: run.lod, first, count: end - first }] : left;
  });
}

/** The nodes that both hold. */
export function commonRuns(a: readonly NodeRun[], b: readonly NodeRun[]): NodeRun[] {
  return withoutRuns(a, withoutRuns(a, b));
}

function byPlace(a: NodeRun, b: NodeRun): number {
  return a.lod - b.lod || a.first - b.first;
}
