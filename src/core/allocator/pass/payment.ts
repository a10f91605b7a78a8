/**
 * What pays: collapses that a score alone does not ask for. They keep the budget, make room for an expansion, and
 * bring back what was evicted; the lowest-scored unit always goes first.
 */
import { Heap } from '../../../base/heap.ts';
import { type BlockSpan, K, tokensPerEntry } from '../../tree/ids.ts';
import type { GistTree } from '../../tree/gist-tree.ts';
import { EXPANSION_COST, enumerate } from '../../context/moves.ts';
import { NONE } from '../../context/draft-layout.ts';
import type { LayoutEntry, Reason } from '../../trace/telemetry.ts';
import type { AllocationPass } from './allocation-pass.ts';

interface Unit {
  readonly first: number;
  /** 0 if nothing holds it, 1 if it is cooling down, 2 if it is pinned. */
  readonly hold: number;
  readonly isCooling: boolean;
  readonly score: number;
  readonly start: number;
}

/** Units that may collapse to pay, lowest score first; parents join as their groups become whole. */
export class Payers {
  /** Free before held, low score before high, far from the cursor before near. */
  private readonly units = new Heap<Unit>(
    (a, b) => a.hold - b.hold || a.score - b.score || a.start - b.start,
  );

  /** @param mayOverrule - units that are cooling down queue too, behind all others, and pinned ones behind those. */
  constructor(
    private readonly pass: AllocationPass,
    private readonly mayOverrule = false,
  ) {
    enumerate(pass.draft, {
      collapse: (first) => {
        this.offer(first);
      },
    });
  }

  /** Units left, whatever their scores. */
  get size(): number {
    return this.units.size;
  }

  /**
   * Collapse the lowest unit.
   *
   * @param highestScore - units that hold an entry scored above this are passed over, for good.
   * @returns the span it collapsed into, or null if none is left.
   */
  collapseLowest(reason: Reason, highestScore = Infinity): LayoutEntry | null {
    let unit = this.units.pop();
    while (unit !== undefined && this.holdsAbove(unit.first, highestScore)) unit = this.units.pop();
    if (unit === undefined) return null;
    const why = unit.isCooling ? 'cooldown-overruled' : reason;
    const paid = this.pass.collapse(unit.first, { reason: why, rank: null });
    this.offerGroupOf(unit.first);
    return paid;
  }

  /** Collapse until so many tokens are free, as far as there are units. @returns what was collapsed. */
  payFor(tokens: number, reason: Reason): LayoutEntry[] {
    const paidBy: LayoutEntry[] = [];
    while (this.pass.freeTokens < tokens) {
      const paid = this.collapseLowest(reason);
      if (paid === null) break;
      paidBy.push(paid);
    }
    return paidBy;
  }

  /** A gist joined the layout: its group may have become whole. */
  offerGroupOf(node: number): void {
    const group = this.pass.draft.firstSibling(node);
    if (group !== NONE) this.offer(group);
  }

  private holdsAbove(first: number, score: number): boolean {
    const { draft } = this.pass;
    return score !== Infinity && draft.highestScore(first, draft.unitSize(first)) > score;
  }

  private offer(first: number): void {
    const { pass } = this;
    const held = pass.holdOf(first);
    if (held === null) return;
    const { isPinned, isCooling } = held;
    if ((isPinned || isCooling) && !this.mayOverrule) return;
    const { draft } = pass;
    this.units.push({
      first,
      hold: isPinned ? 2 : Number(isCooling),
      isCooling,
      score: draft.meanScore(first, draft.unitSize(first)),
      start: draft.start[first]!,
    });
  }
}

/**
 * Collapse by force until the pass's budget holds, ignoring thresholds; where nothing else is left, what is cooling
 * down, and at last what is pinned. Only when everything is at its coarsest does the oldest entry leave the window,
 * again and again.
 */
export function fitToBudget(pass: AllocationPass): void {
  if (pass.freeTokens >= 0) return;
  new Payers(pass, true).payFor(0, 'over-budget');
  while (pass.freeTokens < 0 && pass.draft.size > 1) pass.evict();
}

/**
 * Nothing leaves for good: evicted spans come back, newest first, at the coarsest levels that tile them, as far as
 * the budget allows.
 *
 * @param mayPay - other blocks may collapse for it, as they would have before anything was evicted; not pinned ones,
 * and not against a cooldown.
 */
export function readmitEvicted(pass: AllocationPass, mayPay: boolean): void {
  let payers: Payers | null = null;
  for (let span = newestEvicted(pass); span !== null; span = newestEvicted(pass)) {
    const cost = span.lod === 0 ? K : 1;
    if (pass.freeTokens < cost && mayPay) {
      payers ??= new Payers(pass);
      if (pass.freeTokens + payers.size * EXPANSION_COST < cost) return;
      payers.payFor(cost, 'paid-for-readmission');
    }
    if (pass.freeTokens < cost) return;
    const node = pass.readmit(span);
    payers?.offerGroupOf(node);
  }
}

/** The evicted span right before the window, at the coarsest level that ends there; null if there is none. */
function newestEvicted({ draft, tree }: AllocationPass): BlockSpan | null {
  return draft.first === NONE ? null : coarsestBefore(tree, draft.start[draft.first]!);
}

function coarsestBefore(tree: GistTree, end: number): BlockSpan | null {
  if (end === 0) return null;
  for (let lod = tree.maxLod as number; lod >= 0; lod--) {
    const span = tokensPerEntry(lod);
    if (end % span === 0 && tree.canServe(lod, end - span)) return { lod, start: end - span, end };
  }
  return null;
}
