/** The oracle policy: what each legal move really does to the loss of the newest tokens. The bound, not a method. */
import { K } from '../tree/ids.ts';
import { apply, legalMoves, protectedStart } from '../context/moves.ts';
import type { Move } from '../context/moves.ts';
import { definePolicy } from './policy.ts';
import type { MeasureNll } from './policy.ts';
import type { Scorer } from './scorer.ts';
import type { SlotView } from '../context/slot-view.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import { layoutOf } from '../context/working-context.ts';
import type { Layout } from '../context/working-context.ts';
import { entryScorer } from './entry-scorer.ts';

/** Every move costs the base a pass over the window, so only small contexts are searched. */
const ORACLE_LIMITS = { slots: 1024, moves: 256 } as const;

/** Nats per token that count as a score of tanh(1): moves of 0.02 nats reach the default thresholds. */
const GAIN_SCALE = 0.1;

/** The window is too large to try every move in it; nothing was scored. */
export class OracleLimitError extends Error {
  override readonly name = 'OracleLimitError';
  constructor(
    readonly slots: number,
    readonly moves: number,
  ) {
    super(
      `The oracle tries every legal move, one pass of the base each: ${slots} slots with ${moves} moves are too many. It takes up to ${ORACLE_LIMITS.slots} slots and ${ORACLE_LIMITS.moves} moves; lower the budget or choose another policy.`,
    );
  }
}

interface OracleOptions {
  readonly tree: GistTree;
  readonly config: { readonly recentTokens: number; readonly budgetTokens: number };
  readonly measureNll: MeasureNll;
}

/** The newest 32 to 63 tokens, from a block's start, are the query; 0 while history is shorter. */
export function oracleQueryStart(cursor: number): number {
  return Math.max(0, Math.floor((cursor - K) / K) * K);
}

/** Its `score` throws {OracleLimitError} before anything is measured. */
export const oraclePolicy = definePolicy({
  id: 'oracle',
  sentence: 'Tries every legal move on the base and measures what it does to the loss; small contexts only.',
  reads: ['budgetTokens', 'recentTokens', 'positions', 'gistDecay'],
  create: (config, { tree, withNll }): Scorer => ({
    id: 'oracle',
    async score(view) {
      const scores = await withNll(config, (measureNll) => scoreMoves(view, { tree, config, measureNll }));
      return entryScorer('oracle', () => (_entry, _slot, index) => scores[index]!).score(view);
    },
  }),
});

async function scoreMoves(
  view: SlotView,
  { tree, config, measureNll }: OracleOptions,
): Promise<Float64Array> {
  const layout = layoutOf(view.entries);
  const scores = new Float64Array(layout.entries.length);
  const queryStart = oracleQueryStart(layout.cursor);
  // What ends by here neither holds the query nor is protected; the budget is left to the allocator.
  const limit = Math.min(protectedStart(layout.cursor, config), queryStart);
  const rules = { tree, recentStart: limit, freeTokens: Infinity };
  const moves = legalMoves(layout, rules).filter(({ end }) => end <= limit);
  if (view.slotCount > ORACLE_LIMITS.slots || moves.length > ORACLE_LIMITS.moves) {
    throw new OracleLimitError(view.slotCount, moves.length);
  }
  if (moves.length === 0) return scores;
  const before = await measureNll(layout, queryStart);
  const worthOfDetail = new Map<Move, number>();
  // Newest first: what stands before a move is then the same as in the one before, and need not be run again.
  for (const move of [...moves].sort((a, b) => b.first - a.first)) {
    const moved = apply(layout, move.kind, move.first, tree);
    const lost = (await measureNll(moved, queryStart)) - before;
    worthOfDetail.set(move, Math.tanh((move.kind === 'expand' ? -lost : lost) / GAIN_SCALE));
  }
  return combine(scores, layout, worthOfDetail);
}

/**
 * A raw block scores what its detail is worth. A gist scores what expanding it would bring; where that is nothing,
 * what its group's collapse would, so that a group is asked to collapse only where that helps.
 */
function combine(
  scores: Float64Array,
  layout: Layout,
  worthOfDetail: ReadonlyMap<Move, number>,
): Float64Array {
  for (const [{ kind, first }, worth] of worthOfDetail) {
    if (kind === 'expand') scores[first] = Math.max(0, worth);
    else if (layout.entries[first]!.lod === 0) scores[first] = worth;
  }
  for (const [{ kind, first, count }, worth] of worthOfDetail) {
    if (kind === 'expand' || count === 1) continue;
    for (let i = first; i < first + count; i++) if (scores[i] === 0) scores[i] = Math.min(0, worth);
  }
  return scores;
}
