/** What a baseline is: it makes one working context a question, of the same budget as everyone's. */
import type { Layout } from '../../../core/context/working-context.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { AskedQuestion } from '../cases/evaluation-case.ts';
import type { HistoryKeys } from '../memory/history-keys.ts';
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
  /** The base's keys over it: read when they are first asked for, shared, and disposed by whoever gave this. */
  readonly keys: () => Promise<HistoryKeys>;
}

/** Ranks the closed blocks of a history by a question. */
export interface BlockRanker {
  rank(asked: AskedQuestion, gold: readonly Span[] | null, passage?: readonly Span[]): Ranks | Promise<Ranks>;
  /** Tokens that the base read once for the history. */
  readonly baseTokensOnce?: number;
  /** Wall time of that, however it was shared or cached; absent: what making the ranker took. */
  readonly msOnce?: number;
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

/** All that a turn appends before the answer: what rankers that read the base's attention ask by. */
export function askedIds({
  userIds,
  assistantIds,
}: Pick<AskedQuestion, 'userIds' | 'assistantIds'>): Uint32Array {
  return Uint32Array.of(...userIds, ...assistantIds);
}
