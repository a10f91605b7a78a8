import { describe, expect, it } from 'vitest';
import { DOCUMENT, configOf, makeGists, tokenIds, treeOf } from '../testing/fake-history.ts';
import { applied, gists } from '../testing/two-groups.ts';
import { K } from '../tree/ids.ts';
import { entryAt, layoutOf, windowStart } from '../context/working-context.ts';
import { appendAndFit, makeRoom, restoreCoverage } from './between-refocuses.ts';
import { assembleByRecency } from './assembly.ts';
import { allocate } from './focus-allocator.ts';
import { INITIAL_ALLOCATOR_STATE } from './pass/allocator-state.ts';

/** Three pages: one as a gist, one open as 32 gists, and two raw blocks of the third. */
function openPage(budgetTokens: number) {
  const layout = layoutOf([entryAt(2, 0), ...gists(1, 32, 32), entryAt(0, 2048), entryAt(0, 2080)]);
  const state = {
    ...INITIAL_ALLOCATOR_STATE,
    step: 543,
    cooldowns: [{ lod: 2, start: 1024, step: 543, kind: 'expand' as const }],
  };
  return { layout, tree: treeOf(2112), config: configOf({ budgetTokens, recentTokens: 64 }), state };
}

describe('history that does not fit', () => {
  it('is not evicted while a page stands open that only its cooldown holds', () => {
    const fit = makeRoom(openPage(96), 0);
    expect(fit.actions).toMatchObject([
      { kind: 'collapse', lod: 2, start: 1024, reason: 'cooldown-overruled', applied: true },
    ]);
    expect(windowStart(fit.layout)).toBe(0);
  });

  it('comes back newest first, at the coarsest levels that tile it, when the budget allows', () => {
    const tree = treeOf(1120);
    const start = { tree, state: INITIAL_ALLOCATOR_STATE };
    const config = configOf({ budgetTokens: 64, recentTokens: 32 });
    const layout = layoutOf([entryAt(0, 1056), entryAt(0, 1088)]);
    const raised = restoreCoverage({ ...start, layout, config: { ...config, budgetTokens: 1024 } }, K);
    expect(raised.actions).toMatchObject([
      { kind: 'readmit', lod: 1, start: 1024, end: 1056, costDelta: 1, reason: 'fits-again', applied: true },
      { kind: 'readmit', lod: 2, start: 0, end: 1024, costDelta: 1, reason: 'fits-again', applied: true },
    ]);
    expect(windowStart(raised.layout)).toBe(0);
    expect(raised.state.netCost).toBe(2);
    const pins = [{ start: 1056, end: 1120 }];
    const partly = restoreCoverage({ ...start, layout, config: { ...config, budgetTokens: 65 }, pins }, 0);
    expect(partly.actions.filter(({ kind }) => kind === 'readmit')).toMatchObject([{ start: 1024 }]);
  });

  it('comes back in a refocus, paid for by detail, as it would not have left for it', () => {
    const tree = treeOf(1120);
    const layout = layoutOf([entryAt(0, 1024), entryAt(0, 1056), entryAt(0, 1088)]);
    const config = configOf({ budgetTokens: 96, recentTokens: 32 });
    const scores = new Float32Array(3).fill(0.9);
    const { actions } = allocate({ layout, scores, tree, config, state: INITIAL_ALLOCATOR_STATE, pass: 0 });
    expect(applied(actions).map(({ kind, start, reason }) => [kind, start, reason])).toEqual([
      ['collapse', 1024, 'paid-for-readmission'],
      ['readmit', 0, 'fits-again'],
    ]);
  });

  it('is all there again after a question on a tiny budget', () => {
    const tree = treeOf(3000);
    const small = configOf({ budgetTokens: 64, recentTokens: 32 });
    let fit = {
      layout: assembleByRecency(tree, configOf({ budgetTokens: 1024 })).layout,
      state: INITIAL_ALLOCATOR_STATE,
    };
    fit = makeRoom({ ...fit, tree, config: small }, 0);
    for (let i = 0; i < 64; i++) {
      tree.appendTokens(tokenIds(tree.tokenCount, 1), DOCUMENT);
      makeGists(tree);
      fit = appendAndFit({ ...fit, tree, config: small }, tree.tokenCount);
    }
    expect(windowStart(fit.layout)).toBeGreaterThan(0);
    const raised = { ...small, budgetTokens: 1024 };
    expect(windowStart(restoreCoverage({ ...fit, tree, config: raised }, K).layout)).toBe(0);
  });
});
