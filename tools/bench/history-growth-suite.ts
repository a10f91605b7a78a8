/** Whether an answer costs more the longer the history is: the same budget over 8,192 and 1,000,000 tokens. */
import { quantile } from 'simple-statistics';
import type { GistTree } from '../../src/core/tree/gist-tree.ts';
import { K } from '../../src/core/tree/ids.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { configWith } from '../command-line.ts';
import { type BenchRow, rowOf } from './measure.ts';
import { type AnswerCost, answerCost, longHistory } from './headless-run.ts';

const SHORT_TOKENS = 8192;
const LONG_TOKENS = 1_000_000;
/** Over the short history the first blocks of it fill the working context. */
const ANSWER_TOKENS = 12 * K;

export async function historyGrowthSuite(model: LoadedModel, rounds: number): Promise<readonly BenchRow[]> {
  // What a turn's end looks through on purpose grows with the history; what follows it is measured.
  const config = configWith(model, { lookAheadPages: 0 });
  const short = longHistory(model, SHORT_TOKENS, 1);
  const long = longHistory(model, LONG_TOKENS, 1);
  const decode: number[] = [];
  const focus: number[] = [];
  const median = (values: readonly number[]): number => quantile([...values], 0.5);
  const answerOver = (tree: GistTree): Promise<AnswerCost> =>
    answerCost(model, tree.fork(), config, { answerTokens: ANSWER_TOKENS, whenFull: true });
  // The first round compiles and fills caches; then each comes first in turn, as what comes later runs warmer.
  for (let round = -1; round < rounds; round++) {
    let near: AnswerCost;
    let far: AnswerCost;
    if (round % 2 === 0) {
      near = await answerOver(short);
      far = await answerOver(long);
    } else {
      far = await answerOver(long);
      near = await answerOver(short);
    }
    if (round < 0) continue;
    decode.push(median(far.decodeMs) / median(near.decodeMs));
    focus.push(median(far.focusMs) / median(near.focusMs));
  }
  return [
    rowOf(`decode a token, history of ${LONG_TOKENS} over ${SHORT_TOKENS}`, decode, '× the time'),
    rowOf(`refocus while answering, history of ${LONG_TOKENS} over ${SHORT_TOKENS}`, focus, '× the time'),
  ];
}
