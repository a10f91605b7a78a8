/** One allocator pass in progress: the draft it works on, the rules that hold for every strategy, and its record. */
import { TopList } from '../../../base/top-list.ts';
import { type BlockSpan, K, parentSpan } from '../../tree/ids.ts';
import type { GistTree } from '../../tree/gist-tree.ts';
import { DraftLayout } from '../../context/draft-layout.ts';
import { EXPANSION_COST, apply, moveRules, refuse } from '../../context/moves.ts';
import type { MoveRules, Obstacle } from '../../context/moves.ts';
import type { Layout, PinnedSpan } from '../../context/working-context.ts';
import type { ActionRecord, LayoutEntry, Reason } from '../../trace/telemetry.ts';
import { CooldownTable, stateAfter } from './allocator-state.ts';
import type { AllocatorConfig, AllocatorState } from './allocator-state.ts';

/** How many refused candidates one pass records. */
export const MAX_REFUSED = 32;

export interface PassInput {
  readonly layout: Layout;
  /** `[entries.length]`, or null where nothing was scored. */
  readonly scores: Float32Array | null;
  readonly tree: GistTree;
  readonly config: AllocatorConfig;
  /** Its step is the pass's own refocus. */
  readonly state: AllocatorState;
  /** 0 begins a refocus; higher passes refine the same one. */
  readonly pass?: number;
  readonly pins?: readonly PinnedSpan[];
  /** Budget kept free for tokens that arrive later. */
  readonly reserveTokens?: number;
  /** Expansions that the pass may make at most. */
  readonly maxExpansions?: number;
}

/** What a pass came to. */
export interface Allocation {
  /** Within the budget, less the reserve. */
  readonly layout: Layout;
  /** `[layout.entries.length]` the scores carried over to the new layout; children and parents inherit them. */
  readonly scores: Float32Array;
  readonly state: AllocatorState;
  /** Applied actions in order, then refused candidates (at most `MAX_REFUSED`), highest |score| first. */
  readonly actions: readonly ActionRecord[];
}

/** A legal move that a score asks for. For a sibling group: its first node, and the mean score. */
export interface Candidate extends BlockSpan {
  readonly node: number;
  readonly score: number;
}

/** Why a move was taken, for its record. */
interface MoveReason {
  readonly reason: Reason;
  readonly rank: number | null;
  readonly paidBy?: readonly LayoutEntry[];
}

/** Why a move was not taken, for its record. */
export interface Refusal {
  readonly reason: Reason;
  readonly missingTokens?: number;
  readonly cooldownLeft?: number;
}

/** What stands against a collapse that tree and layout allow; a forced one may overrule it. */
export interface Hold {
  readonly isPinned: boolean;
  readonly isCooling: boolean;
}

export class AllocationPass {
  readonly draft: DraftLayout;
  readonly tree: GistTree;
  readonly config: AllocatorConfig;
  readonly state: AllocatorState;
  readonly pins: readonly PinnedSpan[];
  /** Which pass of its refocus. */
  readonly number: number;
  /** Candidates that were not taken, with the reason. */
  readonly refused = new TopList<ActionRecord>(MAX_REFUSED);
  /** The only LOD1 gists that may expand, by node; null where nothing but the budget limits them. */
  mayOpen: ReadonlySet<number> | null = null;
  private readonly applied: ActionRecord[] = [];
  private readonly rules: MoveRules;
  private readonly cooldowns: CooldownTable;
  private readonly hasScores: boolean;
  private readonly budget: number;

  constructor({ layout, scores, tree, config, state, ...more }: PassInput) {
    this.draft = new DraftLayout(layout, scores, (more.maxExpansions ?? 0) * K);
    this.tree = tree;
    this.config = config;
    this.state = state;
    this.pins = more.pins ?? [];
    this.number = more.pass ?? 0;
    this.rules = moveRules(layout, tree, config);
    this.cooldowns = new CooldownTable(state.cooldowns, state.step, config.cooldownSteps);
    this.hasScores = scores !== null;
    this.budget = config.budgetTokens - (more.reserveTokens ?? 0);
  }

  /** Budget left; negative when over it. */
  get freeTokens(): number {
    return this.budget - this.draft.usedTokens;
  }

  /** Actions that the strategy may still take in this refocus. */
  get limit(): number {
    return Math.max(0, this.config.maxActions - this.state.actionsTaken);
  }

  isPinned(start: number, end: number): boolean {
    return this.pins.some((pin) => pin.start < end && start < pin.end);
  }

  /** What the pass came to. @param taken - actions that count against the limit. */
  outcome(taken = 0): Allocation {
    const { state, draft, applied } = this;
    const after = stateAfter(state, applied, this.config);
    return {
      layout: draft.toLayout(),
      scores: draft.toScores(),
      state: { ...after, actionsTaken: state.actionsTaken + taken },
      actions: [...applied, ...this.refused.toSorted()],
    };
  }

  /** Why this gist may not expand, budget aside; null if it may. */
  expandRefusal(node: number): Refusal | null {
    const obstacle = refuse(this.draft, 'expand', node, this.rules);
    if (obstacle !== null) return { reason: reasonOf(obstacle) };
    if (this.draft.lod[node] === 1 && this.mayOpen?.has(node) === false) return { reason: 'enough-open' };
    const cooldownLeft = this.cooldowns.left(this.draft.lod[node]!, this.draft.start[node]!, 'expand');
    return cooldownLeft > 0 ? { reason: 'cooldown', cooldownLeft } : null;
  }

  /** Why the raw block at `first`, or its whole sibling group, may not collapse; null if it may. */
  collapseRefusal(first: number): Refusal | null {
    const obstacle = refuse(this.draft, 'collapse', first, this.rules);
    if (obstacle !== null) return { reason: reasonOf(obstacle) };
    const { lod, start, end } = parentSpan(this.draft.lod[first]!, this.draft.start[first]!);
    const cooldownLeft = this.cooldowns.left(lod, start, 'collapse');
    if (cooldownLeft > 0) return { reason: 'cooldown', cooldownLeft };
    return this.isPinned(start, end) ? { reason: 'pinned' } : null;
  }

  /** What holds the raw block at `first`, or its sibling group; null if tree or layout do not let it collapse. */
  holdOf(first: number): Hold | null {
    if (refuse(this.draft, 'collapse', first, this.rules) !== null) return null;
    const { lod, start, end } = parentSpan(this.draft.lod[first]!, this.draft.start[first]!);
    const isCooling = this.cooldowns.left(lod, start, 'collapse') > 0;
    return { isPinned: this.isPinned(start, end), isCooling };
  }

  /** @returns the span that the unit collapsed into. */
  collapse(first: number, { reason, rank }: Omit<MoveReason, 'paidBy'>): LayoutEntry {
    const { draft } = this;
    const node = apply(draft, 'collapse', first);
    const lod = draft.lod[node]!;
    const start = draft.start[node]!;
    const end = draft.end[node]!;
    this.cooldowns.add(lod, start, 'collapse');
    const score = this.scored(draft.score[node]!);
    const span = { kind: 'collapse', lod, start, end, toLod: lod } as const;
    this.record({ ...span, score, costDelta: -EXPANSION_COST, reason, rank });
    return [lod, start, end];
  }

  expand(node: number, { paidBy = [], ...why }: MoveReason): void {
    const { draft } = this;
    const lod = draft.lod[node]!;
    const start = draft.start[node]!;
    const end = draft.end[node]!;
    apply(draft, 'expand', node);
    this.cooldowns.add(lod, start, 'expand');
    const score = this.scored(draft.score[node]!);
    const span = { kind: 'expand', lod, start, end, toLod: lod - 1 } as const;
    const paid = paidBy.length > 0 ? { paidBy: [...paidBy] } : {};
    this.record({ ...span, score, costDelta: EXPANSION_COST, ...why, ...paid });
  }

  /** The oldest entry leaves the window. */
  evict(): void {
    const { draft } = this;
    const node = draft.first;
    const lod = draft.lod[node]!;
    this.record({
      kind: 'evict',
      lod,
      start: draft.start[node]!,
      end: draft.end[node]!,
      toLod: lod,
      score: this.scored(draft.score[node]!),
      rank: null,
      costDelta: -draft.costOf(node),
      reason: 'coarsest-and-over-budget',
    });
    draft.evictFirst();
  }

  /** An evicted span is in the window again. @returns its node. */
  readmit({ lod, start, end }: BlockSpan): number {
    const node = this.draft.admitFirst({ lod, start, end });
    const costDelta = this.draft.costOf(node);
    const span = { kind: 'readmit', lod, start, end, toLod: lod } as const;
    this.record({ ...span, score: null, rank: null, costDelta, reason: 'fits-again' });
    return node;
  }

  /** The record of an expansion candidate that was not applied. */
  refusedExpand(
    { lod, start, end }: BlockSpan,
    score: number,
    rank: number | null,
    refusal: Refusal,
  ): ActionRecord {
    return {
      kind: 'expand',
      lod,
      start,
      end,
      toLod: Math.max(0, lod - 1),
      score: this.scored(score),
      rank,
      costDelta: EXPANSION_COST,
      applied: false,
      ...refusal,
      pass: this.number,
    };
  }

  /** The record of a collapse candidate that was not applied. */
  refusedCollapse(span: BlockSpan, score: number, rank: number | null, refusal: Refusal): ActionRecord {
    // The coarsest level has no parent: its own span stands in the record.
    const { lod, start, end } = parentSpan(Math.min(span.lod, this.tree.maxLod - 1), span.start);
    return {
      kind: 'collapse',
      lod,
      start,
      end,
      toLod: lod,
      score: this.scored(score),
      rank,
      costDelta: -EXPANSION_COST,
      applied: false,
      ...refusal,
      pass: this.number,
    };
  }

  /** Note a ranked candidate that was not taken. */
  refuse(kind: 'expand' | 'collapse', candidate: Candidate, rank: number, refusal: Refusal): void {
    const { score, start } = candidate;
    const key = Math.abs(score);
    if (!this.refused.accepts(key, start)) return;
    const record =
      kind === 'expand'
        ? this.refusedExpand(candidate, score, rank, refusal)
        : this.refusedCollapse(candidate, score, rank, refusal);
    this.refused.offer(record, key, start);
  }

  /** Note the expansions that are left when all moves are made: the budget or the action limit stood in the way. */
  refuseExpansions(left: readonly { readonly candidate: Candidate; readonly rank: number }[]): void {
    const missingTokens = EXPANSION_COST - this.freeTokens;
    const refusal: Refusal =
      missingTokens > 0 ? { reason: 'no-budget', missingTokens } : { reason: 'action-limit' };
    for (const { candidate, rank } of left) this.refuse('expand', candidate, rank, refusal);
  }

  private record(action: Omit<ActionRecord, 'applied' | 'pass'>): void {
    this.applied.push({ ...action, applied: true, pass: this.number });
  }

  private scored(score: number): number | null {
    return this.hasScores ? score : null;
  }
}

/** As traces name it. */
function reasonOf(obstacle: Obstacle): Reason {
  return obstacle === 'protected-recent' || obstacle === 'forbidden' ? obstacle : 'not-legal';
}
