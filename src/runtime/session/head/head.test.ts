import { expect, it } from 'vitest';
import { INITIAL_ALLOCATOR_STATE } from '../../../core/allocator/pass/allocator-state.ts';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import type { LensVariant } from '../../../core/parameters/policy.ts';
import type { SlotView } from '../../../core/context/slot-view.ts';
import { GistTree } from '../../../core/tree/gist-tree.ts';
import { emptyLayout } from '../../../core/context/working-context.ts';
import type { LensNetVariant } from '../../../nn/model-folder/manifest.ts';
import type { LensNet } from '../../../nn/ports.ts';
import { systemClock } from '../../../base/clock.ts';
import type { TelemetryEvent } from '../../../core/trace/telemetry.ts';
import type { RefocusTrigger } from './head.ts';
import { MultiHeadFocus } from './multi-head-focus.ts';
import { TelemetryRecorder } from '../telemetry/telemetry-recorder.ts';
import { FAKE_HIDDEN_SIZE, createFakeModel } from '../../testing/fake-model.ts';

/** A loop over two blocks whose LensNets write down who scored, and how long a tail. */
async function loopWithLensNets() {
  const scored: string[] = [];
  const lensNet = (name: string, tailTokens: number): LensNet => ({
    id: 'lensnet',
    version: 1,
    tailTokens,
    readsWords: false,
    score: ({ slotCount, tailCount }: SlotView) => {
      scored.push(`${name} ${tailCount}`);
      return Promise.resolve(new Float32Array(slotCount));
    },
    dispose: () => undefined,
  });
  const model = {
    ...createFakeModel(),
    lensNet: lensNet('shipped', 32),
    otherLensNets: new Map([['perceiver' as const, lensNet('perceiver', 8)]]),
  };
  const tree = new GistTree({ hiddenSize: FAKE_HIDDEN_SIZE, maxLod: 4, gistVersion: 1 });
  const start = { tree, heads: [{ layout: emptyLayout(), allocator: INITIAL_ALLOCATOR_STATE }] };
  const config = { ...DEFAULT_RUN_CONFIG, budgetTokens: 256 };
  const focus = new MultiHeadFocus(start, model, new TelemetryRecorder(systemClock), config);
  const origin = { role: 'document', documentId: 'd', title: 'D', wallClockMs: 0 } as const;
  await focus.append(new Uint32Array(64).fill(97), origin);
  return {
    useLens: (name: string, tailTokens: number, variant: LensNetVariant = 'dual-cross-attention') => {
      focus.head().useLens({ net: lensNet(name, tailTokens), variant });
    },
    choose: (lensVariant: LensVariant) => {
      focus.head().setConfig({ ...config, lensVariant });
    },
    whoScores: async (trigger: RefocusTrigger = 'block') => {
      scored.length = 0;
      await focus.refocus(trigger);
      return scored;
    },
  };
}

it('the LensNet variant decides who scores, and by how long a tail, from the next refocus on', async () => {
  const { choose, whoScores } = await loopWithLensNets();
  expect(await whoScores()).toEqual(['shipped 32']);
  expect(await whoScores('turn-end')).toEqual(['shipped 32']);
  choose('perceiver');
  expect(await whoScores()).toEqual(['perceiver 8']);
  expect(await whoScores('turn-end')).toEqual(['perceiver 8']);
  choose('default');
  expect(await whoScores()).toEqual(['shipped 32']);
  expect(await whoScores('turn-end')).toEqual(['shipped 32']);
});

it('a LensNet kept for the session scores wherever its own variant is asked for', async () => {
  const { choose, useLens, whoScores } = await loopWithLensNets();
  useLens('kept', 16);
  expect(await whoScores()).toEqual(['kept 16']);
  choose('dual-cross-attention');
  expect(await whoScores()).toEqual(['kept 16']);
  choose('perceiver');
  expect(await whoScores()).toEqual(['perceiver 8']);
  useLens('kept later', 16, 'perceiver');
  expect(await whoScores()).toEqual(['kept later 16']);
  choose('default');
  expect(await whoScores()).toEqual(['shipped 32']);
});

it('two heads read one memory, each with a window and a trace of its own', async () => {
  const { focus, telemetry } = twoHeads();
  const events: TelemetryEvent[] = [];
  telemetry.listen((emitted) => events.push(...emitted));
  const origin = { role: 'document', documentId: 'd', title: 'D', wallClockMs: 0 } as const;
  await focus.appendByBlocks(new Uint32Array(320).fill(97), origin);
  const [first, second] = focus.heads;
  expect(first!.tree).toBe(second!.tree);
  expect([first!.layout.cursor, second!.layout.cursor]).toEqual([320, 320]);
  expect(events.filter(({ type }) => type === 'ingest')).toHaveLength(10);
  const frames = events.filter((event) => event.type === 'refocus');
  expect(frames.map(({ head, step }) => [head, step])).toEqual(
    Array.from({ length: 10 }, (_, i) => [0, 1].map((head) => [head, i + 1])).flat(),
  );
  const moved = second!.act({ kind: 'collapse', lod: 0, start: 0, end: 32 });
  expect(moved.applied).toBe(true);
  expect(first!.layout.entries[0]).toMatchObject({ lod: 0 });
  expect(second!.layout.entries[0]).toMatchObject({ lod: 1 });
  expect([first!.step, second!.step, focus.step]).toEqual([10, 11, 11]);
  expect(events.at(-1)).toMatchObject({ type: 'refocus', head: 1, step: 11 });
  expect(() => focus.head(2)).toThrow(/no head 2/);
});

function twoHeads() {
  const tree = new GistTree({ hiddenSize: FAKE_HIDDEN_SIZE, maxLod: 4, gistVersion: 1 });
  const state = { layout: emptyLayout(), allocator: INITIAL_ALLOCATOR_STATE };
  const config = { ...DEFAULT_RUN_CONFIG, heads: 2, budgetTokens: 1024, recentTokens: 64 };
  const telemetry = new TelemetryRecorder(systemClock);
  const start = { tree, heads: [state, state] };
  return { telemetry, focus: new MultiHeadFocus(start, createFakeModel(), telemetry, config) };
}

/** One head over so many tokens, taken in block by block under a small budget. */
async function headWith(tokens: number, budgetTokens: number) {
  const tree = new GistTree({ hiddenSize: FAKE_HIDDEN_SIZE, maxLod: 4, gistVersion: 1 });
  const start = { tree, heads: [{ layout: emptyLayout(), allocator: INITIAL_ALLOCATOR_STATE }] };
  const config = { ...DEFAULT_RUN_CONFIG, budgetTokens, recentTokens: 32, policy: 'recency' as const };
  const events: TelemetryEvent[] = [];
  const telemetry = new TelemetryRecorder(systemClock);
  telemetry.listen((batch) => events.push(...batch));
  const focus = new MultiHeadFocus(start, createFakeModel(), telemetry, config);
  const origin = { role: 'document', documentId: 'd', title: 'D', wallClockMs: 0 } as const;
  for (let taken = 0; taken < tokens; taken += 32) {
    await focus.append(new Uint32Array(32).fill(97), origin);
    await focus.refocus('block');
  }
  return { head: focus.head(), config, events, refocus: () => focus.refocus('block') };
}

it('what a small budget evicted is back as soon as the budget is raised', async () => {
  const { head, config, events } = await headWith(1600, 64);
  expect(head.layout.entries[0]!.start).toBeGreaterThan(0);
  expect(events.some(({ type }) => type === 'evict')).toBe(true);
  const before = events.filter(({ type }) => type === 'readmit').length;
  head.setConfig({ ...config, budgetTokens: 1024 });
  expect(head.layout.entries[0]!.start).toBe(0);
  expect(events.filter(({ type }) => type === 'readmit').length).toBeGreaterThan(before);
});

it('positions that the decoder would send wrong are reported, and the context is rebuilt', async () => {
  const { head, events, refocus } = await headWith(320, 256);
  const { decoder } = head;
  const sent = decoder.sentPositions.bind(decoder);
  decoder.sentPositions = (layout) => {
    const right = sent(layout);
    return { ...right, positions: right.positions.map((position) => position + 1) };
  };
  await refocus();
  expect(events).toContainEqual(expect.objectContaining({ type: 'violation', check: 'rope' }));
});
