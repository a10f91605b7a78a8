/** The baselines, by name. What opens blocks with gists around them and what does without differ in `open` alone. */
import { Rng } from '../../../base/rng.ts';
import type { Baseline, BaselineHistory, BlockRanker } from './baseline.ts';
import { createBm25Ranker } from './bm25-ranker.ts';
import { blockGists, rankByAttention, rankByCosine } from './gist-ranks.ts';
import {
  expandedLayout,
  fullLayout,
  gistsLayout,
  passageLayout,
  rawLayout,
  streamingLayout,
} from './layouts.ts';
import { rankAtRandom, rankByGold, rankByRecency } from './plain-ranks.ts';
import { createHeadRanker } from './qr-head.ts';
import { createQuestRanker } from './quest.ts';
import { createSlidingRanker } from './infini-retri.ts';
import { createEmbeddingRanker } from './token-embeddings.ts';

/** For rules that look at nothing. */
const rankNothing = (): BlockRanker => ({ rank: () => new Float64Array(0) });

function rankGists(
  rank: (gists: Float32Array, question: Float32Array, d: number) => Float64Array,
): (history: BaselineHistory) => BlockRanker {
  return ({ model, tree }) => {
    const gists = blockGists(tree, tree.countAt(1));
    return { rank: ({ questionIds }) => rank(gists, model.base.embed(questionIds), tree.hiddenSize) };
  };
}

export const BASELINES = [
  {
    id: 'full',
    sentence: 'The whole history, raw, while it is in the base’s range.',
    createRanker: rankNothing,
    open: (tree) => fullLayout(tree),
  },
  {
    id: 'streaming',
    sentence: 'StreamingLLM: 4 first tokens and the newest ones, raw.',
    createRanker: rankNothing,
    open: streamingLayout,
  },
  {
    id: 'newest-blocks',
    sentence: 'Gists, and the newest blocks raw as far as the budget reaches.',
    createRanker: ({ tree }) => ({ rank: () => rankByRecency(tree.closedBlockCount) }),
    open: expandedLayout,
  },
  {
    id: 'random-blocks',
    sentence: 'Gists, and blocks drawn at random raw; one draw a history.',
    createRanker: ({ tree, seed }) => {
      const ranks = rankAtRandom(tree.closedBlockCount, new Rng(seed).split(1));
      return { rank: () => ranks };
    },
    open: expandedLayout,
  },
  {
    id: 'gists',
    sentence: 'Gists only, apart from the recent window.',
    createRanker: rankNothing,
    open: gistsLayout,
  },
  {
    id: 'bm25-blocks',
    sentence: 'Gists, and the best blocks by BM25 of the question over windows of 48 tokens raw.',
    createRanker: createBm25Ranker,
    open: expandedLayout,
  },
  {
    id: 'bm25-raw',
    sentence: 'The best blocks by the same BM25, without gists around.',
    createRanker: createBm25Ranker,
    open: rawLayout,
  },
  {
    id: 'embeddings',
    sentence: 'Gists, and the best 64-token chunks by cosine of mean token embeddings to the question raw.',
    createRanker: createEmbeddingRanker,
    open: expandedLayout,
  },
  {
    id: 'cosine',
    sentence: 'Gists, and the best blocks by cosine of gist to question raw.',
    createRanker: rankGists(rankByCosine),
    open: expandedLayout,
  },
  {
    id: 'cosine-raw',
    sentence: 'The best blocks by cosine of gist to question, without gists around.',
    createRanker: rankGists(rankByCosine),
    open: rawLayout,
  },
  {
    id: 'gist-attention',
    sentence: 'Gists, and the best blocks by untrained attention of the question to gists raw.',
    createRanker: rankGists(rankByAttention),
    open: expandedLayout,
  },
  {
    id: 'quest',
    sentence:
      'Quest: gists, and the best blocks by the most that any of their keys could be to the question raw.',
    createRanker: createQuestRanker,
    open: expandedLayout,
  },
  {
    id: 'qr-head',
    sentence: 'QRHead: gists, and the best blocks by the attention of the base’s own retrieval heads raw.',
    createRanker: createHeadRanker,
    open: expandedLayout,
  },
  {
    id: 'infini-retri',
    sentence: 'InfiniRetri: gists, and what a sliding read of the whole history for each question keeps raw.',
    createRanker: createSlidingRanker,
    open: expandedLayout,
  },
  {
    id: 'gold-passage',
    sentence: 'The whole passage that the question is about, raw, and nothing else.',
    createRanker: ({ tree }) => ({
      rank: (_, _gold, passage) => rankByGold(tree.closedBlockCount, passage ?? []),
    }),
    open: passageLayout,
  },
  {
    id: 'gold',
    sentence: 'Gists, and exactly the blocks that hold the answer raw.',
    createRanker: ({ tree }) => ({ rank: (_, gold) => rankByGold(tree.closedBlockCount, gold ?? []) }),
    open: expandedLayout,
  },
] as const satisfies readonly Baseline[];

export type BaselineId = (typeof BASELINES)[number]['id'];
