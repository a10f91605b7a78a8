import { describe, expect, it } from 'vitest';
import { HIDDEN_SIZE, configOf, embed, treeOf } from '../../../tests/property/fake-history.ts';
import { assembleByRecency } from '../assembly.ts';
import { K } from '../ids.ts';
import type { SlotView } from '../ports.ts';
import { entryScores } from '../scores.ts';
import { buildSlotView } from '../slot-view.ts';
import { createBaselineScorer } from './baseline.ts';
import type { BaselinePolicyId } from './baseline.ts';

const config = configOf({ budgetTokens: 512, recentTokens: 96, lod1WindowTokens: 1024 });
const tree = treeOf(4000);
const { layout } = assembleByRecency(tree, config);
const viewAt = (step: number): SlotView => buildSlotView({ layout, tree, embed, tailTokens: 32, step });

async function scoresOf(policy: BaselinePolicyId, view = viewAt(1), seed = 1): Promise<Float32Array> {
  const scorer = createBaselineScorer(policy, { ...config, seed }, () => [{ start: 0, end: K }]);
  return entryScores(view, await scorer.score(view));
}

describe('baseline policies', () => {
  it.each(['recency', 'random', 'retrieval', 'manual'] as const)(
    '%s gives one score in [-1, 1] per slot',
    async (policy) => {
      const scores = await scoresOf(policy);
      expect(scores).toHaveLength(layout.entries.length);
      expect(scores.every((score) => score >= -1 && score <= 1)).toBe(true);
    },
  );

  it('recency falls with distance: the newest stay raw, the old collapse', async () => {
    const scores = await scoresOf('recency');
    expect([...scores]).toEqual([...scores].sort((a, b) => a - b));
    expect(scores.at(-1)).toBe(1);
    expect(scores[0]).toBe(-1);
  });

  it('random depends on seed, step and span, and on nothing else', async () => {
    const [first, again, later, other] = await Promise.all([
      scoresOf('random'),
      scoresOf('random'),
      scoresOf('random', viewAt(2)),
      scoresOf('random', viewAt(1), 2),
    ]);
    expect(again).toEqual(first);
    expect(later).not.toEqual(first);
    expect(other).not.toEqual(first);
    const mean = first.reduce((sum, score) => sum + score / first.length, 0);
    expect(Math.abs(mean)).toBeLessThan(0.4);
  });

  it('retrieval prefers the entry that points where the tail points', async () => {
    const view = viewAt(1);
    const blockVectors = new Float32Array(view.blockVectors.length).map((_, i) =>
      i % HIDDEN_SIZE === 0 ? 1 : 0.01 * (i % 7),
    );
    const tail = new Float32Array(view.tail.length).map((_, i) => (i % HIDDEN_SIZE === 1 ? 1 : 0));
    blockVectors.set([0, 1, 0, 0], 2 * HIDDEN_SIZE);
    const scores = await scoresOf('retrieval', { ...view, blockVectors, tail });
    expect(scores[2]).toBeGreaterThan(config.tauExpand);
    expect(scores.filter((score) => score > config.tauExpand)).toHaveLength(1);
    expect(scores.at(-1)).toBeLessThan(-config.tauCollapse);
    const alike = await scoresOf('retrieval', { ...view, blockVectors: blockVectors.fill(1), tail });
    expect(alike.every((score) => score === 0)).toBe(true);
  });

  it('manual asks for pinned spans only', async () => {
    const scores = await scoresOf('manual');
    expect([...scores].map((score, i) => score > 0 === layout.entries[i]!.start < K)).not.toContain(false);
  });
});
