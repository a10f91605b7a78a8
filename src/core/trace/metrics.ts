/** What a refocus did, in numbers, and the running totals of a run. */
import type { ActionRecord } from './telemetry.ts';
import { spanIdOf } from '../tree/ids.ts';
import type { SpanId } from '../tree/ids.ts';
import type { Layout } from '../context/working-context.ts';

export interface StepMetrics {
  readonly usedTokens: number;
  readonly entryCount: number;
  /** Actions applied / entries in the working context that was scored. */
  readonly swapRate: number;
  /** usedTokens / budget. */
  readonly utilisation: number;
  /** Refocuses that an entry has stayed at its LOD, mean over entries. */
  readonly meanResidency: number;
  /** Share of the gists above τ_expand that were expanded; null if there was none. Raw entries cannot expand. */
  readonly coherence: number | null;
}

export interface StepMetricsInput {
  /** The layout that was scored first. */
  readonly scoredLayout: Layout;
  /** `[scoredLayout.entries.length]`. */
  readonly scores: Float32Array;
  readonly layout: Layout;
  readonly actions: readonly ActionRecord[];
  readonly config: { readonly budgetTokens: number; readonly tauExpand: number };
}

export function stepMetrics(input: StepMetricsInput): StepMetrics {
  const { layout, scoredLayout, actions, config } = input;
  const applied = actions.filter((action) => action.applied).length;
  let residency = 0;
  for (const steps of layout.residency) residency += steps;
  return {
    usedTokens: layout.usedTokens,
    entryCount: layout.entries.length,
    swapRate: scoredLayout.entries.length === 0 ? 0 : applied / scoredLayout.entries.length,
    utilisation: layout.usedTokens / config.budgetTokens,
    meanResidency: layout.entries.length === 0 ? 0 : residency / layout.entries.length,
    coherence: coherence(input),
  };
}

function coherence({ scoredLayout, scores, actions, config }: StepMetricsInput): number | null {
  const expanded = new Set<SpanId>();
  for (const action of actions) {
    if (action.applied && action.kind === 'expand') expanded.add(spanIdOf(action.lod, action.start));
  }
  let wanted = 0;
  let met = 0;
  for (let i = 0; i < scores.length; i++) {
    const entry = scoredLayout.entries[i]!;
    if (entry.lod === 0 || scores[i]! <= config.tauExpand) continue;
    wanted++;
    if (expanded.has(spanIdOf(entry.lod, entry.start))) met++;
  }
  return wanted === 0 ? null : met / wanted;
}

/** Totals over a run, named as the headless tools print them. */
export interface RunTotals {
  readonly refocuses: number;
  readonly expansions: number;
  readonly collapses: number;
  readonly evictions: number;
  readonly readmissions: number;
  readonly forcedCollapses: number;
  /** Means over refocuses; 0 before the first. */
  readonly swapRate: number;
  readonly meanResidency: number;
  readonly utilisation: number;
  /** Applied actions that undid one taken at most `FLIP_WINDOW` refocuses before / all applied actions. */
  readonly flipRate: number;
  readonly violations: number;
}

/** An action counts as undone if its opposite follows within this many refocuses. */
export const FLIP_WINDOW = 4;

export class MetricsAccumulator {
  private readonly lastMoves = new Map<
    SpanId,
    { readonly step: number; readonly kind: ActionRecord['kind'] }
  >();
  private readonly counts = {
    refocuses: 0,
    expansions: 0,
    collapses: 0,
    evictions: 0,
    readmissions: 0,
    forcedCollapses: 0,
    violations: 0,
  };
  private readonly sums = { swapRate: 0, meanResidency: 0, utilisation: 0 };
  private flips = 0;

  /** Count actions taken outside a refocus too: room made for new tokens, moves by hand. */
  addActions(step: number, actions: readonly ActionRecord[]): void {
    for (const action of actions) {
      if (!action.applied) continue;
      if (action.kind === 'evict' || action.kind === 'readmit') {
        if (action.kind === 'evict') this.counts.evictions++;
        else this.counts.readmissions++;
        continue;
      }
      if (action.kind === 'expand') this.counts.expansions++;
      else this.counts.collapses++;
      if (action.reason === 'over-budget') this.counts.forcedCollapses++;
      const span = spanIdOf(action.lod, action.start);
      const last = this.lastMoves.get(span);
      if (last !== undefined && last.kind !== action.kind && step - last.step <= FLIP_WINDOW) this.flips++;
      this.lastMoves.set(span, { step, kind: action.kind });
    }
    if (this.lastMoves.size > 4096) this.forgetBefore(step - FLIP_WINDOW);
  }

  addRefocus(step: number, metrics: StepMetrics, actions: readonly ActionRecord[], violations = 0): void {
    this.addActions(step, actions);
    this.counts.refocuses++;
    this.counts.violations += violations;
    this.sums.swapRate += metrics.swapRate;
    this.sums.meanResidency += metrics.meanResidency;
    this.sums.utilisation += metrics.utilisation;
  }

  totals(): RunTotals {
    const refocuses = Math.max(1, this.counts.refocuses);
    const moves = this.counts.expansions + this.counts.collapses;
    return {
      ...this.counts,
      swapRate: this.sums.swapRate / refocuses,
      meanResidency: this.sums.meanResidency / refocuses,
      utilisation: this.sums.utilisation / refocuses,
      flipRate: moves === 0 ? 0 : this.flips / moves,
    };
  }

  private forgetBefore(step: number): void {
    for (const [span, move] of this.lastMoves) if (move.step < step) this.lastMoves.delete(span);
  }
}
