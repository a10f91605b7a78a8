import { beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../base/rng.ts';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { K } from '../../../core/tree/ids.ts';
import { createMatchingModel } from '../../testing/matching-model.ts';
import { caseOfText } from '../cases/evaluation-case.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import { searchOracle } from './answer-oracle.ts';
import type { BaselineHistory, Ranks } from './baseline.ts';
import { createBm25Ranker } from './bm25-ranker.ts';
import { rankByAttention, rankByCosine } from './gist-ranks.ts';
import { expandedLayout, fullLayout, gistsLayout, rawLayout, streamingLayout } from './layouts.ts';
import { rankAtRandom, rankByGold, rankByRecency } from './plain-ranks.ts';
import { createEmbeddingRanker } from './token-embeddings.ts';

const model = createMatchingModel();
const config = { ...DEFAULT_RUN_CONFIG, budgetTokens: 256, recentTokens: 64 };
const step = () => Promise.resolve();
const BLOCKS = 24;
/** Blocks 4 and 5, one chunk of 64 tokens, say x; 8 and 9 x and y; 15 is the only one with a word. */
const SAID = new Map([
  [4, 'x'.repeat(K)],
  [5, 'x'.repeat(K)],
  [8, 'x'.repeat(K)],
  [9, 'y'.repeat(K)],
  [15, 'the kestrels lamp'],
]);
const text = Array.from({ length: BLOCKS }, (_, block) => (SAID.get(block) ?? '').padEnd(K, '.')).join('');
const askedBy = (question: string) =>
  caseOfText(model, question, 'a', { kind: 'in-order', values: ['a'] }, null).asked;
/** Best first, ties in the order of time. */
const orderOf = (ranks: Ranks): number[] => [...ranks.keys()].sort((a, b) => ranks[b]! - ranks[a]! || a - b);
const rawBlocks = ({ entries }: Layout): number[] =>
  entries.filter(({ lod }) => lod === 0).map(({ start }) => start / K);

let tree: GistTree;
let history: BaselineHistory;
beforeAll(async () => {
  tree = await rememberHistory(model, model.tokenizer.encode(text), undefined, step);
  const keys = () => Promise.reject(new Error('not asked'));
  history = { model, tree, seed: 1, pause: step, keys };
});

describe('rankings', () => {
  it('embeddings: the chunk whose mean is the question’s, then the one that shares half', async () => {
    const ranks = await createEmbeddingRanker(history).rank(askedBy('x'), null);
    expect(orderOf(ranks).slice(0, 4)).toEqual([4, 5, 8, 9]);
    expect(ranks[4]).toBeCloseTo(1, 6);
    expect(ranks[8]).toBeCloseTo(Math.SQRT1_2, 6);
    expect(ranks[0]).toBeCloseTo(0, 6);
  });

  it('BM25: the block that has the question’s word in another form', async () => {
    const ranks = await createBm25Ranker(history).rank(askedBy('Which kestrel?'), null);
    expect(orderOf(ranks)[0]).toBe(15);
    expect(ranks[2]).toBe(0);
  });

  it('cosine of gists: direction alone counts', () => {
    const gists = Float32Array.of(5, 5, 0, 2, -1, 0);
    expect(orderOf(rankByCosine(gists, Float32Array.of(0, 1, 0, 3), 2))).toEqual([1, 0, 2]);
  });

  it('attention to gists: length counts, and every token shares out one vote', () => {
    const gists = Float32Array.of(1, 0, 0, 4, 0, 1);
    const ranks = rankByAttention(gists, Float32Array.of(0, 2, 0, 2), 2);
    expect(orderOf(ranks)).toEqual([1, 2, 0]);
    expect(ranks.reduce((sum, rank) => sum + rank, 0)).toBeCloseTo(2, 9);
  });

  it('recency, chance and gold', () => {
    expect(orderOf(rankByRecency(4))).toEqual([3, 2, 1, 0]);
    const drawn = rankAtRandom(64, new Rng(3));
    expect(drawn).toEqual(rankAtRandom(64, new Rng(3)));
    expect(orderOf(drawn)).not.toEqual(orderOf(rankAtRandom(64, new Rng(4))));
    const gold = rankByGold(4, [{ start: K - 1, end: K + 1 }]);
    expect([...gold]).toEqual([1, 1, -Infinity, -Infinity]);
  });
});

describe('opening blocks', () => {
  const wanted = Float64Array.from(
    { length: BLOCKS },
    (_, block) => ({ 2: 3, 11: 2, 7: 1 })[block] ?? -Infinity,
  );

  it('opens the best within the budget, with gists around', () => {
    const raw = rawBlocks(expandedLayout(tree, config, wanted));
    expect(raw).toEqual(expect.arrayContaining([2, 11, 7]));
    const tight = { ...config, budgetTokens: 160 };
    const layout = expandedLayout(tree, tight, wanted);
    expect(layout.usedTokens).toBeLessThanOrEqual(160);
    expect(rawBlocks(layout)).toContain(2);
    expect(rawBlocks(layout)).not.toContain(7);
    expect(layout.entries.some(({ lod }) => lod > 0)).toBe(true);
  });

  it('opens the best alone, the newest alone, or none', () => {
    const raw = rawLayout(tree, config, wanted);
    expect(rawBlocks(raw)).toEqual([2, 7, 11, BLOCKS - 2, BLOCKS - 1]);
    expect(raw.entries.every(({ lod }) => lod === 0)).toBe(true);
    const streamed = streamingLayout(tree, config);
    expect(streamed.entries[0]).toMatchObject({ lod: 0, start: 0, end: 4 });
    expect(streamed.entries[1]!.start).toBeGreaterThan(16 * K);
    expect(streamed.usedTokens).toBeLessThanOrEqual(config.budgetTokens);
    expect(rawBlocks(gistsLayout(tree, config)).every((block) => block >= BLOCKS - 4)).toBe(true);
    expect(fullLayout(tree).usedTokens).toBe(BLOCKS * K);
  });

  it('the oracle opens what lowers the answer’s NLL, and nothing that does not', async () => {
    const holds = (layout: Layout, block: number): boolean => rawBlocks(layout).includes(block);
    const nll = (layout: Layout) =>
      Promise.resolve(4 - 2 * Number(holds(layout, 9)) - Number(holds(layout, 3)));
    const before = rawBlocks(gistsLayout(tree, config));
    const after = rawBlocks(await searchOracle(tree, config, nll));
    expect(after.filter((block) => !before.includes(block)).sort((a, b) => a - b)).toEqual([3, 9]);
  });
});
