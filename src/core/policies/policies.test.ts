import { describe, expect, it } from 'vitest';
import { DOCUMENT, HIDDEN_SIZE, configOf, embed, makeGists, treeOf } from '../testing/fake-history.ts';
import { assembleByRecency } from '../allocator/assembly.ts';
import { K } from '../tree/ids.ts';
import type { SlotView } from '../context/slot-view.ts';
import { entryScorer } from './entry-scorer.ts';
import { entryScores } from './scores.ts';
import { buildSlotView } from '../context/slot-view.ts';
import { GistTree } from '../tree/gist-tree.ts';
import { PARAMETERS } from '../parameters/parameters.ts';
import type { PolicyId } from '../parameters/policy.ts';
import { policyPorts } from '../testing/policy-ports.ts';
import { POLICIES, createScorer, needsNewScorer } from './registry.ts';

const config = configOf({ budgetTokens: 512, recentTokens: 96, lod1WindowTokens: 1024 });
const tree = treeOf(4000);
const { layout } = assembleByRecency(tree, config);
const viewAt = (step: number): SlotView => buildSlotView({ layout, tree, embed, tailTokens: 32, step });

async function scoresOf(policy: PolicyId, view = viewAt(1), seed = 1): Promise<Float32Array> {
  const ports = policyPorts(tree, () => [{ start: 0, end: K }]);
  const scorer = createScorer({ ...config, policy, seed }, ports);
  return entryScores(view, await scorer.score(view));
}

describe('the registry', () => {
  it('holds every policy that a run may name, under its own name', () => {
    const parameter = PARAMETERS.find(({ id }) => id === 'policy')!;
    expect(parameter).toMatchObject({ choices: Object.keys(POLICIES) });
    for (const [id, policy] of Object.entries(POLICIES)) expect(policy.id).toBe(id);
  });

  it('asks for another scorer when its policy or a parameter that it reads changed, and only then', () => {
    const changed = { ...config, policy: 'random' as const };
    expect(needsNewScorer(config, config)).toBe(false);
    expect(needsNewScorer(config, changed)).toBe(true);
    expect(needsNewScorer(changed, { ...changed, seed: 2 })).toBe(true);
    expect(needsNewScorer(changed, { ...changed, budgetTokens: 256, tauExpand: 0.5 })).toBe(false);
    const recency = { ...config, policy: 'recency' as const };
    expect(needsNewScorer(recency, { ...recency, budgetTokens: 256 })).toBe(true);
    expect(needsNewScorer(recency, { ...recency, seed: 2 })).toBe(false);
  });

  it('gives the LensNet of the variant that the parameters ask for', () => {
    const lens = entryScorer('lensnet', () => () => 0);
    const asked: string[] = [];
    const ports = {
      ...policyPorts(tree),
      lensNet: (variant: string) => {
        asked.push(variant);
        return lens;
      },
    };
    expect(createScorer({ ...config, lensVariant: 'perceiver' }, ports)).toBe(lens);
    expect(asked).toEqual(['perceiver']);
  });
});

describe('policies without a net', () => {
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
    const scorer = createScorer({ ...config, policy: 'bm25' }, policyPorts(history));
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

  it('bm25 searches for the question alone, where one was just asked', async () => {
    const history = new GistTree({ hiddenSize: HIDDEN_SIZE });
    const distinct = (from: number, count: number) => Uint32Array.from({ length: count }, (_, i) => from + i);
    history.appendTokens(distinct(0, 1600), DOCUMENT);
    // What stands right before the question repeats another block.
    history.appendTokens(distinct(960, 50), DOCUMENT);
    history.appendTokens(distinct(320, 14), { ...DOCUMENT, role: 'user', documentId: 'turn' });
    makeGists(history);
    const { layout: window } = assembleByRecency(history, config);
    const view = buildSlotView({ layout: window, tree: history, embed, tailTokens: 32 });
    const scorer = createScorer({ ...config, policy: 'bm25' }, policyPorts(history));
    const scores = entryScores(view, await scorer.score(view));
    const best = window.entries[scores.indexOf(Math.max(...scores))]!;
    expect(best.start <= 320 && 320 < best.end).toBe(true);
  });

  it('hybrid is the sum of LensNet and bm25, within bounds', async () => {
    const view = viewAt(1);
    const learned = Float32Array.from({ length: view.slotCount }, (_, slot) => (slot % 3) - 1);
    const lens = { id: 'lensnet', score: () => Promise.resolve(learned) };
    const ports = { ...policyPorts(tree), lensNet: () => lens };
    const words = await createScorer({ ...config, policy: 'bm25' }, ports).score(view);
    const sums = await createScorer({ ...config, policy: 'hybrid' }, ports).score(view);
    expect(new Set(words).size).toBeGreaterThan(1);
    sums.forEach((sum, slot) => {
      expect(sum).toBeCloseTo(Math.max(-1, Math.min(1, learned[slot]! + words[slot]!)), 6);
    });
  });

  it('manual asks for pinned spans only', async () => {
    const scores = await scoresOf('manual');
    expect([...scores].map((score, i) => score > 0 === layout.entries[i]!.start < K)).not.toContain(false);
  });
});
