/** Time to the first token of a question over a long history, against the same base reading all of it. */
import { K } from '../../src/core/tree/ids.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { configWith } from '../command-line.ts';
import { answerCost, longHistory } from './headless-run.ts';
import { type BenchRow, processorMs, rowOf } from './measure.ts';
import { randomSlots } from './network-inputs.ts';

const HISTORY_TOKENS = 32_768;

/**
 * Ours is a whole turn of one token over a history that was read before: its words are indexed anew, the question is
 * read, focus settles, and the context is prefilled. The other is the prefill alone, run once.
 */
export async function firstTokenSuite(model: LoadedModel, rounds: number): Promise<readonly BenchRow[]> {
  const { base } = model;
  const tree = longHistory(model, HISTORY_TOKENS, 1);
  const config = configWith(model, {});
  const ours: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const from = processorMs();
    await answerCost(model, tree.fork(), config, { answerTokens: 1 });
    // The first round compiles and fills caches.
    if (round > 0) ours.push(processorMs() - from);
  }
  const { embeddings, positions } = randomSlots(base, HISTORY_TOKENS);
  const session = base.createDecodeSession(HISTORY_TOKENS + K);
  const from = processorMs();
  await session.append(embeddings, positions, 'last');
  const full = processorMs() - from;
  session.dispose();
  return [
    rowOf(`first token over ${HISTORY_TOKENS} tokens`, ours, 'ms'),
    rowOf(`prefill of ${HISTORY_TOKENS} tokens`, [full], 'ms'),
    rowOf(`prefill of all over first token`, ours.map((ms) => full / ms), 'times as fast per question'), // prettier-ignore
  ];
}
