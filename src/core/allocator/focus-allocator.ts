/**
 * The focus allocator: turns scores into legal expansions and collapses of the working context. Start here.
 *
 * A greedy planner with hysteresis. Per pass it takes at most `maxActions` moves of whole blocks, within the budget
 * `W_max`, and it never leaves the window with a gap, an overlap or half a swap:
 *
 * 1. `pass/allocator-state.ts`: drift, net cost and cooldowns are carried over from the refocus before; `asked-scores.ts`
 *    adds to the scores what they do not know: drift, and what a block asks for on its neighbours' behalf.
 * 2. `pass/payment.ts`: while the window is over budget, the lowest-scored blocks collapse by force; what was evicted
 *    earlier comes back as soon as it fits.
 * 3. What the researcher hid is brought to its coarsest and pins to LOD0, before any policy has its say.
 * 4. `pass/open-blocks.ts`: where the number of open blocks is limited, those beyond it collapse.
 * 5. `pass/candidates.ts`: scores above τ_expand ask to expand, those below -τ_collapse to collapse, in order of
 *    preference; `context/moves.ts` says which of them the tree and the layout allow.
 * 6. `strategies/`: one of them takes the moves. Collapses refund tokens, expansions consume them.
 *
 * Every move, and what was refused and why, is in the record that comes out. Pure: same input, same output.
 */
import { K, parentSpan } from '../tree/ids.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import { EXPANSION_COST, enumerate, refuse } from '../context/moves.ts';
import { NONE } from '../context/draft-layout.ts';
import { ageLayout } from '../context/working-context.ts';
import type { Layout, PinnedSpan } from '../context/working-context.ts';
import type { StrategyId } from '../parameters/allocator.ts';
import { askedScores } from './asked-scores.ts';
import { AllocationPass } from './pass/allocation-pass.ts';
import type { Allocation } from './pass/allocation-pass.ts';
import { beginRefocus } from './pass/allocator-state.ts';
import type { AllocatorConfig, AllocatorState, Thresholds } from './pass/allocator-state.ts';
import { closeSurplus } from './pass/open-blocks.ts';
import { Payers, fitToBudget, readmitEvicted } from './pass/payment.ts';
import type { Strategy } from './pass/strategy.ts';
import { takeAdaptively } from './strategies/adaptive.ts';
import { takeGreedily } from './strategies/greedy.ts';
import { takeBestSet } from './strategies/matching.ts';
import { takeStochastically } from './strategies/stochastic.ts';

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

const STRATEGIES: Readonly<Record<StrategyId, Strategy>> = {
  greedy: takeGreedily,
  stochastic: takeStochastically,
  matching: takeBestSet,
  adaptive: takeAdaptively,
};

/**
 * One pass by the strategy that the parameters name.
 *
 * @throws {RangeError} if the scores are not one per entry.
 */
export function allocate(input: AllocationInput): Allocation {
  const { config, tree, pass: number, scores, pins = [] } = input;
  if (scores.length !== input.layout.entries.length) {
    throw new RangeError(`${scores.length} scores for ${input.layout.entries.length} entries.`);
  }
  const state = number === 0 ? beginRefocus(input.state, config) : input.state;
  const pass = new AllocationPass({
    layout: number === 0 ? ageLayout(input.layout) : input.layout,
    scores: askedScores(input.layout, scores, state, config),
    tree,
    config,
    state,
    pass: number,
    pins,
    reserveTokens: Math.min(input.reserveTokens ?? 0, config.budgetTokens - K),
    maxExpansions: Math.max(0, config.maxActions - state.actionsTaken) + expansionsForPins(pins, config),
  });
  fitToBudget(pass);
  collapseHidden(pass);
  readmitEvicted(pass, true);
  expandPinned(pass);
  closeSurplus(pass);
  const { taken, thresholds } = STRATEGIES[config.strategy](pass);
  // What the strategy collapsed may have made room.
  readmitEvicted(pass, false);
  const allocation = pass.outcome(taken);
  return { ...allocation, state: withThresholds(allocation.state, thresholds) };
}

/**
 * Collapse what the researcher hid, as far as its gists stand for nothing else: the recent window, cooldowns and the
 * action limit do not hold it, a pin does. A block that it shares with its neighbours waits for the window to pass.
 */
function collapseHidden(pass: AllocationPass): void {
  const { draft, tree } = pass;
  if (tree.hidden.isEmpty) return;
  let isChanged = true;
  while (isChanged) {
    isChanged = false;
    enumerate(draft, {
      collapse: (first) => {
        const { start, end } = parentSpan(draft.lod[first]!, draft.start[first]!);
        if (!tree.hidden.holdsBlocks(start, end) || (pass.holdOf(first)?.isPinned ?? true)) return;
        pass.collapse(first, { reason: 'manual', rank: null });
        isChanged = true;
      },
    });
  }
}

/**
 * Expand every gist that touches a pin, down to LOD0, oldest first. Unpinned units with the lowest scores pay
 * when the budget has no room. Pins do not count against the action limit and do not wait for cooldowns.
 */
function expandPinned(pass: AllocationPass): void {
  if (pass.pins.length === 0) return;
  const { draft, tree } = pass;
  const rules = { tree, recentStart: 0, freeTokens: Infinity };
  let payers: Payers | null = null;
  for (let node = draft.first; node !== NONE; node = draft.next[node]!) {
    while (draft.lod[node]! > 0 && pass.isPinned(draft.start[node]!, draft.end[node]!)) {
      const span = { lod: draft.lod[node]!, start: draft.start[node]!, end: draft.end[node]! };
      const score = draft.score[node]!;
      // A pin on what was forbidden to expand is the newer word of the two.
      const obstacle = refuse(draft, 'expand', node, rules);
      if (obstacle !== null && obstacle !== 'forbidden') {
        const record = pass.refusedExpand(span, score, null, { reason: 'not-legal' });
        pass.refused.offer(record, 1, span.start);
        break;
      }
      if (pass.freeTokens < EXPANSION_COST) payers ??= new Payers(pass);
      const paidBy = payers?.payFor(EXPANSION_COST, 'paid-for-expansion') ?? [];
      const missingTokens = EXPANSION_COST - pass.freeTokens;
      if (missingTokens > 0) {
        const record = pass.refusedExpand(span, score, null, { reason: 'no-budget', missingTokens });
        pass.refused.offer(record, 1, span.start);
        return;
      }
      pass.expand(node, { reason: 'manual', rank: null, paidBy });
    }
  }
}

function expansionsForPins(pins: readonly PinnedSpan[], config: AllocatorConfig): number {
  return pins.length > 0 ? Math.ceil(config.budgetTokens / EXPANSION_COST) : 0;
}

/** Those of this pass; another strategy may have left its own. */
function withThresholds(state: AllocatorState, thresholds: Thresholds | undefined): AllocatorState {
  const { step, drift, netCost, actionsTaken, cooldowns } = state;
  const plain = { step, drift, netCost, actionsTaken, cooldowns };
  return thresholds === undefined ? plain : { ...plain, thresholds };
}
