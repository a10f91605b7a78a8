import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { treeOf } from '../testing/fake-history.ts';
import { assembleByRecency } from '../allocator/assembly.ts';
import { DEFAULT_RUN_CONFIG } from '../trace/config.ts';
import { POSITION_MODES } from '../parameters/context.ts';
import { positionSchemeOf } from './position-scheme.ts';
import { K } from '../tree/ids.ts';
import type { PositionScheme } from './position-scheme.ts';
import { checkInvariants } from './invariants.ts';
import { slotPositions } from './positions.ts';
import { emptyLayout, entryAt, extendLayout, layoutOf } from './working-context.ts';
import type { Layout } from './working-context.ts';

const FOLLOWING = 128;
const scheme = (mode: PositionScheme['mode'], changes: Partial<PositionScheme> = {}): PositionScheme => ({
  mode,
  gistDecay: 0,
  trainedContextTokens: 512,
  ...changes,
});
const trees = [1, 40, 700, 3000, 20_000, 70_005].map(treeOf);

/** Windows as the recency policy leaves them, from a few raw tokens to three levels of gists. */
const layouts: fc.Arbitrary<Layout> = fc
  .record({
    tree: fc.constantFrom(...trees),
    isRaw: fc.boolean(),
    budgetTokens: fc.integer({ min: 96, max: 1024 }),
    recentTokens: fc.integer({ min: 0, max: 512 }),
    lod1WindowTokens: fc.integer({ min: 0, max: 8192 }),
  })
  .map(({ tree, isRaw, ...changes }) =>
    isRaw
      ? extendLayout(emptyLayout(), Math.min(tree.tokenCount, 4000))
      : assembleByRecency(tree, { ...DEFAULT_RUN_CONFIG, ...changes }).layout,
  );

describe('slot positions', () => {
  it('are what each mode promises, and one that is moved is found', () => {
    const shifts = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(layouts, fc.constantFrom(...POSITION_MODES), fc.nat(), shifts, (layout, mode, at, by) => {
        const sent = {
          ...slotPositions(layout, scheme(mode)),
          scheme: scheme(mode),
          entries: layout.entries,
        };
        const rope = (positions: Float64Array) =>
          checkInvariants(
            layout,
            trees.at(-1)!,
            { budgetTokens: Infinity },
            { sent: { ...sent, positions } },
          ).filter(({ check }) => check === 'rope');
        expect(rope(sent.positions)).toEqual([]);
        const slot = at % layout.usedTokens;
        const moved = sent.positions.map((place, i) => (i === slot ? place + by : place));
        if (layout.usedTokens > 1) expect(rope(moved)).toHaveLength(1);
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  it('are indices and span centres when absolute, slot numbers when compact', () => {
    const layout = layoutOf([entryAt(2, 0), entryAt(1, 1024), entryAt(0, 1056, 1060)]);
    expect([...slotPositions(layout, scheme('absolute'), 2).positions]).toEqual([
      512, 1040, 1056, 1057, 1058, 1059, 1060, 1061,
    ]);
    expect([...slotPositions(layout, scheme('compact'), 2).positions]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('never go back, whatever the mode', () => {
    fc.assert(
      fc.property(layouts, fc.constantFrom(...POSITION_MODES), (layout, mode) => {
        const { positions } = slotPositions(layout, scheme(mode), FOLLOWING);
        expect(positions.every((position, i) => i === 0 || position >= positions[i - 1]!)).toBe(true);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('stay within the trained context when grouped, with the newest half of it exact', () => {
    const contexts = fc.integer({ min: 384, max: 8192 });
    fc.assert(
      fc.property(layouts, contexts, (layout, trainedContextTokens) => {
        const grouped = slotPositions(
          layout,
          scheme('grouped', { trainedContextTokens }),
          FOLLOWING,
        ).positions;
        const absolute = slotPositions(layout, scheme('absolute'), FOLLOWING).positions;
        expect(grouped[0]).toBeGreaterThanOrEqual(0);
        expect(grouped.at(-1)).toBeLessThan(trainedContextTokens);
        expect(grouped.every(Number.isInteger)).toBe(true);
        const near = layout.cursor - Math.floor(trainedContextTokens / 2 / K) * K;
        const first = absolute.findIndex((position) => position >= near);
        const offset = absolute[first]! - grouped[first]!;
        expect(grouped.subarray(first)).toEqual(
          absolute.subarray(first).map((position) => position - offset),
        );
      }),
      { seed: 2, numRuns: 60 },
    );
  });

  it('of raw tokens within the trained context are the same in all modes, but for an offset', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 1, max: 350 }), (block, count) => {
        const start = block * K;
        const entries = Array.from({ length: Math.ceil(count / K) }, (_, i) =>
          entryAt(0, start + i * K, Math.min(start + (i + 1) * K, start + count)),
        );
        for (const mode of POSITION_MODES) {
          const { positions } = slotPositions(layoutOf(entries), scheme(mode), 1);
          expect(positions.map((position) => position - positions[0]!)).toEqual(
            Float64Array.from({ length: count + 1 }, (_, i) => i),
          );
        }
      }),
      { seed: 3, numRuns: 30 },
    );
  });

  it('that are grouped hold still while a block fills, so that cached keys stay valid', () => {
    const grown = (cursor: number): Float64Array =>
      slotPositions(extendLayout(emptyLayout(), cursor), scheme('grouped')).positions;
    const before = grown(3200);
    expect(grown(3231).subarray(0, before.length)).toEqual(before);
    expect(grown(3232).subarray(0, before.length)).not.toEqual(before);
  });

  it('are blurred for gists only, by their span', () => {
    const layout = layoutOf([entryAt(2, 0), entryAt(1, 1024), entryAt(0, 1056, 1060)]);
    const blur = (mode: PositionScheme['mode']) => [
      ...slotPositions(layout, scheme(mode, { gistDecay: 2 }), 1).deviations,
    ];
    const perToken = 2 / Math.sqrt(12);
    expect(blur('absolute')).toEqual([1024 * perToken, 32 * perToken, 0, 0, 0, 0, 0]);
    expect(blur('compact')).toEqual([perToken, perToken, 0, 0, 0, 0, 0]);
    // 800 far tokens on 96 places: groups of 16.
    expect(blur('grouped')).toEqual([64 * perToken, 32 * perToken, 0, 0, 0, 0, 0]);
    fc.assert(
      fc.property(layouts, fc.constantFrom(...POSITION_MODES), (some, mode) => {
        const { deviations } = slotPositions(some, scheme(mode, { gistDecay: 1 }), 3);
        const isGist = some.entries.flatMap(({ lod, cost }) => Array<boolean>(cost).fill(lod > 0));
        expect(Array.from(deviations, (deviation) => deviation > 0)).toEqual([
          ...isGist,
          false,
          false,
          false,
        ]);
      }),
      { seed: 4, numRuns: 30 },
    );
  });

  it('follow a run’s parameters', () => {
    const config = { ...DEFAULT_RUN_CONFIG, positions: 'compact', gistDecay: 0.5 } as const;
    expect(positionSchemeOf(config, 512)).toEqual(scheme('compact', { gistDecay: 0.5 }));
  });
});
