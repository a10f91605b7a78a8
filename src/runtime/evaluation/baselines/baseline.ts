/** What a baseline is: it makes one working context a question, of the same budget as everyone's. */
import type { Layout } from '../../../core/context/working-context.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { AskedQuestion } from '../cases/evaluation-case.ts';
import type { Span } from '../world/history-writer.ts';

/** `[blocks]` higher is more wanted; -Infinity is never opened. */
export type Ranks = Float64Array;

/** One history that questions are asked about. */
export interface BaselineHistory {
  readonly model: LoadedModel;
  /** Of the history alone, with all its gists. */
  readonly tree: GistTree;
  readonly seed: number;
  /** Awaited in long work; may throw to give up. */
  readonly pause: () => Promise<void>;
}

/** Ranks the closed blocks of a history by a question. */
export interface BlockRanker {
  rank(asked: AskedQuestion, gold: readonly Span[] | null): Ranks | Promise<Ranks>;
  /** Tokens that the base read once for the history. */
  readonly baseTokensOnce?: number;
  /** Tokens that it has read so far for questions, all together. */
  readonly baseTokens?: number;
}

export interface Baseline {
  readonly id: string;
  readonly sentence: string;
  /** Does once what is done once a history. */
  readonly createRanker: (history: BaselineHistory) => BlockRanker | Promise<BlockRanker>;
  /** Makes the working context of history and question. @param tree - of both. */
  readonly open: (tree: GistTree, config: RunConfig, ranks: Ranks) => Layout;
}
