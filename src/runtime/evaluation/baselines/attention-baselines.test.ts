import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { K } from '../../../core/tree/ids.ts';
import { createMatchingModel } from '../../testing/matching-model.ts';
import { caseOfText } from '../cases/evaluation-case.ts';
import { type HistoryKeys, readHistoryKeys } from '../memory/history-keys.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import { attentionMass } from './attention-mass.ts';
import type { BaselineHistory, BlockRanker, Ranks } from './baseline.ts';
import { scoreHeads } from './head-picker.ts';
import { createSlidingRanker, keepBest, weighPhrases } from './infini-retri.ts';
import { createHeadRanker, rankByMass, retrievalHeadsOf, whyNoRetrievalHeads } from './qr-head.ts';
import { boundOf, createQuestRanker, rankByBounds } from './quest.ts';

const model = createMatchingModel();
const BLOCKS = 48;
/** Longer than the 512 tokens of the model's context; blocks that hold letters, and nothing else does. */
const SAID = new Map([
  [3, 'x'],
  [20, 'yyy'],
  [21, 'y'],
  [40, 'z'],
]);
const text = Array.from({ length: BLOCKS }, (_, block) => (SAID.get(block) ?? '').padEnd(K, '.')).join('');
const ids = model.tokenizer.encode(text);
const step = () => Promise.resolve();
const caseOf = (question: string, block: number) => {
  const gold = [{ start: block * K, end: block * K + 1 }];
  return caseOfText(model, question, 'a', { kind: 'in-order', values: ['a'] }, gold);
};
const bestOf = (ranks: Ranks): number => ranks.indexOf(Math.max(...ranks));

let tree: GistTree;
let keys: HistoryKeys;
let history: BaselineHistory;
beforeAll(async () => {
  tree = await rememberHistory(model, ids, undefined, step);
  keys = await readHistoryKeys(model, tree, [[0, 0]], undefined, systemClock, step);
  history = { model, tree, seed: 1, pause: step, keys: () => Promise.resolve(keys) };
});

async function bestBlocks(ranker: BlockRanker): Promise<number[]> {
  const best = [];
  for (const question of ['x', 'y', 'z'])
    best.push(bestOf(await ranker.rank(caseOf(question, 0).asked, null)));
  return best;
}

it('attends by softmax, mean over the tokens that ask', () => {
  // Two heads of width 1; the second asks with 0, and so of all alike.
  const queries = Float32Array.of(Math.log(3), 0, 0, 0);
  const single = Float32Array.of(1, 0);
  const mass = attentionMass(queries, single, 0, { heads: 2, headDim: 1 });
  expect([...mass].map((x) => x.toFixed(4))).toEqual(['0.6250', '0.3750']);
  expect([...attentionMass(queries, single, 1, { heads: 2, headDim: 1 })]).toEqual([0.5, 0.5]);
});

describe('Quest', () => {
  const shape = { heads: 2, kvHeads: 1, headDim: 2 };

  it('ranks by the most that a key within the bounds could be', () => {
    // Block 0: keys (3, -3) and (-3, 3); block 1: the key (2, 2); block 2: the key (-1, -1).
    const least = [Float32Array.of(-3, -3, 2, 2, -1, -1)];
    const most = [Float32Array.of(3, 3, 2, 2, -1, -1)];
    const ask = (...query: number[]) => rankByBounds([Float32Array.of(...query)], { least, most, shape }, 3);
    expect(boundOf(Float32Array.of(1, 1), least[0]!, most[0]!, 0, 0, shape)).toBe(6);
    const ranks = ask(1, 1, 0, 0);
    // Head 0 bounds 6, 4 and -2; head 1 tells none apart.
    const total = Math.exp(6) + Math.exp(4) + Math.exp(-2);
    [6, 4, -2].forEach((bound, block) => {
      expect(ranks[block]).toBeCloseTo(Math.exp(bound) / total + 1 / 3, 6);
    });
    // Towards (-1, -1) the third block's key is better than any of the second, and the first's bound the best.
    const other = ask(-1, -1, -1, -1);
    expect([0, 1, 2].sort((a, b) => other[b]! - other[a]!)).toEqual([0, 2, 1]);
  });

  it('bounds every key of a block from above', () => {
    const query = Float32Array.of(0.3, -1.7);
    const block = [Float32Array.of(1, 2), Float32Array.of(-4, 0.5), Float32Array.of(0, -1)];
    const least = Float32Array.of(-4, -1);
    const most = Float32Array.of(1, 2);
    const products = block.map(([a, b]) => query[0]! * a! + query[1]! * b!);
    expect(boundOf(query, least, most, 0, 0, shape)).toBeGreaterThanOrEqual(Math.max(...products));
  });

  it('finds the block that holds what is asked for', async () => {
    const ranker = await createQuestRanker(history);
    const [x, y, z] = await bestBlocks(ranker);
    expect([x, z]).toEqual([3, 40]);
    expect([20, 21]).toContain(y);
    expect(ranker.baseTokensOnce).toBeGreaterThanOrEqual(ids.length);
    expect(ranker.baseTokens).toBeGreaterThan(0);
  });
});

describe('QRHead', () => {
  it('ranks blocks by attention, less what is paid without a question', () => {
    const mass = new Float64Array(3 * K).fill(0.001);
    const unasked = mass.slice();
    mass[K + 1] = 0.2;
    mass[2 * K] = 0.5;
    // The third block draws attention whatever is asked.
    unasked[2 * K] = 0.45;
    const ranks = rankByMass(mass, unasked, 3);
    expect([...ranks].map((rank) => rank.toFixed(3))).toEqual(['0.000', '0.199', '0.050']);
  });

  it('finds the block that holds what is asked for, the fuller one first', async () => {
    expect(await bestBlocks(await createHeadRanker(history))).toEqual([3, 20, 40]);
  });

  it('picks the head that looks for what is asked', async () => {
    const examples = [{ ids, cases: [caseOf('x', 3), caseOf('z', 40)] }];
    const [best, other] = await scoreHeads(model, examples, systemClock, step);
    expect(best!.id).toEqual([0, 0]);
    expect(best!.score).toBeGreaterThan(0.02);
    expect(other!.score).toBeCloseTo(0, 6);
    const silent = [{ ids, cases: [{ ...caseOf('x', 3), gold: null }] }];
    await expect(scoreHeads(model, silent, systemClock, step)).rejects.toThrow(/where its answer is/);
  });

  it('refuses a base without heads, or with those of others, and names the command', () => {
    expect(whyNoRetrievalHeads(model)).toBeNull();
    const { retrievalHeads, ...bare } = model.manifest;
    const strange = { ...retrievalHeads!, heads: [[0, 9] as [number, number]] };
    const other = { ...retrievalHeads!, baseSha256: 'a'.repeat(64) };
    for (const [manifest, problem] of [
      [bare, /names no retrieval heads/],
      [{ ...bare, retrievalHeads: other }, /picked for other weights/],
      [{ ...bare, retrievalHeads: strange }, /no head 9 in a layer 0/],
    ] as const) {
      const changed = { ...model, manifest };
      expect(whyNoRetrievalHeads(changed)).toMatch(problem);
      expect(whyNoRetrievalHeads(changed)).toContain('npm run heads -- --model fake');
      expect(retrievalHeadsOf(changed)).toEqual([]);
    }
  });
});

describe('InfiniRetri', () => {
  it('keeps the best on its way through the pieces', async () => {
    const worth = [1, 9, 2, 3, 8, 1, 0, 7, 5];
    const read: number[][] = [];
    const ranks = await keepBest(worth.length, 2, (blocks) => {
      read.push([...blocks]);
      return Promise.resolve(blocks.map((block) => worth[block]!));
    });
    expect(read).toEqual([
      [0, 1],
      [0, 1, 2, 3],
      [1, 3, 4, 5],
      [1, 4, 6, 7],
      [1, 4, 8],
    ]);
    expect([...ranks].flatMap((rank, block) => (rank > -Infinity ? [[block, rank]] : []))).toEqual([
      [1, 9],
      [4, 8],
    ]);
  });

  it('weighs phrases: neighbours that are looked at together outweigh one token', () => {
    const mass = new Float64Array(3 * K);
    mass[10] = 0.2;
    mass.fill(0.1, K + 10, K + 14);
    const worth = weighPhrases(mass);
    expect([...worth].map((x) => x.toFixed(2))).toEqual(['0.20', '0.40', '0.00']);
  });

  it('finds the block that holds what is asked for, and shows what it read', async () => {
    const ranker = createSlidingRanker(history);
    expect(await bestBlocks(ranker)).toEqual([3, 20, 40]);
    expect(ranker.baseTokens).toBeGreaterThan(3 * ids.length);
  });
});
