/** Which nodes of the tree are meant: by level, origin, flags and ranges of what they are measured by. */
import type { GistTree } from '../gist-tree.ts';
import { tokensPerEntry } from '../ids.ts';
import type { NodeMeasure } from '../node-columns.ts';
import { isOfDocument, type Role } from '../provenance.ts';

/** Flags of a node, and what follows from the rest of the tree. */
export const NODE_STATES = ['pinned', 'forbidden', 'tagged', 'cold', 'pruned', 'hidden', 'stale'] as const;
export type NodeState = (typeof NODE_STATES)[number];

/** Both ends belong to it; an open end has no bound. */
export interface MeasureRange {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** What is absent is not asked for; all that is asked for must hold. */
export interface NodeFilter {
  readonly lod?: number | undefined;
  /** Nodes that hold tokens of it; for a log, of any of its messages. */
  readonly documentId?: string | undefined;
  /** Nodes that hold tokens of this origin. */
  readonly role?: Role | undefined;
  readonly states?: readonly NodeState[] | undefined;
  /** A node without a value is in no range. */
  readonly ranges?: Readonly<Partial<Record<NodeMeasure, MeasureRange | undefined>>> | undefined;
}

/** Whether anything is asked for. */
export function isEmptyFilter({ lod, documentId, role, states = [], ranges = {} }: NodeFilter): boolean {
  const isOpen = Object.values(ranges).every((range) => range?.min === undefined && range?.max === undefined);
  return lod === undefined && documentId === undefined && role === undefined && states.length === 0 && isOpen;
}

/** Whether a node of the tree, by its row in its level, is in this state. */
export function isInState(tree: GistTree, lod: number, row: number, state: NodeState): boolean {
  if (state === 'stale') return lod > 0 && tree.metadata(lod).gistVersion.get(row) !== tree.gistVersion;
  if (state !== 'hidden') return tree.metadata(lod).hasFlag(row, state);
  const span = tokensPerEntry(lod);
  return tree.hidden.holdsBlocks(row * span, Math.min((row + 1) * span, tree.tokenCount));
}

/** A question that is asked of many nodes: what is cheap to look up is looked up first. */
export function nodeTest(tree: GistTree, filter: NodeFilter): (lod: number, row: number) => boolean {
  const { lod: onlyLod, documentId, role, states = [] } = filter;
  const ranges = Object.entries(filter.ranges ?? {}).map(([measure, range]) => ({
    measure: measure as NodeMeasure,
    min: range?.min ?? -Infinity,
    max: range?.max ?? Infinity,
    isOpen: range?.min === undefined && range?.max === undefined,
  }));
  const bounds = ranges.filter(({ isOpen }) => !isOpen);
  const asksForOrigin = documentId !== undefined || role !== undefined;
  return (lod, row) => {
    if (onlyLod !== undefined && lod !== onlyLod) return false;
    for (const { measure, min, max } of bounds) {
      const value = tree.measure(lod, row, measure);
      if (!(value >= min && value <= max)) return false;
    }
    if (!states.every((state) => isInState(tree, lod, row, state))) return false;
    if (!asksForOrigin) return true;
    const span = tokensPerEntry(lod);
    const runs = tree.provenanceOf(row * span, Math.min((row + 1) * span, tree.tokenCount));
    return runs.some(
      (run) =>
        (role === undefined || run.role === role) &&
        (documentId === undefined || isOfDocument(run, documentId)),
    );
  };
}
