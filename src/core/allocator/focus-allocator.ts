/** What every allocation strategy takes and gives; the strategies stand in files of their own. */
import type { RunConfig } from '../trace/config.ts';
import type { SpanId } from '../tree/ids.ts';
import type { ActionRecord } from '../trace/telemetry.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import type { Layout, PinnedSpan } from '../context/working-context.ts';

/** The parameters that the allocator reads. */
export type AllocatorConfig = Pick<
  RunConfig,
  | 'budgetTokens'
  | 'recentTokens'
  | 'tauExpand'
  | 'tauCollapse'
  | 'maxActions'
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
  readonly span: SpanId;
  readonly step: number;
  readonly kind: 'expand' | 'collapse';
}

/** What the allocator remembers between refocuses. Plain data. */
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

export interface AllocationInput {
  readonly layout: Layout;
  /** `[entries.length]` in [-1, 1]: positive should be finer, negative coarser. */
  readonly scores: Float32Array;
  readonly tree: GistTree;
  readonly config: AllocatorConfig;
  readonly state: AllocatorState;
  /** 0 begins a new refocus; higher passes refine the same one. */
  readonly pass: number;
  readonly pins?: readonly PinnedSpan[];
  /** Budget kept free for tokens that arrive before the next refocus. */
  readonly reserveTokens?: number;
}

export interface Allocation {
  /** Within the budget, less the reserve. */
  readonly layout: Layout;
  /** `[layout.entries.length]` the scores carried over to the new layout; children and parents inherit them. */
  readonly scores: Float32Array;
  readonly state: AllocatorState;
  /** Applied actions in order, then refused candidates (at most `MAX_REFUSED`), highest |score| first. */
  readonly actions: readonly ActionRecord[];
}

/** How many refused candidates one pass records. */
export const MAX_REFUSED = 32;

/** Turns scores into legal moves. Pure: same input, same output. */
export interface AllocationStrategy {
  readonly id: string;
  allocate(input: AllocationInput): Allocation;
}
