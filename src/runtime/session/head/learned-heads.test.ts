import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../../core/allocator/pass/allocator-state.ts';
import { emptyLayout } from '../../../core/context/working-context.ts';
import { STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import { configOf } from '../../../core/testing/fake-history.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import { GistTree } from '../../../core/tree/gist-tree.ts';
import type { FocusHeads, LensNet } from '../../../nn/ports.ts';
import { prose } from '../../testing/engine-fixture.ts';
import { createFakeModel, FAKE_HIDDEN_SIZE } from '../../testing/fake-model.ts';
import { TelemetryRecorder } from '../telemetry/telemetry-recorder.ts';
import { applyModelChanges, withKnownWeights } from './lens-variant.ts';
import { meanTail } from './learned-heads.ts';
import { MultiHeadFocus } from './multi-head-focus.ts';

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

describe('LensNet-G', () => {
  const withStaging = { ...alone, stagingLensNet: alone.lensNet };
  const wide = { stagingBudgetTokens: 2048, stagingLens: 'lensnet-g' } as const;

  it('is taken where the model brings it, and refused by name where not, nothing changed', () => {
    expect(applyModelChanges(withStaging, config, wide)).toMatchObject(wide);
    expect(() => applyModelChanges(alone, config, wide)).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        parameter: 'stagingLens',
        message: 'stagingLens = "lensnet-g": Fake model brings no LensNet for staging contexts.',
      }),
    );
  });

  it('that was recorded with another model gives way to the heads’ own, in words', () => {
    expect(withKnownWeights(withStaging, wide)).toEqual({ config: wide, note: null });
    expect(withKnownWeights(alone, wide)).toEqual({
      config: { ...wide, stagingLens: 'own' },
      note: 'Learned heads were asked for, but Fake model brings no LensNet for staging contexts: stagingLens is "own" instead.',
    });
  });
});

describe('heads that learned', () => {
  const ORIGIN = { role: 'document', documentId: 'd', title: 'D', wallClockMs: 0 } as const;

  /** Two heads over a text, and what their learned parts were asked. */
  async function focusOn(changes: Partial<RunConfig>) {
    const plain = createFakeModel();
    const scored = new Set<number>();
    const routed: (readonly [query: number, heads: number])[] = [];
    const own = new Map<number, LensNet>();
    const brought: FocusHeads = {
      lensOf: (head) => {
        const score: LensNet['score'] = (view) => {
          scored.add(head);
          return plain.lensNet.score(view);
        };
        const net = own.get(head) ?? { ...plain.lensNet, score };
        own.set(head, net);
        return net;
      },
      router: (query, statistics) => {
        routed.push([query.length, statistics.length]);
        return statistics.map((_, head) => head);
      },
      // All weight goes to the head with the utility 1.
      merger: (_hidden, _entropy, utility) => (utility === 1 ? 500 : 0),
    };
    const stagingLensNet: LensNet = {
      ...plain.lensNet,
      score: (view) => {
        scored.add(STAGING_HEAD);
        return plain.lensNet.score(view);
      },
    };
    const model = { ...plain, stagingLensNet, focusHeads: new Map([[2, brought]]) };
    const run = configOf({ budgetTokens: 512, recentTokens: 96, heads: 2, ...changes });
    const tree = new GistTree({ hiddenSize: model.base.hiddenSize, maxLod: 4, gistVersion: 1 });
    const start = { tree, heads: [{ layout: emptyLayout(), allocator: INITIAL_ALLOCATOR_STATE }] };
    const focus = new MultiHeadFocus(start, model, new TelemetryRecorder(systemClock), run);
    await focus.appendByBlocks(model.tokenizer.encode(prose(1200)), ORIGIN);
    return { focus, run, scored, routed };
  }

  it('score by their own LensNets where that is their cue, and only there', async () => {
    expect([...(await focusOn({ headCues: 'plain, learned' })).scored]).toEqual([1]);
    const { focus, run, scored } = await focusOn({ headCues: 'plain' });
    expect([...scored]).toEqual([]);
    focus.setConfig({ ...run, headCues: 'learned' });
    await focus.refocus('block');
    expect([...scored].sort()).toEqual([0, 1]);
    scored.clear();
    focus.setConfig({ ...run, headCues: 'plain' });
    await focus.refocus('block');
    expect([...scored]).toEqual([]);
  });

  it('stand beside a staging context that LensNet-G scores where that is asked for', async () => {
    const staged = { stagingBudgetTokens: 1024, headCues: 'plain' };
    const { focus, run, scored } = await focusOn(staged);
    expect([...scored]).toEqual([]);
    focus.setConfig({ ...run, stagingLens: 'lensnet-g' });
    await focus.refocus('turn-end');
    expect([...scored]).toEqual([STAGING_HEAD]);
    scored.clear();
    focus.setConfig({ ...run, stagingLens: 'own' });
    await focus.refocus('turn-end');
    expect([...scored]).toEqual([]);
  });

  it('are routed by what the router says of query and statistics', async () => {
    const { focus, routed } = await focusOn({ router: 'learned', headTopK: 1 });
    expect(focus.routed).toMatchObject({ utilities: [0, 1], chosen: [1] });
    expect(routed.at(-1)).toEqual([FAKE_HIDDEN_SIZE, 2]);
  });

  it('are merged by the gates that the merger gives them', async () => {
    const { focus } = await focusOn({ router: 'learned', merger: 'learned' });
    const { logits, merged, head } = await focus.predict();
    expect(head.id).toBe(1);
    expect(merged!.map(([id, weight]) => [id, Math.round(weight)])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    const both = logits.slice();
    expect(both).toEqual((await focus.predict(1)).logits);
  });

  it('are worth what the merger makes of them, and their caches are left in step', async () => {
    const { focus } = await focusOn({ headCues: 'plain, query', router: 'learned', merger: 'learned' });
    const coming = Uint32Array.from('which lantern of the pier', (character) => character.charCodeAt(0));
    const [first, second] = focus.heads;
    const alone = async ({ decoder, layout, parameters }: typeof first & object) =>
      decoder.scoreContinuation(layout, coming, parameters.budgetTokens);
    const gains = await focus.gains(coming);
    expect(gains).toMatchObject({ heads: [0, 1] });
    const [nllFirst, nllSecond] = [await alone(first!), await alone(second!)];
    expect(nllFirst).not.toBeCloseTo(nllSecond, 2);
    // All weight is the second head's, and without it the first one reads alone.
    expect(gains!.mergedNll).toBeCloseTo(nllSecond, 6);
    expect(gains!.withoutNll[0]).toBeCloseTo(nllSecond, 6);
    expect(gains!.withoutNll[1]).toBeCloseTo(nllFirst, 6);
    const { logits } = await focus.predict();
    const told = logits.slice();
    for (const { decoder } of focus.heads) decoder.reset();
    expect((await focus.predict()).logits).toEqual(told);
  });

  it('leave a single head as it is, bit for bit', async () => {
    const learned = await focusOn({ heads: 1, headCues: 'learned', router: 'learned', merger: 'learned' });
    const { focus } = await focusOn({ heads: 1 });
    expect((await learned.focus.predict()).logits).toEqual((await focus.predict()).logits);
    expect(learned.focus.head().layout).toEqual(focus.head().layout);
    expect([...learned.scored, ...learned.routed]).toEqual([]);
  });
});
