import { describe, expect, it } from 'vitest';
import { DOCUMENT, HIDDEN_SIZE, configOf, embed, makeGists, treeOf } from '../testing/fake-history.ts';
import { assembleByRecency } from '../allocator/assembly.ts';
import { K } from '../tree/ids.ts';
import type { SlotView } from '../context/slot-view.ts';
import { entryScores } from './scores.ts';
import { buildSlotView } from '../context/slot-view.ts';
import { GistTree } from '../tree/gist-tree.ts';
import { createBaselineScorer } from './baseline.ts';
import type { BaselinePolicyId } from './baseline.ts';

const config = configOf({ budgetTokens: 512, recentTokens: 96, lod1WindowTokens: 1024 });
const tree = treeOf(4000);
const { layout } = assembleByRecency(tree, config);
const viewAt = (step: number): SlotView => buildSlotView({ layout, tree, embed, tailTokens: 32, step });

async function scoresOf(policy: BaselinePolicyId, view = viewAt(1), seed = 1): Promise<Float32Array> {
  const scorer = createBaselineScorer(policy, { ...config, seed }, () => [{ start: 0, end: K }], tree);
  return entryScores(view, await scorer.score(view));
}

describe('baseline policies', () => {
  it.each(['recency', 'random', 'retrieval', 'bm25', 'attention', 'manual'] as const)(
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

  it('attention scores an even share 0 and follows the product with the tail', async () => {
    const view = viewAt(1);
    const tail = new Float32Array(view.tail.length).map((_, i) => (i % HIDDEN_SIZE === 1 ? 1 : 0));
    const even = await scoresOf('attention', { ...view, blockVectors: view.blockVectors.fill(1), tail });
    expect(even.every((score) => Math.abs(score) < 1e-6)).toBe(true);
    const blockVectors = new Float32Array(view.blockVectors.length);
    blockVectors[2 * HIDDEN_SIZE + 1] = 4;
    const scores = await scoresOf('attention', { ...view, blockVectors, tail });
    expect(scores.indexOf(Math.max(...scores))).toBe(2);
    expect(scores[2]).toBeGreaterThan(config.tauExpand);
    expect(scores[0]).toBeLessThan(0);
  });

  it('bm25 finds the block whose words the newest tokens repeat, and takes in what comes later', async () => {
    const history = new GistTree({ hiddenSize: HIDDEN_SIZE });
    const scorer = createBaselineScorer('bm25', config, () => [], history);
    const best = async (): Promise<number> => {
      makeGists(history);
      const { layout: window } = assembleByRecency(history, config);
      const view = buildSlotView({ layout: window, tree: history, embed, tailTokens: 32 });
      const scores = entryScores(view, await scorer.score(view));
      expect(scores[scores.length - 1]).toBeLessThan(0);
      return window.entries[scores.indexOf(Math.max(...scores))]!.start;
    };
    const distinct = (from: number, count: number) => Uint32Array.from({ length: count }, (_, i) => from + i);
    history.appendTokens(distinct(0, 1600), DOCUMENT);
    history.appendTokens(distinct(320, 64), DOCUMENT);
    expect([320, 352]).toContain(await best());
    history.appendTokens(distinct(5000, 640), DOCUMENT);
    history.appendTokens([...distinct(5070, 20), ...distinct(9000, 44)], DOCUMENT);
    expect(await best()).toBe(1664 + 64);
  });

  it('manual asks for pinned spans only', async () => {
    const scores = await scoresOf('manual');
    expect([...scores].map((score, i) => score > 0 === layout.entries[i]!.start < K)).not.toContain(false);
  });
});
