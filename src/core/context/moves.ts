/**
 * The moves of a working context, and the only place that knows them: `enumerate` what could move, `refuse` what may
 * not and say why, `apply` what may. All three take a draft in the making or a finished layout; a node of a draft
 * made from a layout is the index of the entry that it stands for. Cooldowns and pins are the allocator's own rules.
 */
import { type BlockSpan, K, parentSpan, tokensPerEntry } from '../tree/ids.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import { DraftLayout, NONE } from './draft-layout.ts';
import { LayoutError } from './working-context.ts';
import type { Layout, MoveKind } from './working-context.ts';

/** A move that may be made, and what moves: the gist that expands, or the entries that collapse together. */
export interface Move extends BlockSpan {
  readonly kind: MoveKind;
  /** The first of the entries that move, and how many they are. */
  readonly first: number;
  readonly count: number;
}

/** Why a move may not be made. */
export type Obstacle =
  | 'already-raw'
  | 'children-missing'
  | 'forbidden'
  | 'no-budget'
  | 'open-tail'
  | 'protected-recent'
  | 'coarsest'
  | 'parent-missing'
  | 'siblings-mixed';

const EXPLANATIONS: Readonly<Record<Obstacle, string>> = {
  'already-raw': 'It is raw already: nothing is finer than LOD0.',
  'children-missing': 'A child is missing or pruned.',
  forbidden: 'Its expansion was forbidden by hand, or its document is hidden.',
  'no-budget': 'The budget has no room for its children.',
  'open-tail': 'The open tail is not a full block yet.',
  'protected-recent': 'It lies in the protected recent window.',
  coarsest: 'It is at the coarsest level of the tree.',
  'parent-missing': 'The parent gist does not exist yet or is pruned.',
  'siblings-mixed': 'Not all 32 siblings are in the window at this level.',
};

/** In words; null stands for no obstacle. */
export function explainObstacle(obstacle: Obstacle | null): string {
  return obstacle === null ? 'Allowed.' : EXPLANATIONS[obstacle];
}

/** What the rules look at beside the layout. */
export interface MoveRules {
  readonly tree: GistTree;
  /** First token of the protected recent window, in which nothing raw collapses. */
  readonly recentStart: number;
  /** Budget left for an expansion; Infinity where somebody else asks who pays. */
  readonly freeTokens: number;
}

/** Tokens that an expansion adds: every gist costs 1 and its children cost K. */
export const EXPANSION_COST = K - 1;

/** The largest share of the budget that the protected recent window may take, so that history keeps a place. */
export const RECENT_SHARE = 0.75;

/** The parameters that decide how much of the newest history stays raw. */
interface RecentConfig {
  readonly recentTokens: number;
  readonly budgetTokens: number;
}

/**
 * First token of the protected recent window: at least `recentTokens` tokens, from a block's start to the cursor,
 * open tail included. Where that would take more than three quarters of the budget, the window shrinks by blocks.
 */
export function protectedStart(cursor: number, config: RecentConfig): number {
  const cap = Math.max(K, Math.floor(config.budgetTokens * RECENT_SHARE));
  const start = Math.floor(Math.max(0, cursor - Math.min(config.recentTokens, cap)) / K) * K;
  return cursor - start > cap ? start + K : start;
}

/** The rules for a layout under a run's parameters, budget aside. */
export function moveRules(layout: Layout, tree: GistTree, config: RecentConfig): MoveRules {
  return { tree, recentStart: protectedStart(layout.cursor, config), freeTokens: Infinity };
}

/**
 * Visit everything that could move as far as the layout goes, in order of position: every gist to expand, every
 * closed raw block and every whole group of siblings, by its first node, to collapse. A visitor may collapse the
 * node that it is called with.
 */
export function enumerate(
  on: DraftLayout | Layout,
  visit: { readonly expand?: (node: number) => void; readonly collapse?: (first: number) => void },
): void {
  const draft = draftOf(on);
  const { lod, start, end, next } = draft;
  for (let node = draft.first; node !== NONE; node = next[node]!) {
    if (lod[node] === 0) {
      if (!draft.isOpenTail(node)) visit.collapse?.(node);
      continue;
    }
    visit.expand?.(node);
    if (visit.collapse === undefined) continue;
    const isEldest = start[node]! % (K * (end[node]! - start[node]!)) === 0;
    if (isEldest && draft.firstSibling(node) === node) visit.collapse(node);
  }
}

/** Every move that the rules allow, in order of position. */
export function legalMoves(layout: Layout, rules: MoveRules): readonly Move[] {
  const draft = new DraftLayout(layout);
  const moves: Move[] = [];
  const take = (kind: MoveKind, first: number, count: number): void => {
    if (refuse(draft, kind, first, rules) !== null) return;
    const { lod, start } = layout.entries[first]!;
    moves.push({ kind, first, count, lod, start, end: layout.entries[first + count - 1]!.end });
  };
  enumerate(draft, {
    expand: (node) => {
      take('expand', node, 1);
    },
    collapse: (first) => {
      take('collapse', first, draft.unitSize(first));
    },
  });
  return moves;
}

/**
 * Why a node may not move; null if it may.
 *
 * @param node - the gist that would expand, or any of the entries that would collapse together.
 */
export function refuse(
  on: DraftLayout | Layout,
  kind: MoveKind,
  node: number,
  rules: MoveRules,
): Obstacle | null {
  const draft = draftOf(on);
  return kind === 'expand' ? refuseExpansion(draft, node, rules) : refuseCollapse(draft, node, rules);
}

function refuseExpansion(draft: DraftLayout, node: number, { tree, freeTokens }: MoveRules): Obstacle | null {
  const lod = draft.lod[node]!;
  const start = draft.start[node]!;
  if (lod === 0) return 'already-raw';
  if (!tree.canServeChildren(lod, start)) return 'children-missing';
  if (isForbidden(tree, lod, start)) return 'forbidden';
  return freeTokens < EXPANSION_COST ? 'no-budget' : null;
}

function refuseCollapse(draft: DraftLayout, node: number, { tree, recentStart }: MoveRules): Obstacle | null {
  const lod = draft.lod[node]!;
  if (draft.isOpenTail(node)) return 'open-tail';
  if (
    lod === 0 &&
    draft.end[node]! > recentStart &&
    !tree.hidden.holds(draft.start[node]!, draft.end[node]!)
  ) {
    return 'protected-recent';
  }
  if (lod >= tree.maxLod) return 'coarsest';
  const parent = parentSpan(lod, draft.start[node]!);
  if (!tree.canServe(parent.lod, parent.start)) return 'parent-missing';
  return draft.firstSibling(node) === NONE ? 'siblings-mixed' : null;
}

/** True if the researcher forbade to expand this gist or one that holds it, or hid what it stands for. */
export function isForbidden(tree: GistTree, lod: number, start: number): boolean {
  if (tree.hidden.holdsBlocks(start, start + tokensPerEntry(lod))) return true;
  for (let above = Math.max(1, lod); above <= tree.maxLod; above++) {
    const columns = tree.metadata(above);
    if (columns.forbiddenCount === 0) continue;
    const row = Math.floor(start / tokensPerEntry(above));
    if (row < columns.length && columns.hasFlag(row, 'forbidden')) return true;
  }
  return false;
}

/**
 * Make a move in a draft.
 *
 * @param node - the gist that expands, or any of the entries that collapse together; `refuse` has allowed it.
 * @returns the node where the finer entries begin, or that of the parent.
 */
export function apply(draft: DraftLayout, kind: MoveKind, node: number): number;
/**
 * The layout after a move.
 *
 * @throws {LayoutError} if the layout or the tree has not what the move needs. Budget, recent window and marks are
 * not looked at: counterfactuals ask what a move would be worth, not whether it may be made.
 */
export function apply(layout: Layout, kind: MoveKind, index: number, tree: GistTree): Layout;
export function apply(
  on: DraftLayout | Layout,
  kind: MoveKind,
  node: number,
  tree?: GistTree,
): number | Layout {
  if (on instanceof DraftLayout) {
    if (kind === 'expand') {
      on.expand(node);
      return node;
    }
    const first = on.firstSibling(node);
    on.collapse(first);
    return first;
  }
  const draft = new DraftLayout(on, null, K);
  const entry = on.entries[node];
  const rules = { tree: tree!, recentStart: Infinity, freeTokens: Infinity };
  const obstacle = entry === undefined ? 'no entry' : refuse(draft, kind, node, rules);
  if (obstacle !== null && obstacle !== 'forbidden') {
    throw new LayoutError(`Entry ${node} cannot ${kind}: ${obstacle}.`);
  }
  apply(draft, kind, node);
  return draft.toLayout();
}

function draftOf(on: DraftLayout | Layout): DraftLayout {
  return on instanceof DraftLayout ? on : new DraftLayout(on);
}
