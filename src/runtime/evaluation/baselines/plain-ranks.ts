/** Rankings that read nothing of the question: the newest blocks, blocks drawn at random, and those that hold the answer. */
import { K } from '../../../core/tree/ids.ts';
import type { Rng } from '../../../base/rng.ts';
import type { Span } from '../world/history-writer.ts';
import type { Ranks } from './baseline.ts';

export function rankByRecency(blocks: number): Ranks {
  return Float64Array.from({ length: blocks }, (_, block) => block);
}

export function rankAtRandom(blocks: number, rng: Rng): Ranks {
  return Float64Array.from({ length: blocks }, () => rng.nextFloat());
}

/** The blocks that hold what the answer needs, and no others. */
export function rankByGold(blocks: number, gold: readonly Span[]): Ranks {
  return Float64Array.from({ length: blocks }, (_, block) =>
    gold.some(({ start, end }) => start < (block + 1) * K && block * K < end) ? 1 : -Infinity,
  );
}
