import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assembleByRecency } from '../allocator/assembly.ts';
import { appendAndFit } from '../allocator/between-refocuses.ts';
import { INITIAL_ALLOCATOR_STATE } from '../allocator/pass/allocator-state.ts';
import { refocus } from '../allocator/refocus.ts';
import { checkInvariants } from '../context/invariants.ts';
import { entryAt, layoutOf } from '../context/working-context.ts';
import { buildSlotView } from '../context/slot-view.ts';
import { entryScorer } from '../policies/entry-scorer.ts';
import { hashUint32 } from '../../base/rng.ts';
import { configOf, DOCUMENT, embed, makeGists, tokenIds, treeOf } from '../testing/fake-history.ts';
import { sampleAction } from '../testing/sample-events.ts';
import { K } from '../tree/ids.ts';
import { headConfig, STAGING_HEAD } from './head-specs.ts';
import { coldBelow, isStagingDue, scoredWithStaging, STAGING_PART_SLOTS, stagingUse } from './staging.ts';
import { withCue, withoutHeld } from './head-scorer.ts';

/** A score of its own for every span and step. */
const drawn = (seed: number) =>
  entryScorer(
    'drawn',
    (view) =>
      ({ lod, start }) =>
        hashUint32(seed, view.step ?? 0, lod, start) / 2 ** 31 - 1,
  );

describe('staging', () => {
  it('keeps every invariant under random histories and scores, scored in parts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 512, max: 4096 }),
        fc.integer(),
        async (pieces, stagingBudgetTokens, seed) => {
          const config = headConfig(
            configOf({ budgetTokens: 256, recentTokens: 64, stagingBudgetTokens }),
            STAGING_HEAD,
          );
          const tree = treeOf(0);
          let { layout } = assembleByRecency(tree, config);
          let state = INITIAL_ALLOCATOR_STATE;
          for (const tokens of pieces) {
            tree.appendTokens(tokenIds(tree.tokenCount, tokens), DOCUMENT);
            makeGists(tree);
            const fit = appendAndFit({ layout, tree, config, state }, tree.tokenCount);
            const result = await refocus({
              layout: fit.layout,
              state: fit.state,
              tree,
              config,
              scorer: drawn(seed),
              embed,
              tailTokens: 16,
              reserveTokens: 32,
              partSlots: 100,
              now: () => 0,
            });
            expect(result.violations).toEqual([]);
            ({ layout, state } = result);
            expect(checkInvariants(layout, tree, config)).toEqual([]);
            expect(layout.cursor).toBe(tree.tokenCount);
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  it('scored in parts, gives every entry the score that it has in one', async () => {
    const tree = treeOf(5000);
    const config = configOf({ budgetTokens: 1024, recentTokens: 64 });
    const { layout } = assembleByRecency(tree, config);
    const base = { layout, tree, config, state: INITIAL_ALLOCATOR_STATE, scorer: drawn(3), embed };
    const once = await refocus({ ...base, tailTokens: 16, now: () => 0 });
    const parts: number[] = [];
    const seen = {
      id: 'seen',
      score: (view: Parameters<ReturnType<typeof drawn>['score']>[0]) => (
        parts.push(view.slotCount),
        drawn(3).score(view)
      ),
    };
    const split = await refocus({ ...base, scorer: seen, tailTokens: 16, partSlots: 50, now: () => 0 });
    expect(split.scores).toEqual(once.scores);
    expect(Math.max(...parts)).toBeLessThanOrEqual(50);
  });

  it('has its scorer read a context twice as wide in twice as many parts of the same size', async () => {
    const partsOf = async (blocks: number): Promise<readonly number[]> => {
      const parts: number[] = [];
      const seen = entryScorer('seen', (view) => {
        parts.push(view.slotCount);
        return () => 0;
      });
      await refocus({
        layout: layoutOf(Array.from({ length: blocks }, (_, block) => entryAt(1, block * K))),
        tree: treeOf(blocks * K),
        config: configOf({ budgetTokens: blocks + 64, recentTokens: 64 }),
        state: INITIAL_ALLOCATOR_STATE,
        scorer: seen,
        embed,
        tailTokens: 16,
        partSlots: STAGING_PART_SLOTS,
        now: () => 0,
      });
      return parts;
    };
    const [narrow, wide] = [await partsOf(2048), await partsOf(8192)];
    expect(Math.max(...wide)).toBeLessThanOrEqual(STAGING_PART_SLOTS);
    // Attention within a part grows with its square.
    const cost = (parts: readonly number[]) => parts.reduce((sum, slots) => sum + slots ** 2, 0);
    expect(cost(wide) / cost(narrow)).toBeLessThanOrEqual(4.01);
    expect(wide.reduce((sum, slots) => sum + slots, 0)).toBeGreaterThanOrEqual(8192);
  });

  it('is due at first, after the cadence, and when a question was asked', () => {
    expect(isStagingDue(null, 256, false, false)).toBe(true);
    expect(isStagingDue(255, 256, false, false)).toBe(false);
    expect(isStagingDue(256, 256, false, true)).toBe(true);
    expect(isStagingDue(0, 256, true, false)).toBe(true);
    expect(isStagingDue(0, 256, true, true)).toBe(false);
    expect(isStagingDue(1, 256, true, true)).toBe(true);
  });

  it('lends a gist the best of what it holds below it, and nothing else', async () => {
    const tree = treeOf(3 * 1024);
    const view = buildSlotView({
      layout: layoutOf([entryAt(2, 0), entryAt(2, 1024), entryAt(2, 2048)]),
      tree,
      embed,
      tailTokens: 8,
    });
    const staged = layoutOf([
      entryAt(2, 0),
      ...Array.from({ length: 32 }, (_, i) => entryAt(1, 1024 + 32 * i)),
      entryAt(2, 2048),
    ]);
    const scores = new Float32Array(34).fill(-0.5);
    scores[8] = 0.75;
    const own = entryScorer('own', () => () => 0.25);
    const lent = scoredWithStaging(own, () => ({ layout: staged, scores }));
    expect(Array.from(await lent.score(view))).toEqual([0.25, 0.75, 0.25]);
    expect(Array.from(await scoredWithStaging(own, () => null).score(view))).toEqual([0.25, 0.25, 0.25]);
  });

  it('asks for what it would open and cannot, the best first', () => {
    const tree = treeOf(3 * 1024);
    const layout = layoutOf([
      entryAt(2, 0),
      ...Array.from({ length: 32 }, (_, i) => entryAt(1, 1024 + 32 * i)),
      entryAt(2, 2048),
    ]);
    const scores = new Float32Array(34).fill(-0.5);
    scores[0] = 0.6;
    scores[3] = 0.9;
    scores[33] = 0.3;
    const wantedOf = () => coldBelow({ layout, scores }, tree, 0.2);
    expect(wantedOf()).toEqual([]);
    tree.withhold([
      { lod: 0, first: 34, count: 1 },
      { lod: 0, first: 0, count: 3 },
      { lod: 1, first: 5, count: 1 },
    ]);
    expect(wantedOf()).toEqual([
      { lod: 0, first: 34, count: 1 },
      { lod: 1, first: 0, count: 32 },
    ]);
    scores[3] = 0.1;
    expect(wantedOf()).toEqual([{ lod: 1, first: 0, count: 32 }]);
  });

  it('counts expansions into what it holds as hits, and those beyond as misses', () => {
    const layout = layoutOf([
      entryAt(2, 0),
      ...Array.from({ length: 32 }, (_, i) => entryAt(1, 1024 + 32 * i)),
    ]);
    const use = stagingUse({ layout }, [
      sampleAction({ lod: 2, start: 1024, end: 2048, toLod: 1 }),
      sampleAction({ lod: 1, start: 1024, end: 1056 }),
      sampleAction({ lod: 2, start: 0, end: 1024, toLod: 1 }),
      sampleAction({ lod: 2, start: 1024, applied: false }),
      sampleAction({ kind: 'collapse' }),
    ]);
    expect(use).toEqual({ hits: 1, misses: 2 });
  });
});

describe('a head’s score', () => {
  const tree = treeOf(2048);
  const view = buildSlotView({
    layout: layoutOf([entryAt(2, 0), entryAt(1, 1024), entryAt(0, 1056)]),
    tree,
    embed,
    tailTokens: 8,
  });
  const even = (score: number) => entryScorer('even', () => () => score);

  it('adds the cue within the limits, and lets what is no number be seen', async () => {
    expect((await withCue(even(0.8), even(1), 0.5).score(view))[0]).toBe(1);
    expect((await withCue(even(0.25), even(-0.5), 0.5).score(view))[0]).toBe(0);
    expect((await withCue(even(NaN), even(1), 0.5).score(view))[0]).toBeNaN();
    expect(withCue(even(0.8), null, 0.5).id).toBe('even');
  });

  it('takes off what others hold, by the share that they hold', async () => {
    const held = new Set([1, 2, 32, 33]);
    const scores = await withoutHeld(even(0.5), () => held, 0.32).score(view);
    expect(scores[0]).toBeCloseTo(0.5 - 0.02);
    expect(scores[1]).toBeCloseTo(0.18);
    expect(scores[33]).toBeCloseTo(0.18);
    expect(Array.from(await withoutHeld(even(0.5), () => new Set(), 0.3).score(view))).toEqual(
      Array.from(await even(0.5).score(view)),
    );
  });
});
