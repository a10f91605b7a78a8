import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../../core/allocator/pass/allocator-state.ts';
import { checkInvariants } from '../../../core/context/invariants.ts';
import { emptyLayout, type Layout } from '../../../core/context/working-context.ts';
import { headConfig, STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import { DEFAULT_RUN_CONFIG, type RunConfig } from '../../../core/trace/config.ts';
import type { TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import { MERGERS } from '../../../core/parameters/heads.ts';
import { GistTree } from '../../../core/tree/gist-tree.ts';
import { createMemoryStore } from '../../../storage/memory/memory-store.ts';
import {
  bootEngine,
  branchEnded,
  type EngineFixture,
  frames,
  ingest,
  open,
  prose,
} from '../../testing/engine-fixture.ts';
import { createFakeModel, FAKE_HIDDEN_SIZE } from '../../testing/fake-model.ts';
import { readMerged } from '../decoding/merged-reading.ts';
import { TelemetryRecorder } from '../telemetry/telemetry-recorder.ts';
import { MultiHeadFocus } from './multi-head-focus.ts';

const ORIGIN = { role: 'document', documentId: 'd', title: 'D', wallClockMs: 0 } as const;

/** Heads over a text that is taken in block by block. */
async function focusOn(changes: Partial<RunConfig>, characters = 2000) {
  const config = { ...DEFAULT_RUN_CONFIG, budgetTokens: 1024, recentTokens: 128, ...changes };
  const model = createFakeModel();
  const tree = new GistTree({ hiddenSize: FAKE_HIDDEN_SIZE, maxLod: 4, gistVersion: 1 });
  const start = { tree, heads: [{ layout: emptyLayout(), allocator: INITIAL_ALLOCATOR_STATE }] };
  const focus = new MultiHeadFocus(start, model, new TelemetryRecorder(systemClock), config);
  await focus.appendByBlocks(model.tokenizer.encode(prose(characters)), ORIGIN);
  return { config, model, focus };
}

describe('heads over one memory', () => {
  it('each keep their own budget and every invariant, and stand at one cursor', async () => {
    const { config, focus } = await focusOn({ heads: 4, stagingBudgetTokens: 1536 }, 3000);
    for (const { id, layout, tree } of focus.heads) {
      expect(checkInvariants(layout, tree, headConfig(config, id))).toEqual([]);
      expect(layout.cursor).toBe(focus.memory.tree.tokenCount);
      expect(layout.usedTokens).toBeLessThanOrEqual(256);
    }
    expect(new Set(focus.heads.map(({ step }) => step)).size).toBe(1);
  });

  it('and staging hold raw what is pinned, whether it was there before or comes later', async () => {
    const pin = { start: 320, end: 352 };
    const isRaw = ({ entries }: Layout): boolean =>
      entries.some(({ lod, start, end }) => lod === 0 && start <= pin.start && end >= pin.end);
    const { config, focus } = await focusOn({ heads: 2, stagingBudgetTokens: 1536 }, 6000);
    focus.pins = [pin];
    await focus.refocus('turn-end');
    expect(isRaw(focus.state.staging!.layout)).toBe(true);
    expect(focus.heads.map(({ layout }) => isRaw(layout))).toEqual([true, true]);
    focus.setConfig({ ...config, stagingBudgetTokens: 0 });
    focus.setConfig(config);
    await focus.refocus('turn-end');
    expect(isRaw(focus.state.staging!.layout)).toBe(true);
  });

  it('with the same parameters behave as one', async () => {
    const alike = { headCues: 'plain', diversityGain: 0, recentTokens: 96 };
    const { focus } = await focusOn({ ...alike, heads: 3, budgetTokens: 768 });
    const { focus: one } = await focusOn({ ...alike, heads: 1, budgetTokens: 256 });
    for (const { layout, allocatorState } of focus.heads) {
      expect(layout).toEqual(one.head().layout);
      expect(allocatorState).toEqual(one.head().allocatorState);
    }
    const { logits } = await one.predict();
    expect((await focus.predict()).logits).toEqual(logits);
  });

  it('with a diversity above 0 show different detail', async () => {
    const raw = async (diversityGain: number) => {
      const { focus } = await focusOn(
        { heads: 2, headCues: 'plain', diversityGain, budgetTokens: 512 },
        3000,
      );
      return focus.heads.map(({ layout }) =>
        layout.entries.filter(({ lod }) => lod === 0).map(({ start }) => start),
      );
    };
    const [same, alike] = await raw(0);
    expect(same).toEqual(alike);
    const [first, second] = await raw(1);
    expect(first).not.toEqual(second);
  });

  it.each(MERGERS)('merged by %s, a single head says what it says alone, bit for bit', async (merger) => {
    const { focus, model, config } = await focusOn({ heads: 1 });
    const { id, decoder, layout } = focus.head();
    const { logits } = await focus.predict();
    const alone = logits.slice();
    decoder.reset();
    const { budgetTokens } = config;
    const taking = [{ id, decoder, layout, budgetTokens, utility: 0 }];
    expect((await readMerged(model.base, taking, merger, null)).logits).toEqual(alone);
    // From what was kept of it, too.
    expect((await readMerged(model.base, taking, merger, null)).logits).toEqual(alone);
    expect((await focus.predict()).logits).toEqual(alone);
  });

  it('run only the new token of every head while an answer is decoded', async () => {
    const { focus, model } = await focusOn({ heads: 4 });
    await focus.predict();
    await focus.append(Uint32Array.of(97), ORIGIN);
    const before = model.work.slots;
    const { merged } = await focus.predict();
    expect(model.work.slots - before).toBe(4);
    expect(merged?.map(([head]) => head)).toEqual([0, 1, 2, 3]);
    await focus.predict();
    expect(model.work.slots - before).toBe(4);
  });

  it('run what their windows begin with in common once, and predict what they would have each for itself', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 4 }),
        fc.integer({ min: 200, max: 2500 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 4 }),
        fc.constantFrom('plain', ''),
        fc.constantFrom(0, 0.3),
        async (heads, characters, pieces, headCues, diversityGain) => {
          const changes = { heads, headCues, diversityGain } as const;
          const [sharing, apart] = [await focusOn(changes, characters), await focusOn(changes, characters)];
          for (const { decoder } of apart.focus.heads) decoder.beside = () => [];
          for (const [i, count] of [0, ...pieces].entries()) {
            for (const { focus, model } of [sharing, apart]) {
              await focus.appendByBlocks(model.tokenizer.encode(prose(count, 700 + i)), ORIGIN);
            }
            const { logits } = await sharing.focus.predict();
            expect(logits).toEqual((await apart.focus.predict()).logits);
          }
          expect(sharing.model.work.slots).toBeLessThanOrEqual(apart.model.work.slots);
          // What begins alike is run once: alike heads but for the last slot.
          if (headCues === 'plain' && diversityGain === 0) {
            expect(sharing.model.work.slots).toBeLessThan(apart.model.work.slots);
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  it('come and go with the parameter, and budgets follow', async () => {
    const { focus, config } = await focusOn({ heads: 1 });
    const { step } = focus;
    focus.setConfig({ ...config, heads: 3 });
    await focus.refocus('block');
    expect(focus.heads.map((head) => head.step)).toEqual([step + 1, step + 1, step + 1]);
    for (const { layout } of focus.heads) expect(layout.usedTokens).toBeLessThanOrEqual(320);
    focus.setConfig({ ...config, heads: 1 });
    await focus.refocus('block');
    expect(focus.heads).toHaveLength(1);
    expect(focus.routed.chosen).toEqual([0]);
  });

  it('are read as the router chooses, and never muted', async () => {
    const { focus, config } = await focusOn({ heads: 4, router: 'utility-gated', headTopK: 2 });
    expect(focus.reading()).toHaveLength(2);
    focus.setConfig({ ...config, headTopK: 0, mutedHeads: '0,2' });
    expect(focus.reading().map(({ id }) => id)).toEqual([1, 3]);
    expect(focus.reading(0).map(({ id }) => id)).toEqual([0]);
  });
});

const HEADS = { heads: 4, budgetTokens: 1024, recentTokens: 128, maxNewTokens: 40, temperature: 1, seed: 5 };

const routers = (fixture: EngineFixture) =>
  fixture.events().filter((event): event is TelemetryEventOf<'router'> => event.type === 'router');

describe('a session with heads', () => {
  it('tells of every head’s refocus, of the router and of staging, and who was merged', async () => {
    const fixture = await bootEngine();
    await open(fixture, { ...HEADS, stagingBudgetTokens: 2048 });
    await ingest(fixture, prose(3000));
    await fixture.engine.handle({ kind: 'ask', text: 'Who keeps the light? And where?' });
    const last = frames(fixture).at(-1)!.step;
    const ids = frames(fixture)
      .filter(({ step }) => step === last)
      .map(({ head }) => head);
    expect(ids.filter((id) => id < 8)).toEqual([0, 1, 2, 3]);
    expect(frames(fixture).some(({ head }) => head === 8)).toBe(true);
    expect(routers(fixture).at(-1)).toMatchObject({ step: last, chosen: [0, 1, 2, 3] });
    const staging = fixture.events().filter((event) => event.type === 'staging');
    expect(staging.at(-1)).toMatchObject({ step: last, budgetTokens: 2048 });
    expect(staging.some((event) => event.ageTokens > 0)).toBe(true);
    const decoded = fixture.events().find((event) => event.type === 'decode');
    expect(decoded).toMatchObject({
      merged: [
        [0, expect.any(Number)],
        [1, expect.any(Number)],
        [2, expect.any(Number)],
        [3, expect.any(Number)],
      ],
    });
  });

  it('refocuses staging for a question until that moves nothing', async () => {
    const fixture = await bootEngine();
    await open(fixture, { ...HEADS, stagingBudgetTokens: 2048, stagingEveryTokens: 512 });
    const passes: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      await ingest(fixture, prose(1200, 40 * turn));
      fixture.notices.length = 0;
      await fixture.engine.handle({ kind: 'ask', text: `Who keeps pier ${turn}? And where is the rope?` });
      const settling = frames(fixture).filter(({ trigger }) => trigger === 'turn-end');
      const staging = settling.filter(({ head }) => head === STAGING_HEAD);
      const moved = staging.map(({ actions }) => actions.some(({ applied }) => applied));
      // One that moved nothing is the last.
      expect(moved.slice(0, -1)).not.toContain(false);
      const headPasses = settling.filter(({ head }) => head === 0).length;
      if (staging.length < headPasses) expect(moved.at(-1)).toBe(false);
      passes.push(headPasses - staging.length);
    }
    expect(passes.some((spared) => spared > 0)).toBe(true);
  });

  it('says what each head that is read is worth for the tokens that follow, against what it reads alone', async () => {
    const gainsOf = async (changes: Partial<RunConfig>) => {
      const fixture = await bootEngine();
      await open(fixture, { ...HEADS, deltaNllEverySteps: 4, ...changes });
      await ingest(fixture, prose(1500));
      return fixture.events().flatMap((event) => (event.type === 'deltaNll' ? [event] : []));
    };
    const told = await gainsOf({ headCues: 'plain,query,names,recency' });
    expect(new Set(told.map(({ head }) => head))).toEqual(new Set([0, 1, 2, 3]));
    for (const { merged } of told) {
      expect(merged!.nll).toBeGreaterThan(0);
      expect(merged!.withoutNll).toBeGreaterThan(0);
    }
    for (const { merged, workingContextNll } of await gainsOf({ headCues: 'plain', diversityGain: 0 })) {
      expect(merged!.nll).toBeCloseTo(workingContextNll, 4);
      expect(merged!.withoutNll).toBeCloseTo(workingContextNll, 4);
    }
    const half = await gainsOf({ router: 'utility-gated', headTopK: 2 });
    const atOnce = half.filter(({ step }) => step === half[0]!.step);
    expect(atOnce.map(({ merged }) => merged !== undefined).filter(Boolean)).toHaveLength(2);
    expect((await gainsOf({ heads: 1 })).every(({ merged }) => merged === undefined)).toBe(true);
  });

  it.each([
    {},
    { router: 'utility-gated', headTopK: 2, headCues: 'plain,query,names,part' },
    { stagingBudgetTokens: 2048, stagingEveryTokens: 192 },
  ])('read back goes on as one that never stopped: %o', async (changes) => {
    const outcomes: unknown[] = [];
    for (const reload of [false, true]) {
      const fixture = await bootEngine();
      const id = await open(fixture, { ...HEADS, ...changes });
      await ingest(fixture, prose(3000));
      await fixture.engine.handle({ kind: 'ask', text: 'Who keeps the light?' });
      if (reload) await fixture.engine.handle({ kind: 'openSession', sessionId: id });
      await ingest(fixture, prose(500, 50));
      const { answer } = await fixture.engine.handle({ kind: 'ask', text: 'And where?' });
      const last = frames(fixture).slice(-5);
      outcomes.push({
        answer: { ...answer, createdAt: 0 },
        frames: last.map(({ head, step, scores, actions }) => ({ head, step, scores, actions })),
        chosen: routers(fixture).at(-1)!.chosen,
        staging: fixture
          .events()
          .filter((event) => event.type === 'staging')
          .slice(-12)
          .map(({ step, ageTokens, hits, misses, servedTokens }) => [
            step,
            ageTokens,
            hits,
            misses,
            servedTokens,
          ]),
      });
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  });

  it.each([{}, { stagingBudgetTokens: 2048, stagingEveryTokens: 192 }])(
    'branches from any step and repeats its original: %o',
    async (changes) => {
      const fixture = await bootEngine();
      const { engine } = fixture;
      const id = await open(fixture, { ...HEADS, ...changes });
      await ingest(fixture, prose(1500));
      await engine.handle({
        kind: 'ask',
        text: 'Who keeps the light of the long pier? And where is the rope?',
      });
      await engine
        .handle({ kind: 'act', action: 'collapse', lod: 0, start: 1408, end: 1440, head: 2 })
        .catch(() => undefined);
      await ingest(fixture, prose(200, 31));
      const story = async (sessionId: string) => {
        const { events, chat } = await engine.handle({ kind: 'readRun', sessionId });
        const told = events.filter((event) => event.type === 'refocus');
        return {
          frames: told.map(({ head, step, cursor, actions, scores }) => ({
            head,
            step,
            cursor,
            actions,
            scores,
          })),
          chat: chat.map(({ text, start, end }) => ({ text, start, end })),
        };
      };
      const original = await story(id);
      const steps = [...new Set(original.frames.map(({ step }) => step))];
      for (const step of steps.filter((_, i) => i % 9 === 4 || i > steps.length - 4)) {
        fixture.notices.length = 0;
        const { state } = await engine.handle({
          kind: 'branchSession',
          sessionId: id,
          step,
          title: 'B',
          changes: {},
        });
        await branchEnded(fixture);
        expect(await story(state.record.id)).toEqual(original);
      }
    },
  );

  it.each([
    [{ heads: 8, budgetTokens: 512 }, 'heads'],
    [{ mutedHeads: '0,1,2,3' }, 'mutedHeads'],
    [{ router: 'learned' }, 'router'],
    [{ merger: 'learned' }, 'merger'],
    [{ headCues: 'nothing' }, 'headCues'],
    [{ headCues: 'plain, learned' }, 'headCues'],
    [{ stagingBudgetTokens: 2048, stagingLens: 'lensnet-g' }, 'stagingLens'],
    [{ stagingBudgetTokens: 512 }, 'stagingBudgetTokens'],
  ])('refuses by name, and changes nothing: %o', async (changes, parameter) => {
    const fixture = await bootEngine();
    await open(fixture, HEADS);
    const before = await fixture.engine.handle({ kind: 'setConfig', changes: {} });
    await expect(fixture.engine.handle({ kind: 'setConfig', changes })).rejects.toThrow(
      new RegExp(`^${parameter} = `),
    );
    const after = await fixture.engine.handle({ kind: 'setConfig', changes: {} });
    expect(after.config).toEqual(before.config);
  });

  it('is opened with one store by two engines, one after the other, heads and all', async () => {
    const store = createMemoryStore();
    const first = await bootEngine({ store: { ...store, close: () => undefined } });
    const id = await open(first, HEADS);
    await ingest(first, prose(2000));
    await first.engine.dispose();
    const second = await bootEngine({ store });
    await second.engine.handle({ kind: 'openSession', sessionId: id });
    await second.engine.handle({ kind: 'refocus' });
    expect(frames(second).map(({ head }) => head)).toEqual([0, 1, 2, 3]);
  });
});
