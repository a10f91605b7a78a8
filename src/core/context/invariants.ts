/** What must always hold of a working context, each rule a named check; O(entries), cheap enough to leave on. */
import { isOpenTail } from './working-context.ts';
import type { Entry, Layout } from './working-context.ts';
import { K, tokensPerEntry } from '../tree/ids.ts';
import type { SlotView } from './slot-view.ts';
import { gistPosition } from './positions.ts';
import type { GistTree } from '../tree/gist-tree.ts';

export const INVARIANTS = [
  'budget',
  'contiguity',
  'block-alignment',
  'level-consistency',
  'rope',
  'tree-consistency',
  'no-partial-swaps',
] as const;
export type InvariantName = (typeof INVARIANTS)[number];

export interface Violation {
  readonly check: InvariantName | 'scores';
  readonly message: string;
}

export interface InvariantInput {
  readonly layout: Layout;
  readonly tree: GistTree;
  readonly budgetTokens: number;
  /** The layout that this one came from by swaps; turns the check of swaps on. */
  readonly previous?: Layout;
  /** The view built from this layout; turns the check of positions on. */
  readonly view?: SlotView;
}

type Check = (input: InvariantInput) => string | null;

const CHECKS: Readonly<Record<InvariantName, Check>> = {
  budget: checkBudget,
  contiguity: checkContiguity,
  'block-alignment': checkAlignment,
  'level-consistency': checkLevels,
  rope: checkPositions,
  'tree-consistency': checkTree,
  'no-partial-swaps': checkSwaps,
};

/** All rules that this layout breaks; empty when all is well. */
export function checkInvariants(
  layout: Layout,
  tree: GistTree,
  config: { readonly budgetTokens: number },
  more: Pick<InvariantInput, 'previous' | 'view'> = {},
): readonly Violation[] {
  const input: InvariantInput = { layout, tree, budgetTokens: config.budgetTokens, ...more };
  const violations: Violation[] = [];
  for (const check of INVARIANTS) {
    const message = CHECKS[check](input);
    if (message !== null) violations.push({ check, message });
  }
  return violations;
}

/** The check of positions alone, for a view built from this layout. */
export function checkSlotPositions(layout: Layout, view: SlotView): readonly Violation[] {
  const message = positionsMessage(layout, view);
  return message === null ? [] : [{ check: 'rope', message }];
}

function name(entry: Entry): string {
  return `LOD${entry.lod} ${entry.start}..${entry.end}`;
}

function checkBudget({ layout, budgetTokens }: InvariantInput): string | null {
  let used = 0;
  for (const entry of layout.entries) {
    if (entry.cost !== (entry.lod === 0 ? entry.end - entry.start : 1))
      return `${name(entry)} claims cost ${entry.cost}`;
    used += entry.cost;
  }
  if (used !== layout.usedTokens) return `entries cost ${used}, the layout says ${layout.usedTokens}`;
  return used > budgetTokens ? `entries cost ${used} of ${budgetTokens}` : null;
}

function checkContiguity({ layout, tree }: InvariantInput): string | null {
  const { entries } = layout;
  for (let i = 0; i + 1 < entries.length; i++) {
    if (entries[i]!.end !== entries[i + 1]!.start)
      return `${name(entries[i]!)} is followed by ${name(entries[i + 1]!)}`;
  }
  for (const entry of entries) if (entry.end <= entry.start) return `${name(entry)} is empty`;
  const end = entries.at(-1)?.end ?? 0;
  if (end !== layout.cursor) return `entries end at ${end}, the cursor is ${layout.cursor}`;
  if (layout.cursor > tree.tokenCount)
    return `the cursor ${layout.cursor} is past the history's ${tree.tokenCount}`;
  return layout.residency.length === entries.length
    ? null
    : `${layout.residency.length} residencies for ${entries.length} entries`;
}

function checkAlignment({ layout }: InvariantInput): string | null {
  const last = layout.entries.length - 1;
  for (let i = 0; i <= last; i++) {
    const entry = layout.entries[i]!;
    if (entry.start % K !== 0) return `${name(entry)} starts inside a block`;
    if (entry.end % K !== 0 && !(i === last && isOpenTail(entry)))
      return `${name(entry)} ends inside a block`;
  }
  return null;
}

function checkLevels({ layout, tree }: InvariantInput): string | null {
  for (const entry of layout.entries) {
    const span = tokensPerEntry(entry.lod);
    if (entry.lod > tree.maxLod) return `${name(entry)} is above the tree's LOD${tree.maxLod}`;
    if (entry.start % span !== 0) return `${name(entry)} does not start at a multiple of ${span}`;
    if (entry.end - entry.start > span || (entry.lod > 0 && entry.end - entry.start < span)) {
      return `${name(entry)} does not cover ${span} tokens`;
    }
  }
  return null;
}

function checkPositions({ layout, view }: InvariantInput): string | null {
  return view === undefined ? null : positionsMessage(layout, view);
}

function positionsMessage(layout: Layout, view: SlotView): string | null {
  if (view.slotCount !== layout.usedTokens)
    return `${view.slotCount} slots for a cost of ${layout.usedTokens}`;
  let slot = 0;
  for (const entry of layout.entries) {
    for (let t = 0; t < entry.cost; t++, slot++) {
      const expected = entry.lod === 0 ? entry.start + t : gistPosition(entry);
      if (view.positions[slot] !== expected)
        return `slot ${slot} of ${name(entry)} sits at ${view.positions[slot] ?? NaN}`;
    }
  }
  return null;
}

function checkTree({ layout, tree }: InvariantInput): string | null {
  for (const entry of layout.entries) {
    if (!tree.canServe(entry.lod, entry.start)) return `${name(entry)} is missing from the tree or pruned`;
  }
  return null;
}

/**
 * Old and new entries over the same tokens must nest, and nothing may leave or come back but the oldest, or come but
 * the newest: with contiguity and levels kept, that holds exactly when every change was made of whole swaps.
 */
function checkSwaps({ layout, previous }: InvariantInput): string | null {
  if (previous === undefined || previous.entries.length === 0) return null;
  if (layout.cursor < previous.cursor)
    return `the cursor went back from ${previous.cursor} to ${layout.cursor}`;
  const oldest = layout.entries[0];
  if (oldest === undefined) return 'every entry left the window';
  let j = 0;
  for (const before of previous.entries) {
    while (j < layout.entries.length && layout.entries[j]!.end <= before.start) j++;
    for (let k = j; k < layout.entries.length && layout.entries[k]!.start < before.end; k++) {
      const after = layout.entries[k]!;
      const grew = isOpenTail(before) && after.lod === 0 && after.start === before.start;
      const isInside = after.start >= before.start && after.end <= before.end;
      const isAround = after.start <= before.start && after.end >= before.end;
      const isWhole = after !== oldest || after.start <= before.start;
      if (!grew && !(isInside && isWhole) && !isAround)
        return `${name(before)} was swapped in part for ${name(after)}`;
    }
  }
  return null;
}
