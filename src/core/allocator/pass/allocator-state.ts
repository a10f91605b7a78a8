/**
 * What the allocator remembers from one refocus to the next: drift, net cost and cooldowns. The live run and the
 * replay of a recorded one both come to it through `beginRefocus` and `stateAfter`, from the records of the actions.
 */
import type { RunConfig } from '../../trace/config.ts';
import type { MoveKind } from '../../context/working-context.ts';
import { spanIdOf } from '../../tree/ids.ts';
import type { SpanId } from '../../tree/ids.ts';

/** The parameters that the allocator reads. */
export type AllocatorConfig = Pick<
  RunConfig,
  | 'budgetTokens'
  | 'recentTokens'
  | 'tauExpand'
  | 'tauCollapse'
  | 'maxActions'
  | 'openNeighbours'
  | 'neighbourShare'
  | 'openBlocks'
  | 'cooldownSteps'
  | 'driftDecay'
  | 'driftGain'
  | 'strategy'
  | 'utilisationLow'
  | 'utilisationHigh'
  | 'tauStep'
  | 'tradeMargin'
  | 'strategyTopK'
  | 'strategyTemperature'
  | 'seed'
>;

/** Score limits for candidates: above `tauExpand` to expand, below `-tauCollapse` to collapse. */
export interface Thresholds {
  readonly tauExpand: number;
  readonly tauCollapse: number;
}

/**
 * The last move of a span: it was expanded into its children, or its children collapsed into it. Keyed by the
 * coarser span of the two, so that one record covers the span and what it turned into.
 */
export interface Cooldown {
  readonly lod: number;
  readonly start: number;
  readonly step: number;
  readonly kind: MoveKind;
}

/** Plain data. */
export interface AllocatorState {
  /** The last refocus that began; the first one is step 1. */
  readonly step: number;
  /** Moving average of net cost per refocus, in tokens: added (new tokens, expansions) minus refunded. */
  readonly drift: number;
  /** Net cost since the last refocus began. */
  readonly netCost: number;
  /** Actions that count against `maxActions`, taken in this refocus so far. */
  readonly actionsTaken: number;
  readonly cooldowns: readonly Cooldown[];
  /** The thresholds in force in the last pass, where the strategy moves them; absent where the parameters hold. */
  readonly thresholds?: Thresholds;
}

export const INITIAL_ALLOCATOR_STATE: AllocatorState = {
  step: 0,
  drift: 0,
  netCost: 0,
  actionsTaken: 0,
  cooldowns: [],
};

/** A new refocus: the net cost since the last one enters the moving average. */
export function beginRefocus(
  state: AllocatorState,
  { driftDecay }: Pick<AllocatorConfig, 'driftDecay'>,
): AllocatorState {
  const drift = driftDecay * state.drift + (1 - driftDecay) * state.netCost;
  return { ...state, step: state.step + 1, drift, netCost: 0, actionsTaken: 0 };
}

/** New tokens, or actions that cost or refunded so many, count toward the net cost. */
export function withCost(state: AllocatorState, tokens: number): AllocatorState {
  return { ...state, netCost: state.netCost + tokens };
}

/** What the state follows of an action's record. */
interface ActionEffect {
  readonly applied: boolean;
  readonly kind: string;
  readonly lod: number;
  readonly start: number;
  readonly costDelta: number;
}

/** The state after the applied ones of these actions, taken in the state's step: their cost and their cooldowns. */
export function stateAfter(
  state: AllocatorState,
  actions: readonly ActionEffect[],
  { cooldownSteps }: Pick<AllocatorConfig, 'cooldownSteps'>,
): AllocatorState {
  const cooldowns = new CooldownTable(state.cooldowns, state.step, cooldownSteps);
  let cost = 0;
  for (const { applied, kind, lod, start, costDelta } of actions) {
    if (!applied) continue;
    cost += costDelta;
    if (kind === 'expand' || kind === 'collapse') cooldowns.add(lod, start, kind);
  }
  return { ...withCost(state, cost), cooldowns: cooldowns.toList() };
}

/** Hysteresis: which spans moved lately, and so may not flip direction yet. Looked up and added to within a step. */
export class CooldownTable {
  private readonly bySpan = new Map<SpanId, Cooldown>();

  /** @param cooldownSteps - refocuses after the one of the move during which the span cannot flip. */
  constructor(
    cooldowns: readonly Cooldown[],
    private readonly step: number,
    private readonly cooldownSteps: number,
  ) {
    for (const cooldown of cooldowns) {
      if (this.leftOf(cooldown) > 0) this.bySpan.set(spanIdOf(cooldown.lod, cooldown.start), cooldown);
    }
  }

  /**
   * Refocuses, this one included, for which the move is refused because the span went the other way; 0 = free.
   * `(lod, start)` is the coarser span: the gist that would expand, or the parent that would take its place.
   */
  left(lod: number, start: number, kind: MoveKind): number {
    const cooldown = this.bySpan.get(spanIdOf(lod, start));
    return cooldown === undefined || cooldown.kind === kind ? 0 : this.leftOf(cooldown);
  }

  add(lod: number, start: number, kind: MoveKind): void {
    this.bySpan.set(spanIdOf(lod, start), { lod, start, step: this.step, kind });
  }

  toList(): readonly Cooldown[] {
    return [...this.bySpan.values()];
  }

  private leftOf(cooldown: Cooldown): number {
    return Math.max(0, cooldown.step + this.cooldownSteps + 1 - this.step);
  }
}
