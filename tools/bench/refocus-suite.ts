/**
 * What focus costs beside decoding: score, allocate and repair of the cache over an answer, against its tokens. Once
 * within the share of the parameters (`answerFocusShare`), and once at every block.
 */
import { quantile } from 'simple-statistics';
import { K } from '../../src/core/tree/ids.ts';
import type { RunConfig } from '../../src/core/trace/config.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { configWith } from '../command-line.ts';
import { type BenchRow, rowOf } from './measure.ts';
import { type AnswerCost, answerCost, longHistory } from './headless-run.ts';

const HISTORY_TOKENS = 32_768;
/** Longer than the rarest refocus. */
const ANSWER_TOKENS = 48 * K;
/** At every block; few of them say enough. */
const SHORT_ANSWER_TOKENS = 8 * K;

export async function refocusSuite(
  model: LoadedModel,
  rounds: number,
  budgets: readonly number[],
): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const budgetTokens of budgets) {
    const config = configWith(model, { budgetTokens, kvMode: 'patch' });
    const shares: number[] = [];
    const atEveryBlock: number[] = [];
    const decodes: number[] = [];
    const focus: number[] = [];
    // The first compiles and fills caches.
    for (let round = -1; round < rounds; round++) {
      const cost = await answerOf(model, round, config, ANSWER_TOKENS);
      const everyBlock = await answerOf(
        model,
        round,
        { ...config, answerFocusShare: 0 },
        SHORT_ANSWER_TOKENS,
      );
      if (round < 0) continue;
      shares.push(100 * cost.focusShare);
      atEveryBlock.push(100 * everyBlock.focusShare);
      decodes.push(quantile([...cost.decodeMs], 0.5));
      focus.push(...everyBlock.focusMs);
    }
    rows.push(
      rowOf(`focus overhead of 32 tokens, budget ${budgetTokens}`, shares, '%'),
      rowOf(`focus overhead of 32 tokens at every block, budget ${budgetTokens}`, atEveryBlock, '%'),
      rowOf(`refocus and repair at every block, budget ${budgetTokens}`, focus, 'ms'),
      rowOf(`decode a token, budget ${budgetTokens}`, decodes, 'ms'),
    );
  }
  return rows;
}

function answerOf(
  model: LoadedModel,
  round: number,
  config: RunConfig,
  answerTokens: number,
): Promise<AnswerCost> {
  return answerCost(model, longHistory(model, HISTORY_TOKENS, Math.max(0, round)), config, { answerTokens });
}
