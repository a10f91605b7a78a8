import { describe, expect, it } from 'vitest';
import { configOf } from '../../../core/testing/fake-history.ts';
import type { FocusHeads } from '../../../nn/ports.ts';
import { createFakeModel } from '../../testing/fake-model.ts';
import { applyModelChanges, withKnownWeights } from './lens-variant.ts';
import { meanTail } from './learned-heads.ts';

const alone = createFakeModel();
const ALL: FocusHeads = {
  lensOf: () => alone.lensNet,
  router: (_query, statistics) => statistics.map((_, head) => head),
  merger: () => 0,
};
const brings = (heads: number, brought: FocusHeads = ALL) => ({
  ...alone,
  focusHeads: new Map([[heads, brought]]),
});
const ASKED = [{ headCues: 'plain, learned' }, { router: 'learned' }, { merger: 'learned' }] as const;
const config = configOf({ heads: 4, budgetTokens: 1024 });

describe('learned parts of heads', () => {
  it.each(ASKED)('are taken where the model brings them for as many heads: %o', (changes) => {
    expect(applyModelChanges(brings(4), config, changes)).toMatchObject(changes);
  });

  it.each(ASKED)('are refused by name, and nothing is changed, where it brings none: %o', (changes) => {
    const [parameter] = Object.keys(changes);
    const refusedBy = (model: typeof alone, words: RegExp) => {
      expect(() => applyModelChanges(model, config, changes)).toThrow(
        expect.objectContaining({
          name: 'ConfigError',
          parameter,
          message: expect.stringMatching(words) as string,
        }),
      );
    };
    refusedBy(alone, /brings no weights for heads\.$/);
    refusedBy(brings(2), /for 2 heads and not for 4\.$/);
    refusedBy(brings(4, { lensOf: null, router: null, merger: null }), /brings no weights for heads\.$/);
  });

  it('are nothing that a single head would miss', () => {
    const one = { ...config, heads: 1 };
    for (const changes of ASKED) expect(applyModelChanges(brings(4), one, changes)).toMatchObject(changes);
  });

  it('need a policy that reads LensNet', () => {
    const changes = { headCues: 'learned', policy: 'bm25' };
    expect(() => applyModelChanges(brings(4), config, changes)).toThrow('the policy bm25 reads no LensNet');
  });

  it('that were recorded with another model give way to rules, in words', () => {
    const recorded = {
      ...config,
      headCues: 'learned*2, names',
      router: 'learned',
      merger: 'learned',
    } as const;
    expect(withKnownWeights(brings(4), recorded)).toEqual({ config: recorded, note: null });
    expect(withKnownWeights(alone, recorded)).toEqual({
      config: { ...recorded, headCues: 'plain*2, names', router: 'utility-gated', merger: 'confident' },
      note: 'Learned heads were asked for, but Fake model brings no weights for heads: headCues is "plain*2, names", router is "utility-gated", merger is "confident" instead.',
    });
    const part = { router: 'learned' } as const;
    expect(withKnownWeights(brings(2), part)).toEqual({ config: part, note: null });
  });
});

it('the router’s query is the tail’s mean embedding', () => {
  const ids = Uint32Array.of(7, 8, 9);
  const tree = { tokenCount: 3, tokens: (from: number, to: number) => ids.subarray(from, to) };
  const { base } = alone;
  const [eight, nine] = [base.embed([8]), base.embed([9])];
  const mean = eight.map((value, i) => (value + nine[i]!) / 2);
  expect(meanTail(base, tree, 2)).toEqual(mean);
  expect(Array.from(meanTail(base, { ...tree, tokenCount: 0 }, 2))).toEqual([0, 0, 0, 0]);
});
