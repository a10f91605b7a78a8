import { describe, expect, it } from 'vitest';
import { configOf, embed, treeOf } from '../testing/fake-history.ts';
import { assembleByRecency } from '../allocator/assembly.ts';
import { K } from '../tree/ids.ts';
import type { GistTree } from '../tree/gist-tree.ts';
import type { RunConfig } from '../trace/config.ts';
import { policyPorts } from '../testing/policy-ports.ts';
import { entryScores } from './scores.ts';
import type { Scorer } from './scorer.ts';
import { buildSlotView } from '../context/slot-view.ts';
import type { Layout } from '../context/working-context.ts';
import { entryIndexAt } from '../context/working-context.ts';
import { OracleLimitError, oraclePolicy, oracleQueryStart } from './oracle.ts';
import type { MeasureNll } from './policy.ts';

const config = configOf({ budgetTokens: 512, recentTokens: 96, lod1WindowTokens: 1024 });
const tree = treeOf(4000);
const { layout } = assembleByRecency(tree, config);
/** The one block whose detail the newest tokens need; reading it raw is worth 0.5 nats. */
const GOLD = layout.entries.find(({ lod }) => lod === 1)!.start;

const goldIsRaw = (window: Layout): boolean => window.entries[entryIndexAt(window, GOLD)]!.lod === 0;

const oracleOf = (history: GistTree, given: RunConfig, measureNll: MeasureNll): Scorer =>
  oraclePolicy.create(given, { ...policyPorts(history), withNll: (_, use) => use(measureNll) });

async function scoresOf(window: Layout, nll: (moved: Layout) => number): Promise<Float32Array> {
  const view = buildSlotView({ layout: window, tree, embed, tailTokens: 32 });
  const measureNll = (moved: Layout): Promise<number> => Promise.resolve(nll(moved));
  return entryScores(view, await oracleOf(tree, config, measureNll).score(view));
}

describe('the oracle', () => {
  it('scores what each move does to the loss, and leaves alone what does nothing', async () => {
    const scores = await scoresOf(layout, (moved) => (goldIsRaw(moved) ? 2 : 2.5));
    const gold = entryIndexAt(layout, GOLD);
    expect(scores[gold]).toBeGreaterThan(0.9);
    expect([...scores].filter((score) => score !== 0)).toHaveLength(1);
  });

  it('asks to collapse what only confuses the base', async () => {
    const least = layout.usedTokens;
    const scores = await scoresOf(layout, (moved) => 2 + (moved.usedTokens - least) / 100);
    expect(scores.filter((score) => score > 0)).toHaveLength(0);
    expect(scores.filter((score) => score < -config.tauCollapse).length).toBeGreaterThan(0);
    const queryStart = oracleQueryStart(layout.cursor);
    layout.entries.forEach(({ end }, i) => {
      if (end > queryStart) expect(scores[i]).toBe(0);
    });
  });

  it('measures nothing and says why where there are too many moves', async () => {
    const long = treeOf(40_000);
    const wide = configOf({ budgetTokens: 8192, lod1WindowTokens: 40_000 });
    const window = assembleByRecency(long, wide).layout;
    const view = buildSlotView({ layout: window, tree: long, embed, tailTokens: 32 });
    const measureNll = (): Promise<number> => Promise.reject(new Error('measured'));
    const oracle = oracleOf(long, wide, measureNll);
    await expect(oracle.score(view)).rejects.toThrow(OracleLimitError);
    await expect(oracle.score(view)).rejects.toThrow(/lower the budget/);
  });

  it('reads the newest one to two blocks as its query', () => {
    expect([10, 32, 64, 95, 96, 1000].map(oracleQueryStart)).toEqual([0, 0, K, K, 2 * K, 960]);
  });
});
