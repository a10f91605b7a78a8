/** What the allocator does between two refocuses: it makes room for tokens, and brings back what was evicted. */
import { K } from '../tree/ids.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import { extendLayout } from '../context/working-context.ts';
import type { Layout, PinnedSpan } from '../context/working-context.ts';
import { AllocationPass } from './pass/allocation-pass.ts';
import type { Allocation } from './pass/allocation-pass.ts';
import { withCost } from './pass/allocator-state.ts';
import type { AllocatorConfig, AllocatorState } from './pass/allocator-state.ts';
import { fitToBudget, readmitEvicted } from './pass/payment.ts';

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
  const { layout, config, state, scores } = input;
  const reserveTokens = Math.min(incomingTokens, config.budgetTokens);
  if (layout.usedTokens + reserveTokens <= config.budgetTokens) {
    return { layout, scores: scores ?? new Float32Array(layout.entries.length), state, actions: [] };
  }
  const pass = new AllocationPass({ ...input, scores: scores ?? null, reserveTokens });
  fitToBudget(pass);
  return pass.outcome();
}

/**
 * Take tokens up to `cursor` into the layout and keep the budget. The tree must hold them already, and should
 * hold the gists of the blocks that they close, or those blocks can only stay raw or be evicted.
 */
export function appendAndFit(input: FitInput, cursor: number): Allocation {
  const { layout, scores, state } = appendRaw(input, cursor);
  return makeRoom({ ...input, layout, state, ...(input.scores === undefined ? {} : { scores }) }, 0);
}

/** Take tokens up to `cursor` into the layout, raw, whatever the budget: the refocus that follows at once keeps it. */
export function appendRaw(input: FitInput, cursor: number): Allocation {
  const layout = extendLayout(input.layout, cursor);
  const scores = carriedTo(layout, input.scores);
  const state = withCost(input.state, layout.usedTokens - input.layout.usedTokens);
  return { layout, scores, state, actions: [] };
}

/** `[entries]` the scores of a layout that only grew at its end; what is new there has 0. */
export function carriedTo({ entries }: Layout, scores: Float32Array = new Float32Array(0)): Float32Array {
  const carried = new Float32Array(entries.length);
  carried.set(scores.subarray(0, entries.length));
  return carried;
}

/**
 * Evicted spans come back as far as the budget has room now: for a budget that was just raised.
 *
 * @param reserveTokens - kept free for the tokens of the block that is open.
 */
export function restoreCoverage(input: FitInput, reserveTokens: number): Allocation {
  const reserve = Math.min(reserveTokens, input.config.budgetTokens - K);
  const pass = new AllocationPass({ ...input, scores: input.scores ?? null, reserveTokens: reserve });
  readmitEvicted(pass, true);
  return pass.outcome();
}
