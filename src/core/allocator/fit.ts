/** Keeping the budget: forced collapses, lowest score first, and eviction of the oldest entry as the last resort. */
import { AllocationStep } from './allocation-step.ts';
import type { Allocation, AllocatorConfig, AllocatorState } from './focus-allocator.ts';
import type { PinnedSpan, Layout } from '../context/working-context.ts';
import type { Reason } from '../trace/telemetry.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import { extendLayout } from '../context/working-context.ts';

/** Units that may collapse by force, lowest score first; parents join as their groups become whole. */
export class ForcedCollapses {
  private readonly heap: { first: number; tier: number; score: number; start: number }[] = [];

  /**
   * @param mayOverrulePins - pinned units queue too, behind all others.
   */
  constructor(
    private readonly step: AllocationStep,
    private readonly mayOverrulePins: boolean,
  ) {
    step.forEachUnit((first) => {
      this.offer(first);
    });
  }

  /** Units left, whatever their scores. */
  get size(): number {
    return this.heap.length;
  }

  /**
   * Collapse the lowest unit.
   *
   * @param highestScore - units that hold an entry scored above this are passed over, for good.
   * @returns false if none is left.
   */
  collapseLowest(reason: Reason, highestScore = Infinity): boolean {
    let unit = this.pop();
    while (unit !== undefined && this.holdsAbove(unit.first, highestScore)) unit = this.pop();
    if (unit === undefined) return false;
    const parent = this.step.applyCollapse(unit.first, { reason, rank: null });
    const group = this.step.bench.firstSibling(parent);
    if (group >= 0) this.offer(group);
    return true;
  }

  private holdsAbove(first: number, score: number): boolean {
    const { bench } = this.step;
    return score !== Infinity && bench.highestScore(first, this.step.unitSize(first)) > score;
  }

  private offer(first: number): void {
    const { step } = this;
    const refusal = step.collapseRefusal(first);
    if (refusal !== null && !(this.mayOverrulePins && refusal.reason === 'pinned')) return;
    const unit = {
      first,
      tier: refusal === null ? 0 : 1,
      score: step.bench.meanScore(first, step.unitSize(first)),
      start: step.bench.start[first]!,
    };
    this.heap.push(unit);
    for (let child = this.heap.length - 1; child > 0;) {
      const parent = (child - 1) >>> 1;
      if (!this.isBefore(child, parent)) break;
      this.swap(child, parent);
      child = parent;
    }
  }

  private pop(): { first: number } | undefined {
    const top = this.heap[0];
    const last = this.heap.pop();
    if (top === undefined || last === undefined || this.heap.length === 0) return top;
    this.heap[0] = last;
    for (let parent = 0; ;) {
      const child = 2 * parent + 1;
      const best = child + 1 < this.heap.length && this.isBefore(child + 1, child) ? child + 1 : child;
      if (best >= this.heap.length || !this.isBefore(best, parent)) return top;
      this.swap(parent, best);
      parent = best;
    }
  }

  /** Unpinned before pinned, low score before high, far from the cursor before near. */
  private isBefore(a: number, b: number): boolean {
    const x = this.heap[a]!;
    const y = this.heap[b]!;
    return (x.tier - y.tier || x.score - y.score || x.start - y.start) < 0;
  }

  private swap(a: number, b: number): void {
    const unit = this.heap[a]!;
    this.heap[a] = this.heap[b]!;
    this.heap[b] = unit;
  }
}

/**
 * Collapse by force until the step's budget holds, ignoring thresholds; then pinned spans; then the oldest entry
 * leaves the window, again and again. Cooldowns hold throughout.
 */
export function fitToBudget(step: AllocationStep): void {
  if (step.freeTokens >= 0) return;
  const collapses = new ForcedCollapses(step, true);
  while (step.freeTokens < 0 && collapses.collapseLowest('over-budget'));
  while (step.freeTokens < 0 && step.bench.size > 1) step.applyEvict();
}

export interface FitInput {
  readonly layout: Layout;
  readonly tree: GistTree;
  readonly config: AllocatorConfig;
  readonly state: AllocatorState;
  /** `[entries.length]` the scores carried over from the last refocus; without them the oldest collapses first. */
  readonly scores?: Float32Array;
  readonly pins?: readonly PinnedSpan[];
}

/** Collapse by force until `incomingTokens` more fit. Used before tokens enter between two refocuses. */
export function makeRoom(input: FitInput, incomingTokens: number): Allocation {
  const { layout, tree, config, state, scores } = input;
  const reserveTokens = Math.min(incomingTokens, config.budgetTokens);
  if (layout.usedTokens + reserveTokens <= config.budgetTokens) {
    return { layout, scores: scores ?? new Float32Array(layout.entries.length), state, actions: [] };
  }
  const step = new AllocationStep({
    layout,
    scores: scores ?? null,
    tree,
    config,
    state,
    pass: 0,
    pins: input.pins ?? [],
    reserveTokens,
    maxExpansions: 0,
  });
  fitToBudget(step);
  return step.outcome(state, layout);
}

/**
 * Take tokens up to `cursor` into the layout and keep the budget. The tree must hold them already, and should
 * hold the gists of the blocks that they close, or those blocks can only stay raw or be evicted.
 */
export function appendAndFit(input: FitInput, cursor: number): Allocation {
  const layout = extendLayout(input.layout, cursor);
  const scores = new Float32Array(layout.entries.length);
  if (input.scores !== undefined) scores.set(input.scores.subarray(0, layout.entries.length));
  const state = {
    ...input.state,
    netCost: input.state.netCost + layout.usedTokens - input.layout.usedTokens,
  };
  return makeRoom({ ...input, layout, state, ...(input.scores === undefined ? {} : { scores }) }, 0);
}
