import { expect, it } from 'vitest';
import { GistTree } from '../../core/tree/gist-tree.ts';
import { defaultsOf } from '../engine/engine.ts';
import { GistBuilder } from '../session/memory/gist-builder.ts';
import { createFakeModel } from '../testing/fake-model.ts';
import { answerAgain, measureAnswers } from './answer-measure.ts';

const model = createFakeModel();
const config = { ...defaultsOf(model), budgetTokens: 256, recentTokens: 64 };
const lens = { net: model.lensNet, variant: 'dual-cross-attention' } as const;
const pause = () => Promise.resolve();
const HISTORY = 'The lamp of the pier is amber. '.repeat(20);

async function treeOf(text: string): Promise<GistTree> {
  const tree = new GistTree({ hiddenSize: model.base.hiddenSize, gistVersion: model.gistNet.version });
  const origin = { role: 'document', documentId: 'd', title: '', wallClockMs: 0 } as const;
  tree.appendTokens(model.tokenizer.encode(text), origin);
  const builder = new GistBuilder(tree, model.gistNet, model.base);
  while ((await builder.buildNext(0)) !== null);
  return tree;
}

it('counts the answers that come out as the history gives them, and no other', async () => {
  const then = await treeOf(HISTORY);
  const cursor = then.tokenCount;
  const said = await answerAgain({ model, then: then.fork(), config, lens, mostTokens: 12, pause });
  expect(said).not.toBe('');
  const measure = async (answer: string, kind: 'answer' | 'block' = 'answer') => {
    const tree = await treeOf(HISTORY + answer);
    const states = [{ cursor, horizonTokens: tree.tokenCount - cursor, kind }];
    return measureAnswers({ model, tree, config, states, pause }, lens);
  };
  expect(await measure(said)).toMatchObject({ hits: 1, n: 1 });
  expect(await measure('Something else.')).toMatchObject({ hits: 0, n: 1 });
  expect(await measure(said, 'block')).toEqual({ hits: 0, n: 0, ci95: null });
});
