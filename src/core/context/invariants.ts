/** What must always hold of a working context, each rule a named check; O(entries), cheap enough to leave on. */
import { isOpenTail } from './working-context.ts';
import type { Entry, Layout } from './working-context.ts';
import { K, tokensPerEntry } from '../tree/ids.ts';
import type { PositionScheme } from './position-scheme.ts';
import type { SlotPositions } from './positions.ts';
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

/** What the base is given with a layout's slots, and by which scheme. */
export interface SentPositions extends SlotPositions {
  readonly scheme: PositionScheme;
  /** What the base reads: the layout's entries, or its raw ones where gists are left out. */
  readonly entries: readonly Entry[];
}

/** `grouped` keeps within the trained length from here on. */
const SMALLEST_TRAINED = 384;

export interface InvariantInput {
  readonly layout: Layout;
  readonly tree: GistTree;
  readonly budgetTokens: number;
  /** The layout that this one came from by swaps; turns the check of swaps on. */
  readonly previous?: Layout;
  /** Where the base is asked to see this layout's slots; turns the check of positions on. */
  readonly sent?: SentPositions;
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
  more: Pick<InvariantInput, 'previous' | 'sent'> = {},
): readonly Violation[] {
  const input: InvariantInput = { layout, tree, budgetTokens: config.budgetTokens, ...more };
  const violations: Violation[] = [];
  for (const check of INVARIANTS) {
    const message = CHECKS[check](input);
    if (message !== null) violations.push({ check, message });
  }
  return violations;
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

/**
 * What each mode promises of the positions that reach the base, said without the formula that makes them.
 *
 * All: one position a slot, raw tokens exact, gists with a deviation of 0 or more. `absolute`: raw tokens at their
 * absolute indices, a gist in the middle of its span. `compact`: one after the other from 0 on. `grouped`: never
 * backwards and never farther apart than they are; the newest C/2 tokens exactly as far apart as they are, older ones
 * divided by a power of two; all within what the base was trained on.
 */
function checkPositions({ layout, sent }: InvariantInput): string | null {
  if (sent === undefined) return null;
  const { positions, deviations, scheme, entries } = sent;
  const unread = unreadEntry(layout.entries, entries);
  if (unread !== undefined) return `${name(unread)} is not sent at all`;
  const slots = entries.reduce((sum, { cost }) => sum + cost, 0);
  if (positions.length !== slots || deviations.length !== slots)
    return `${positions.length} positions for a cost of ${slots}`;
  const nearTokens = Math.floor(scheme.trainedContextTokens / 2 / K) * K;
  const nearStart = Math.floor(layout.cursor / K) * K - nearTokens;
  const origin = entries[0]?.start ?? 0;
  let group = 1;
  let slot = 0;
  let [lastIndex, lastPosition] = [-Infinity, 0];
  for (const entry of entries) {
    for (let t = 0; t < entry.cost; t++, slot++) {
      const index = entry.lod === 0 ? entry.start + t : (entry.start + entry.end) / 2;
      const position = positions[slot]!;
      const wrong = `slot ${slot} of ${name(entry)} is sent to position ${position}`;
      const deviation = deviations[slot]!;
      if (entry.lod === 0 ? deviation !== 0 : !(deviation >= 0 && deviation < Infinity))
        return `slot ${slot} of ${name(entry)} is sent with a deviation of ${deviation}`;
      if (scheme.mode === 'absolute' && position !== index) return wrong;
      if (scheme.mode === 'compact' && position !== slot) return wrong;
      if (scheme.mode === 'grouped') {
        const step = position - lastPosition;
        const isNear = lastIndex >= nearStart;
        if (index < nearStart) {
          while (Math.floor((index - origin) / group) > position) group *= 2;
          if (Math.floor((index - origin) / group) !== position) return wrong;
        }
        if (!(position >= 0) || step < 0 || step > index - lastIndex) return wrong;
        if (isNear && step !== index - lastIndex) return wrong;
        if (scheme.trainedContextTokens >= SMALLEST_TRAINED && position >= scheme.trainedContextTokens)
          return `${wrong}, beyond the ${scheme.trainedContextTokens} that the base was trained on`;
      }
      lastIndex = index;
      lastPosition = position;
    }
  }
  return null;
}

/** The first raw entry that is not among those that are sent; both are in order. */
function unreadEntry(entries: readonly Entry[], sent: readonly Entry[]): Entry | undefined {
  let next = 0;
  return entries.find((entry) => {
    if (entry.lod > 0) return false;
    while (next < sent.length && sent[next]!.start < entry.start) next++;
    return sent[next]?.lod !== 0 || sent[next]!.start !== entry.start || sent[next]!.end !== entry.end;
  });
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
