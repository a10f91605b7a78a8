/**
 * Collects counterfactuals: at earlier places of the session, how well the base predicts what really came next
 * with one working context, and with the same context after one move.
 */
import type { RunConfig } from '../../core/trace/config.ts';
import { BlockIndex } from './block-index.ts';
import { createRetrievalScorer } from '../../core/policies/retrieval.ts';
import type { PositionScheme } from '../../core/context/position-scheme.ts';
import type { HistoryWords } from '../../core/lexical/history-words.ts';
import type { Rng } from '../../base/rng.ts';
import { entryScores } from '../../core/policies/scores.ts';
import { buildSlotView } from '../../core/context/slot-view.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';
import type { Layout } from '../../core/context/working-context.ts';
import type { LanguageModel, LensNet } from '../../nn/ports.ts';
import { Decoder } from '../session/decoding/decoder.ts';
import { type CandidateMove, chooseMoves } from './moves.ts';
import type { SampledState } from './sampled-states.ts';
import { isHeldOut } from './held-out.ts';
import { ReplayTree } from './replay-tree.ts';
import { sampleLayout } from './sample-layout.ts';

export interface MeasuredMove extends Omit<CandidateMove, 'layout'> {
  /** Nats per token: the negative log-likelihood before the move minus that after it. */
  readonly gainNats: number;
}

export interface MeasuredState extends SampledState {
  readonly layout: Layout;
  /** `[entries]` of the LensNet that was in use. */
  readonly lensScores: Float32Array;
  readonly moves: readonly MeasuredMove[];
  readonly isHeldOut: boolean;
}

export interface CollectInput {
  /** The session's; it may grow meanwhile. */
  readonly tree: GistTree;
  /** Of the tree's history. */
  readonly words: HistoryWords;
  readonly base: LanguageModel;
  readonly lensNet: LensNet;
  readonly config: RunConfig;
  /** Where the base sees its slots. */
  readonly positionScheme: PositionScheme;
  /** In order. */
  readonly sampled: readonly SampledState[];
  readonly rng: Rng;
  /** Awaited often: yields, and throws to give up. */
  readonly yieldToEvents: () => Promise<void>;
  readonly onState: (done: number, moves: number) => void;
}

export async function collectStates(input: CollectInput): Promise<readonly MeasuredState[]> {
  const { sampled, base, tree, yieldToEvents } = input;
  await tree.bringInAll();
  const replay = new ReplayTree(tree);
  const index = new BlockIndex(replay.tree);
  const decoder = new Decoder(base, tree, yieldToEvents);
  decoder.setPositions(input.positionScheme);
  const heldOut = heldOutOf(sampled);
  const states: MeasuredState[] = [];
  let moves = 0;
  try {
    for (const sample of sampled) {
      await yieldToEvents();
      const then = replay.growTo(sample.cursor);
      const state = await measureState(input, sample, then, index, decoder);
      states.push({ ...state, isHeldOut: heldOut.has(sample) });
      moves += state.moves.length;
      input.onState(states.length, moves);
    }
    return states;
  } finally {
    decoder.dispose();
  }
}

/** Kind by kind in order of cursor: no horizon is in both parts. */
function heldOutOf(sampled: readonly SampledState[]): ReadonlySet<SampledState> {
  const byKind = [...sampled].sort((a, b) => a.kind.localeCompare(b.kind) || a.cursor - b.cursor);
  return new Set(byKind.filter((_, i) => isHeldOut(i)));
}

async function measureState(
  { tree, words: historyWords, base, lensNet, config, rng, yieldToEvents }: CollectInput,
  sample: SampledState,
  then: GistTree,
  index: BlockIndex,
  decoder: Decoder,
): Promise<Omit<MeasuredState, 'isHeldOut'>> {
  const { cursor, horizonTokens } = sample;
  const words = lensNet.readsWords ? historyWords : null;
  const coming = tree.tokens(cursor, cursor + horizonTokens).slice();
  const tail = then.tokens(Math.max(0, cursor - lensNet.tailTokens), cursor);
  const futureRelevance = index.rank([...tail, ...coming]);
  const layout = await sampleLayout({ tree: then, words, config, lensNet, base, futureRelevance, rng });
  const view = buildSlotView({
    layout,
    tree: then,
    embed: (ids) => base.embed(ids),
    tailTokens: lensNet.tailTokens,
    words,
  });
  const lensScores = entryScores(view, await lensNet.score(view));
  const cosineScores = entryScores(view, await createRetrievalScorer().score(view));
  const tailRelevance = index.rank(tail);
  const candidates = chooseMoves({
    layout,
    tree: then,
    config,
    lensScores,
    cosineScores,
    tailRelevance,
    futureRelevance,
    rng,
  });
  const measure = (of: Layout): Promise<number> =>
    decoder.scoreContinuation(of, coming, config.budgetTokens + horizonTokens);
  const before = await measure(layout);
  const moves: MeasuredMove[] = [];
  for (const { layout: moved, ...move } of candidates) {
    await yieldToEvents();
    moves.push({ ...move, gainNats: before - (await measure(moved)) });
  }
  return { ...sample, layout, lensScores, moves };
}
