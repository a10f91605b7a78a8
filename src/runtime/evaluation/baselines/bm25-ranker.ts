/** The page's keyword search over a history, by the question alone. */
import { denseValues } from '../../../core/lexical/block-values.ts';
import { WindowIndex } from '../../../core/lexical/window-index.ts';
import type { BaselineHistory, BlockRanker } from './baseline.ts';

export function createBm25Ranker({ model, tree }: Pick<BaselineHistory, 'model' | 'tree'>): BlockRanker {
  const index = new WindowIndex(model.tokenizer.createStreamDecoder());
  index.add(tree.tokens(0, tree.tokenCount));
  return {
    rank: ({ question }) => denseValues(index.rank(question, tree.closedBlockCount), tree.closedBlockCount),
  };
}
