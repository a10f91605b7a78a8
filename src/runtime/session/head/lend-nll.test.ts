import { expect, it } from 'vitest';
import { DOCUMENT, embed, makeGists, tokenIds } from '../../../core/testing/fake-history.ts';
import { assembleByRecency } from '../../../core/allocator/assembly.ts';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { oraclePolicy, oracleQueryStart } from '../../../core/policies/oracle.ts';
import { policyPorts } from '../../../core/testing/policy-ports.ts';
import { entryScores } from '../../../core/policies/scores.ts';
import { buildSlotView } from '../../../core/context/slot-view.ts';
import { GistTree } from '../../../core/tree/gist-tree.ts';
import { apply } from '../../../core/context/moves.ts';
import { layoutOf } from '../../../core/context/working-context.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import { Decoder } from '../decoding/decoder.ts';
import { lendNll } from './lend-nll.ts';
import { FAKE_HIDDEN_SIZE, createFakeModel } from '../../testing/fake-model.ts';

it('scores an expansion by what it really saves on the newest tokens', async () => {
  const model = createFakeModel();
  const config = { ...DEFAULT_RUN_CONFIG, budgetTokens: 256, recentTokens: 64, lod1WindowTokens: 256 };
  const tree = new GistTree({ hiddenSize: FAKE_HIDDEN_SIZE });
  tree.appendTokens(
    tokenIds(0, 1100).map((id) => id % model.base.vocabularySize),
    DOCUMENT,
  );
  makeGists(tree);
  const { layout } = assembleByRecency(tree, config);
  const view = buildSlotView({ layout, tree, embed, tailTokens: 32 });
  const ports = { ...policyPorts(tree), withNll: lendNll(model, tree) };
  const scores = entryScores(view, await oraclePolicy.create(config, ports).score(view));

  const queryStart = oracleQueryStart(layout.cursor);
  const nll = ({ entries, cursor }: Layout): Promise<number> => {
    const context = layoutOf(entries.filter(({ end }) => end <= queryStart));
    return new Decoder(model.base, tree).scoreContinuation(context, tree.tokens(queryStart, cursor), 512);
  };
  const before = await nll(layout);
  let compared = 0;
  for (const [i, { lod, end }] of layout.entries.entries()) {
    if (lod === 0 || end > queryStart) continue;
    const saved = before - (await nll(apply(layout, 'expand', i, tree)));
    if (saved > 0) expect(scores[i]).toBeCloseTo(Math.tanh(saved / 0.1), 5);
    if (saved > 0) compared++;
  }
  expect(compared).toBeGreaterThan(2);
});
