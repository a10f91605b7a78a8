import { describe, expect, it } from 'vitest';
import { DOCUMENT, HIDDEN_SIZE, configOf, makeGists, tokenIds, treeOf } from '../testing/fake-history.ts';
import { INITIAL_ALLOCATOR_STATE } from '../allocator/pass/allocator-state.ts';
import type { Allocation } from '../allocator/pass/allocation-pass.ts';
import { assembleByRecency } from '../allocator/assembly.ts';
import { appendAndFit, makeRoom } from '../allocator/between-refocuses.ts';
import { checkInvariants } from './invariants.ts';
import { apply, explainObstacle, legalMoves, moveRules, protectedStart, refuse } from './moves.ts';
import { actByHand } from '../allocator/manual-action.ts';
import { GistTree } from '../tree/gist-tree.ts';
import { LayoutError, emptyLayout, entryIndexAt, extendLayout, windowStart } from './working-context.ts';

const state = INITIAL_ALLOCATOR_STATE;

describe('assembly by recency', () => {
  it('keeps the newest raw, the next at LOD1, older at the coarsest levels that tile', () => {
    const config = configOf({ recentTokens: 64, lod1WindowTokens: 512 });
    const { layout, evictions } = assembleByRecency(treeOf(40_000), config);
    expect(evictions).toEqual([]);
    expect(layout.entries[0]).toMatchObject({ lod: 3, start: 0, end: 32_768 });
    expect(layout.entries.filter(({ lod }) => lod === 0).map(({ start }) => start)).toEqual([39_936, 39_968]);
    expect(layout.entries.filter(({ lod, start }) => lod === 1 && start >= 39_936 - 512)).toHaveLength(16);
    expect(checkInvariants(layout, treeOf(40_000), config)).toEqual([]);
  });

  it('coarsens from the oldest side before it evicts', () => {
    const tree = treeOf(8192);
    const config = configOf({ budgetTokens: 256, recentTokens: 128, lod1WindowTokens: 8192 });
    const { layout, evictions } = assembleByRecency(tree, config);
    expect(evictions).toEqual([]);
    const lods = layout.entries.map(({ lod }) => lod);
    expect(lods).toEqual([...lods].sort((a, b) => b - a));
    expect(layout.usedTokens).toBeLessThanOrEqual(256);
  });

  it('keeps blocks raw while their gists are missing, and evicts when they do not fit', () => {
    const tree = new GistTree({ hiddenSize: HIDDEN_SIZE });
    tree.appendTokens(tokenIds(0, 1000), DOCUMENT);
    const { layout, evictions } = assembleByRecency(tree, configOf({ budgetTokens: 128, recentTokens: 32 }));
    expect(layout.entries.every(({ lod }) => lod === 0)).toBe(true);
    expect(windowStart(layout)).toBe(896);
    expect(evictions).toHaveLength(28);
  });
});

describe('layout', () => {
  const tree = treeOf(2100);
  const config = configOf({ budgetTokens: 512, recentTokens: 64, lod1WindowTokens: 512 });
  const { layout } = assembleByRecency(tree, config);

  it('finds the entry of a token', () => {
    for (const token of [0, 1023, 1024, 2099]) {
      const entry = layout.entries[entryIndexAt(layout, token)]!;
      expect(entry.start <= token && token < entry.end).toBe(true);
    }
    expect(entryIndexAt(layout, 2100)).toBe(-1);
  });

  it('grows the open tail and closes it', () => {
    let grown = extendLayout(emptyLayout(), 30);
    grown = extendLayout(grown, 32);
    expect(grown.entries).toEqual([{ lod: 0, start: 0, end: 32, cost: 32 }]);
    expect(extendLayout(grown, 70).entries.map(({ end }) => end)).toEqual([32, 64, 70]);
    expect(() => extendLayout(grown, 1)).toThrow(LayoutError);
  });

  it('expands LOD1 to one raw block and LOD2 to 32 gists, and collapses them back', () => {
    const lod2 = layout.entries.findIndex(({ lod }) => lod === 2);
    const lod1 = layout.entries.findIndex(({ lod }) => lod === 1);
    const fine = apply(layout, 'expand', lod1, tree);
    expect(fine.entries[lod1]).toMatchObject({ lod: 0, cost: 32 });
    expect(fine.usedTokens).toBe(layout.usedTokens + 31);
    expect(apply(fine, 'collapse', lod1, tree).entries).toEqual(layout.entries);
    const wide = apply(layout, 'expand', lod2, tree);
    expect(wide.entries).toHaveLength(layout.entries.length + 31);
    expect(apply(wide, 'collapse', lod2 + 17, tree).entries).toEqual(layout.entries);
    expect(() => apply(apply(wide, 'expand', lod2 + 3, tree), 'collapse', lod2, tree)).toThrow(LayoutError);
    expect(() => apply(layout, 'collapse', layout.entries.length - 1, tree)).toThrow(LayoutError);
    expect(() => apply(layout, 'expand', layout.entries.length - 1, tree)).toThrow(LayoutError);
  });

  it('enumerates the moves that can be made, and refuses the others in words', () => {
    const rules = moveRules(layout, tree, config);
    const moves = legalMoves(layout, rules);
    for (const { kind, first, count, lod } of moves) {
      const { usedTokens } = apply(layout, kind, first, tree);
      expect(usedTokens).toBe(layout.usedTokens + (kind === 'expand' ? 31 : -31));
      expect(count).toBe(kind === 'collapse' && lod > 0 ? 32 : 1);
    }
    layout.entries.forEach((_, i) => {
      for (const kind of ['expand', 'collapse'] as const) {
        const isListed = moves.some(
          (move) => move.kind === kind && move.first <= i && i < move.first + move.count,
        );
        expect(refuse(layout, kind, i, rules) === null).toBe(isListed);
      }
    });
    const last = layout.entries.length - 1;
    expect(refuse(layout, 'collapse', last, rules)).toBe('open-tail');
    expect(refuse(layout, 'collapse', last - 1, rules)).toBe('protected-recent');
    expect(refuse(layout, 'expand', last, rules)).toBe('already-raw');
    expect(refuse(layout, 'expand', 0, { ...rules, freeTokens: 30 })).toBe('no-budget');
    expect(explainObstacle('open-tail')).not.toBe(explainObstacle(null));
  });

  it('protects at least recentTokens, whole blocks, within three quarters of the budget', () => {
    expect(protectedStart(2100, { recentTokens: 64, budgetTokens: 512 })).toBe(2016);
    expect(protectedStart(10, { recentTokens: 64, budgetTokens: 512 })).toBe(0);
    expect(2100 - protectedStart(2100, { recentTokens: 512, budgetTokens: 256 })).toBeLessThanOrEqual(192);
  });
});

describe('keeping the budget between refocuses', () => {
  const config = configOf({ budgetTokens: 128, recentTokens: 32, lod1WindowTokens: 1024 });

  it('makes room before tokens enter', () => {
    const tree = treeOf(1024);
    const { layout } = assembleByRecency(tree, config);
    const made = makeRoom({ layout, tree, config, state }, 100);
    expect(made.layout.usedTokens).toBeLessThanOrEqual(28 + 32);
    expect(made.state.netCost).toBe(made.layout.usedTokens - layout.usedTokens);
  });

  it('takes new tokens in and stays within the budget at every token', () => {
    const tree = treeOf(0);
    let current: Omit<Allocation, 'actions'> = {
      layout: emptyLayout(),
      state,
      scores: new Float32Array(0),
    };
    for (let i = 0; i < 600; i++) {
      tree.appendTokens([i], DOCUMENT);
      makeGists(tree);
      current = appendAndFit({ ...current, tree, config }, tree.tokenCount);
      expect(current.layout.usedTokens).toBeLessThanOrEqual(128);
    }
    expect(checkInvariants(current.layout, tree, config)).toEqual([]);
    expect(windowStart(current.layout)).toBe(0);
  });
});

describe('moves by hand', () => {
  const tree = treeOf(2048);

  it('expand at once, paid for when there is no room', () => {
    const config = configOf({ budgetTokens: 160, recentTokens: 32, lod1WindowTokens: 2048 });
    const { layout } = assembleByRecency(tree, { ...config, recentTokens: 96 });
    const target = layout.entries.find(({ lod }) => lod === 1)!;
    const result = actByHand({ layout, tree, config, state }, { kind: 'expand', ...target });
    expect(result.actions.at(-1)).toMatchObject({ kind: 'expand', applied: true, reason: 'manual' });
    expect(result.layout.usedTokens).toBeLessThanOrEqual(160);
    expect(checkInvariants(result.layout, tree, config, { previous: layout })).toEqual([]);
  });

  it('are refused with a reason and change nothing', () => {
    const config = configOf({ budgetTokens: 512, recentTokens: 64, lod1WindowTokens: 2048 });
    const { layout } = assembleByRecency(tree, config);
    const last = layout.entries.at(-1)!;
    const reasons = (['expand', 'collapse'] as const).map((kind) => {
      const result = actByHand({ layout, tree, config, state }, { kind, ...last });
      expect(result.layout).toBe(layout);
      return result.actions.map(({ applied, reason }) => [applied, reason]);
    });
    expect(reasons).toEqual([[[false, 'not-legal']], [[false, 'protected-recent']]]);
  });
});
