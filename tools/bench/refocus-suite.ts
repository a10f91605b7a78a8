/** What focus costs beside decoding: score, allocate and repair of the cache against 32 decoded tokens. */
import { quantile } from 'simple-statistics';
import { K } from '../../src/core/tree/ids.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { configWith } from '../command-line.ts';
import { type BenchRow, rowOf } from './measure.ts';
import { answerCost, longHistory } from './headless-run.ts';

const HISTORY_TOKENS = 32_768;

export async function refocusSuite(
  model: LoadedModel,
  rounds: number,
  budgets: readonly number[],
): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const budgetTokens of budgets) {
    const config = configWith(model, { budgetTokens, kvMode: 'patch' });
    const shares: number[] = [];
    const decodes: number[] = [];
    const focus: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const history = longHistory(model, HISTORY_TOKENS, round);
      const { decodeMs, focusMs } = await answerCost(model, history, config, { answerTokens: 4 * K });
      const decode = quantile([...decodeMs], 0.5);
      decodes.push(decode);
      focus.push(...focusMs);
      for (const ms of focusMs) shares.push((100 * ms) / (K * decode));
    }
    rows.push(
      rowOf(`focus overhead of 32 tokens, budget ${budgetTokens}`, shares, '%'),
      rowOf(`refocus and repair, budget ${budgetTokens}`, focus, 'ms'),
      rowOf(`decode a token, budget ${budgetTokens}`, decodes, 'ms'),
    );
  }
  return rows;
}
