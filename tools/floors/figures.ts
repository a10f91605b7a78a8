/** What an import graph says about a house: its floors, and the doors that open both ways. */
import { posix } from 'node:path';
import type { SourceNode } from './import-graph.ts';

export interface HouseFigures {
  readonly files: number;
  /** The longest chain of imports inside each room (`src/core`), counted in files. */
  readonly floors: Readonly<Record<string, number>>;
  /** Pairs of folders whose own files import each other's, as `a <-> b`. */
  readonly twoWayFolders: readonly string[];
  /**
   * Groups of folders that reach one another by imports: of single folders, and of neighbours in one folder,
   * each with everything below it.
   */
  readonly folderCycles: readonly (readonly string[])[];
  /** Files that exactly one other file imports. */
  readonly singleImporter: readonly string[];
  /** Constants with one name and one value in more than one file, as `NAME = value: a, b`. */
  readonly repeatedConstants: readonly string[];
}

type Edges = ReadonlyMap<string, ReadonlySet<string>>;

export function measureHouse(graph: readonly SourceNode[]): HouseFigures {
  const folders = edgesBetween(graph, (path) => posix.dirname(path));
  return {
    files: graph.length,
    floors: floorsByRoom(graph),
    twoWayFolders: [...folders].flatMap(([a, targets]) =>
      [...targets].filter((b) => a < b && folders.get(b)?.has(a)).map((b) => `${a} <-> ${b}`),
    ),
    folderCycles: [...cyclesOf(folders), ...neighbourCycles(graph)],
    singleImporter: singleImporters(graph),
    repeatedConstants: repeatedConstants(graph),
  };
}

function floorsByRoom(graph: readonly SourceNode[]): Record<string, number> {
  const nodes = new Map(graph.map((node) => [node.path, node]));
  const heights = new Map<string, number>();
  const heightOf = (path: string): number => {
    const known = heights.get(path);
    if (known !== undefined) return known;
    // Files that import each other in a ring share a floor; the ring is reported elsewhere.
    heights.set(path, 0);
    const below = nodes.get(path)!.imports.filter((other) => roomOf(other) === roomOf(path));
    const height = 1 + below.reduce((top, other) => Math.max(top, heightOf(other)), 0);
    heights.set(path, height);
    return height;
  };
  const floors: Record<string, number> = {};
  for (const { path } of graph) {
    const room = roomOf(path);
    floors[room] = Math.max(floors[room] ?? 0, heightOf(path));
  }
  return floors;
}

/** `src/core/tree/ids.ts` → `src/core`; a file right in `src` is a room of its own. */
function roomOf(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

function edgesBetween(graph: readonly SourceNode[], groupOf: (path: string) => string | null): Edges {
  const edges = new Map<string, Set<string>>();
  for (const { path, imports } of graph) {
    const from = groupOf(path);
    if (from === null) continue;
    const targets = edges.get(from) ?? new Set();
    edges.set(from, targets);
    for (const other of imports) {
      const to = groupOf(other);
      if (to !== null && to !== from) targets.add(to);
    }
  }
  return edges;
}

/** Cycles among the folders that stand side by side in one folder. */
function neighbourCycles(graph: readonly SourceNode[]): readonly string[][] {
  const parents = new Set<string>();
  for (const { path } of graph) {
    for (let at = posix.dirname(path); at !== '.'; at = posix.dirname(at)) parents.add(posix.dirname(at));
  }
  return [...parents].sort().flatMap((parent) => {
    const depth = parent === '.' ? 0 : parent.split('/').length;
    const childOf = (path: string): string | null => {
      const parts = path.split('/');
      const isBelow = parent === '.' || path.startsWith(`${parent}/`);
      return isBelow && parts.length > depth + 1 ? parts.slice(0, depth + 1).join('/') : null;
    };
    return cyclesOf(edgesBetween(graph, childOf)).map((cycle) => cycle.map((folder) => `${folder}/**`));
  });
}

/** The strongly connected components of two or more. */
function cyclesOf(edges: Edges): readonly string[][] {
  const reach = new Map([...edges.keys()].map((from) => [from, reachableFrom(from, edges)]));
  const placed = new Set<string>();
  const cycles: string[][] = [];
  for (const from of [...edges.keys()].sort()) {
    if (placed.has(from)) continue;
    const ring = [...reach.get(from)!].filter((to) => to !== from && reach.get(to)?.has(from));
    if (ring.length === 0) continue;
    const cycle = [from, ...ring].sort();
    for (const folder of cycle) placed.add(folder);
    cycles.push(cycle);
  }
  return cycles;
}

function reachableFrom(from: string, edges: Edges): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [from];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const to of edges.get(at) ?? []) {
      if (!seen.has(to)) open.push(to);
      seen.add(to);
    }
  }
  return seen;
}

function singleImporters(graph: readonly SourceNode[]): readonly string[] {
  const importers = new Map<string, number>();
  for (const { imports } of graph) {
    for (const path of imports) importers.set(path, (importers.get(path) ?? 0) + 1);
  }
  return graph.map(({ path }) => path).filter((path) => importers.get(path) === 1);
}

function repeatedConstants(graph: readonly SourceNode[]): readonly string[] {
  const places = new Map<string, string[]>();
  for (const { path, constants } of graph) {
    for (const constant of constants) places.set(constant, [...(places.get(constant) ?? []), path]);
  }
  return [...places]
    .filter(([, paths]) => paths.length > 1)
    .map(([constant, paths]) => `${constant}: ${paths.join(', ')}`)
    .sort();
}
