/** Which moves a layout allows, and in words why not: the same rules for every policy and for the page. */
import { isOpenTail, siblingRun } from './working-context.ts';
import type { Entry, Layout } from './working-context.ts';
import { K, parentSpan, tokensPerEntry } from '../tree/ids.ts';
import type { GistTree } from '../tree/gist-tree.ts';

/** Codes of the masks; `legal` is 1 so that a mask reads as a boolean, every reason is 2 or more. */
export const LEGALITY = {
  legal: 1,
  alreadyRaw: 2,
  childrenMissing: 3,
  noBudget: 4,
  openTail: 5,
  protectedRecent: 6,
  siblingsMixed: 7,
  parentMissing: 8,
  coarsest: 9,
  forbidden: 10,
} as const;
export type Legality = (typeof LEGALITY)[keyof typeof LEGALITY];

const EXPLANATIONS: Readonly<Record<Legality, string>> = {
  [LEGALITY.legal]: 'Allowed.',
  [LEGALITY.alreadyRaw]: 'It is raw already: nothing is finer than LOD0.',
  [LEGALITY.childrenMissing]: 'A child is missing or pruned.',
  [LEGALITY.noBudget]: 'The budget has no room for its children.',
  [LEGALITY.openTail]: 'The open tail is not a full block yet.',
  [LEGALITY.protectedRecent]: 'It lies in the protected recent window.',
  [LEGALITY.siblingsMixed]: 'Not all 32 siblings are in the window at this level.',
  [LEGALITY.parentMissing]: 'The parent gist does not exist yet or is pruned.',
  [LEGALITY.coarsest]: 'It is at the coarsest level of the tree.',
  [LEGALITY.forbidden]: 'Its expansion was forbidden by hand.',
};

export function explainLegality(code: Legality): string {
  return EXPLANATIONS[code];
}

/** Tokens that an expansion adds: every gist costs 1 and its children cost K. */
export const EXPANSION_COST = K - 1;

/** The largest share of the budget that the protected recent window may take, so that history keeps a place. */
export const RECENT_SHARE = 0.75;

/**
 * First token of the protected recent window: at least `recentTokens` tokens, from a block's start to the cursor,
 * open tail included. Where that would take more than three quarters of the budget, the window shrinks by blocks.
 */
export function protectedStart(
  cursor: number,
  config: { readonly recentTokens: number; readonly budgetTokens: number },
): number {
  const cap = Math.max(K, Math.floor(config.budgetTokens * RECENT_SHARE));
  const start = Math.floor(Math.max(0, cursor - Math.min(config.recentTokens, cap)) / K) * K;
  return cursor - start > cap ? start + K : start;
}

/** Can this entry be replaced by its children? `freeTokens`: budget left, after collapses of the same step. */
export function expandLegality(entry: Entry, tree: GistTree, freeTokens: number): Legality {
  if (entry.lod === 0) return LEGALITY.alreadyRaw;
  if (!tree.canServeChildren(entry.lod, entry.start)) return LEGALITY.childrenMissing;
  if (isForbidden(tree, entry.lod, entry.start)) return LEGALITY.forbidden;
  return freeTokens < EXPANSION_COST ? LEGALITY.noBudget : LEGALITY.legal;
}

/** True if the researcher forbade to expand this gist or one that holds it. */
export function isForbidden(tree: GistTree, lod: number, start: number): boolean {
  for (let above = Math.max(1, lod); above <= tree.maxLod; above++) {
    const columns = tree.metadata(above);
    const row = Math.floor(start / tokensPerEntry(above));
    if (row < columns.length && columns.hasFlag(row, 'forbidden')) return true;
  }
  return false;
}

/** Can entry `index`, with its siblings above LOD0, be replaced by its parent? */
export function collapseLegality(
  layout: Layout,
  index: number,
  tree: GistTree,
  recentStart: number,
): Legality {
  const entry = layout.entries[index]!;
  if (isOpenTail(entry)) return LEGALITY.openTail;
  if (entry.lod === 0 && entry.end > recentStart) return LEGALITY.protectedRecent;
  if (entry.lod >= tree.maxLod) return LEGALITY.coarsest;
  const parent = parentSpan(entry.lod, entry.start);
  if (!tree.canServe(parent.lod, parent.start)) return LEGALITY.parentMissing;
  return siblingRun(layout, index) === null ? LEGALITY.siblingsMixed : LEGALITY.legal;
}

/** `[entries.length]` codes per entry, for policies that enumerate moves and for the page. */
export interface LegalityMasks {
  readonly canExpand: Uint8Array;
  readonly canCollapse: Uint8Array;
}

export function legalityMasks(
  layout: Layout,
  tree: GistTree,
  config: { readonly recentTokens: number; readonly budgetTokens: number },
): LegalityMasks {
  const count = layout.entries.length;
  const masks = { canExpand: new Uint8Array(count), canCollapse: new Uint8Array(count) };
  const recentStart = protectedStart(layout.cursor, config);
  const freeTokens = config.budgetTokens - layout.usedTokens;
  for (let i = 0; i < count; i++) {
    masks.canExpand[i] = expandLegality(layout.entries[i]!, tree, freeTokens);
    masks.canCollapse[i] = collapseLegality(layout, i, tree, recentStart);
  }
  return masks;
}
