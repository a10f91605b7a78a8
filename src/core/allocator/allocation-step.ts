/** One allocator step in progress: the workbench, the rules that hold for every strategy, and the record of it. */
import type { Allocation, AllocatorConfig, AllocatorState } from './focus-allocator.ts';
import type { PinnedSpan, Layout } from '../context/working-context.ts';
import { CooldownTable } from './cooldowns.ts';
import { K, parentSpan } from '../tree/ids.ts';
import { EXPANSION_COST, isForbidden, protectedStart } from '../context/moves.ts';
import type { ActionRecord, LayoutEntry, Reason } from '../trace/telemetry.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import { NONE, DraftLayout } from '../context/draft-layout.ts';

export interface AllocationStepInput {
  readonly layout: Layout;
  readonly scores: Float32Array | null;
  readonly tree: GistTree;
  readonly config: AllocatorConfig;
  readonly state: AllocatorState;
  readonly pass: number;
  readonly pins: readonly PinnedSpan[];
  readonly reserveTokens: number;
  /** Expansions that the step may make at most. */
  readonly maxExpansions: number;
}

/** Why a move was taken, for its record. */
export interface MoveReason {
  readonly reason: Reason;
  readonly rank: number | null;
  readonly paidBy?: readonly LayoutEntry[];
}

export interface Refusal {
  readonly reason: Reason;
  readonly missingTokens?: number;
  readonly cooldownLeft?: number;
}

export class AllocationStep {
  readonly bench: DraftLayout;
  readonly tree: GistTree;
  readonly actions: ActionRecord[] = [];
  private readonly cooldowns: CooldownTable;
  private readonly recentStart: number;
  private readonly pins: readonly PinnedSpan[];
  private readonly pass: number;
  private readonly hasScores: boolean;
  private readonly budget: number;

  constructor(input: AllocationStepInput) {
    const { config, state } = input;
    this.bench = new DraftLayout(input.layout, input.scores, input.maxExpansions);
    this.tree = input.tree;
    this.cooldowns = new CooldownTable(state, state.step, config.cooldownSteps);
    this.recentStart = protectedStart(input.layout.cursor, config);
    this.pins = input.pins;
    this.pass = input.pass;
    this.hasScores = input.scores !== null;
    this.budget = config.budgetTokens - input.reserveTokens;
  }

  /** Budget left; negative when over it. */
  get freeTokens(): number {
    return this.budget - this.bench.usedTokens;
  }

  isPinned(start: number, end: number): boolean {
    return this.pins.some((pin) => pin.start < end && start < pin.end);
  }

  /** What the moves so far came to, for a step that began with `state` and `layout`. */
  outcome(state: AllocatorState, layout: Layout): Allocation {
    return {
      layout: this.bench.toLayout(),
      scores: this.bench.toScores(),
      state: {
        ...state,
        netCost: state.netCost + this.bench.usedTokens - layout.usedTokens,
        cooldowns: this.cooldowns.toList(),
      },
      actions: this.actions,
    };
  }

  /** Nodes that collapse together with this one: 1 at LOD0, K above. */
  unitSize(node: number): number {
    return this.bench.lod[node] === 0 ? 1 : K;
  }

  /**
   * Why the raw block at `first`, or its whole sibling group, may not collapse; null if it may. A pin is the
   * last rule looked at, so that a forced collapse may overrule it and nothing else.
   */
  collapseRefusal(first: number): Refusal | null {
    const { bench, tree } = this;
    const lod = bench.lod[first]!;
    const parent = parentSpan(lod, bench.start[first]!);
    if (lod === 0 && bench.end[first]! > this.recentStart) return { reason: 'protected-recent' };
    if (lod >= tree.maxLod || !tree.canServe(parent.lod, parent.start)) return { reason: 'not-legal' };
    if (lod > 0 && bench.firstSibling(first) !== first) return { reason: 'not-legal' };
    const cooldownLeft = this.cooldowns.left(parent.lod, parent.start, 'collapse');
    if (cooldownLeft > 0) return { reason: 'cooldown', cooldownLeft };
    return this.isPinned(parent.start, parent.end) ? { reason: 'pinned' } : null;
  }

  /** Why this gist may not expand, budget aside; null if it may. */
  expandRefusal(node: number): Refusal | null {
    const { bench, tree } = this;
    const lod = bench.lod[node]!;
    const start = bench.start[node]!;
    if (!tree.canServeChildren(lod, start)) return { reason: 'not-legal' };
    if (isForbidden(tree, lod, start)) return { reason: 'forbidden' };
    const cooldownLeft = this.cooldowns.left(lod, start, 'expand');
    return cooldownLeft > 0 ? { reason: 'cooldown', cooldownLeft } : null;
  }

  /** @returns the parent's node. */
  applyCollapse(first: number, why: MoveReason): number {
    const node = this.bench.collapse(first, this.unitSize(first));
    const lod = this.bench.lod[node]!;
    const start = this.bench.start[node]!;
    this.cooldowns.add(lod, start, 'collapse');
    this.actions.push({
      kind: 'collapse',
      lod,
      start,
      end: this.bench.end[node]!,
      toLod: lod,
      score: this.scoreFor(this.bench.score[node]!),
      rank: why.rank,
      costDelta: -EXPANSION_COST,
      reason: why.reason,
      applied: true,
      pass: this.pass,
    });
    return node;
  }

  applyExpand(node: number, why: MoveReason): void {
    const lod = this.bench.lod[node]!;
    const start = this.bench.start[node]!;
    const end = this.bench.end[node]!;
    this.bench.expand(node);
    this.cooldowns.add(lod, start, 'expand');
    this.actions.push({
      kind: 'expand',
      lod,
      start,
      end,
      toLod: lod - 1,
      score: this.scoreFor(this.bench.score[node]!),
      rank: why.rank,
      costDelta: EXPANSION_COST,
      reason: why.reason,
      applied: true,
      ...(why.paidBy !== undefined && why.paidBy.length > 0 ? { paidBy: [...why.paidBy] } : {}),
      pass: this.pass,
    });
  }

  /** The oldest entry leaves the window. */
  applyEvict(): void {
    const node = this.bench.first;
    const lod = this.bench.lod[node]!;
    this.actions.push({
      kind: 'evict',
      lod,
      start: this.bench.start[node]!,
      end: this.bench.end[node]!,
      toLod: lod,
      score: this.scoreFor(this.bench.score[node]!),
      rank: null,
      costDelta: -this.bench.costOf(node),
      reason: 'coarsest-and-over-budget',
      applied: true,
      pass: this.pass,
    });
    this.bench.evictFirst();
  }

  /** The record of a collapse candidate that was not applied. */
  refusedCollapse(
    lod: number,
    start: number,
    score: number,
    rank: number | null,
    refusal: Refusal,
  ): ActionRecord {
    // The coarsest level has no parent: its own span stands in the record.
    const parent = parentSpan(Math.min(lod, this.tree.maxLod - 1), start);
    return {
      kind: 'collapse',
      lod: parent.lod,
      start: parent.start,
      end: parent.end,
      toLod: parent.lod,
      score: this.scoreFor(score),
      rank,
      costDelta: -EXPANSION_COST,
      applied: false,
      ...refusal,
      pass: this.pass,
    };
  }

  /** The record of an expansion candidate that was not applied. */
  refusedExpand(
    span: { readonly lod: number; readonly start: number; readonly end: number },
    score: number,
    rank: number | null,
    refusal: Refusal,
  ): ActionRecord {
    return {
      kind: 'expand',
      lod: span.lod,
      start: span.start,
      end: span.end,
      toLod: Math.max(0, span.lod - 1),
      score: this.scoreFor(score),
      rank,
      costDelta: EXPANSION_COST,
      applied: false,
      ...refusal,
      pass: this.pass,
    };
  }

  /** Visit every unit that could collapse as far as the layout goes: closed raw blocks and whole sibling groups. */
  forEachUnit(visit: (first: number) => void): void {
    const { bench } = this;
    for (let node = bench.first; node !== NONE; node = bench.next[node]!) {
      if (bench.lod[node] === 0) {
        if (!bench.isOpenTail(node)) visit(node);
      } else if (bench.start[node]! % (K * (bench.end[node]! - bench.start[node]!)) === 0) {
        if (bench.firstSibling(node) === node) visit(node);
      }
    }
  }

  private scoreFor(score: number): number | null {
    return this.hasScores ? score : null;
  }
}
