/**
 * Which heads look for what a question asks (Zhang et al. 2025, arXiv 2506.09944): the attention that a question's
 * tokens pay to the text that answers it, less what a question that asks nothing pays there, mean over examples.
 */
import type { Clock } from '../../../base/clock.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { SharedHistory } from '../cases/evaluation-case.ts';
import { type HeadId, readHistoryKeys } from '../memory/history-keys.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import { attentionMass } from './attention-mass.ts';
import { askedIds } from './baseline.ts';
import { emptyQuestion } from './qr-head.ts';

export interface ScoredHead {
  readonly id: HeadId;
  /** At most 1: all attention on the text that answers. */
  readonly score: number;
}

/** @returns all heads, the best first. @throws {RangeError} if no question says where its answer is. */
export async function scoreHeads(
  model: LoadedModel,
  examples: readonly SharedHistory[],
  clock: Clock,
  pause: () => Promise<void>,
): Promise<readonly ScoredHead[]> {
  const { attention: shape, layers } = model.base;
  const ids = Array.from({ length: layers * shape.heads }, (_, i): HeadId => [
    Math.floor(i / shape.heads),
    i % shape.heads,
  ]);
  const sums = new Float64Array(ids.length);
  let count = 0;
  for (const history of examples) {
    const tree = await rememberHistory(model, history.ids, undefined, pause);
    const keys = await readHistoryKeys(model, tree, ids, undefined, clock, pause);
    try {
      const unasked = await keys.ask(emptyQuestion(model));
      for (const { asked, gold } of history.cases) {
        if (gold === null || gold.length === 0) continue;
        count++;
        const queries = await keys.ask(askedIds(asked));
        for (const [i, [layer, head]] of ids.entries()) {
          const paid = attentionMass(queries[layer]!, keys.keys[i]!, head, shape);
          const anyway = attentionMass(unasked[layer]!, keys.keys[i]!, head, shape);
          for (const { start, end } of gold) {
            for (let token = start; token < Math.min(end, paid.length); token++)
              sums[i]! += paid[token]! - anyway[token]!;
          }
        }
      }
    } finally {
      keys.dispose();
    }
  }
  if (count === 0) throw new RangeError('No example says where its answer is.');
  return ids.map((id, i): ScoredHead => ({ id, score: sums[i]! / count })).sort((a, b) => b.score - a.score);
}
