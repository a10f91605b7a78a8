/** Training on a session, through the engine: a fake base whose figures are hashes, and a real LensNet on WASM. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../../nn/backend/device.ts';
import { createLensWorkshop } from '../../nn/lens-net/training/workshop.ts';
import type { LensTrainer, LensWorkshop } from '../../nn/ports.ts';
import { SYNTHETIC_LENS_NET, syntheticLensNet } from '../../nn/testing/synthetic-weights.ts';
import { createMemoryStore } from '../../storage/memory/memory-store.ts';
import { nodeWasmPaths } from '../../nn/backend/wasm-paths-node.ts';
import { FAKE_HIDDEN_SIZE, createFakeModel } from '../testing/fake-model.ts';
import type { FakeModel } from '../testing/fake-model.ts';
import {
  type EngineFixture,
  bootEngine,
  frames,
  ingest,
  open,
  prose,
  until,
} from '../testing/engine-fixture.ts';
import type { LensTrainingReport, LensTrainingRequest } from './messages.ts';

const SIZE = { ...SYNTHETIC_LENS_NET, width: 8, heads: 1, tailQueries: 2, tailTokens: 16 };
const RUN = { action: 'start', states: 9, questions: 0, steps: 2, learningRate: 1e-3, seed: 1 } as const;

async function trainableModel(
  change: (workshop: LensWorkshop) => LensWorkshop = (same) => same,
): Promise<FakeModel> {
  const shipped = syntheticLensNet(FAKE_HIDDEN_SIZE, 3, SIZE).bytes.slice(0);
  const workshop = change(createLensWorkshop(FAKE_HIDDEN_SIZE, 1e-5, SIZE, () => Promise.resolve(shipped)));
  const lensWorkshops = new Map([['dual-cross-attention' as const, workshop]]);
  return { ...createFakeModel(), lensNet: await workshop.createNet(shipped, 'shipped'), lensWorkshops };
}

/** The next worker finds what the last one stored. */
const outlivesItsHost = (): void => undefined;

const hosts: EngineFixture[] = [];

async function bootTrainable(options: Parameters<typeof bootEngine>[0] = {}): Promise<EngineFixture> {
  const store = { ...createMemoryStore(), close: outlivesItsHost };
  const fixture = await bootEngine({ model: await trainableModel(), store, ...options });
  hosts.push(fixture);
  return fixture;
}

function ask({ engine }: EngineFixture, request: LensTrainingRequest): Promise<LensTrainingReport> {
  return engine.handle({ kind: 'lensTraining', request });
}

function settled(fixture: EngineFixture): Promise<LensTrainingReport> {
  return until(async () => {
    const report = await ask(fixture, { action: 'status' });
    return (report.phase === 'done' || report.phase === 'stopped') && report;
  });
}

async function bytesOf({ engine }: EngineFixture): Promise<Uint8Array<ArrayBuffer>> {
  const { file } = await engine.handle({ kind: 'exportLens' });
  return new Uint8Array(await file.arrayBuffer());
}

const hashes = (fixture: EngineFixture): string[] =>
  fixture.events().flatMap((event) => (event.type === 'session' ? [event.modelHash] : []));

/** The scores of a refocus that nothing came before since. */
async function scoresNow(fixture: EngineFixture): Promise<readonly number[]> {
  await fixture.engine.handle({ kind: 'refocus' });
  return frames(fixture).at(-1)!.scores;
}

describe('training LensNet on a session', () => {
  beforeAll(() => selectBackend('wasm', { wasmPaths: nodeWasmPaths() }));
  afterEach(async () => {
    for (const { engine } of hosts.splice(0)) await engine.dispose();
  });

  it('says what is missing, and starts nothing, where the history is short', async () => {
    const fixture = await bootTrainable();
    await open(fixture);
    await ingest(fixture, prose(300));
    const { supply } = await ask(fixture, { action: 'status' });
    expect(supply.tokens).toBeLessThan(supply.neededTokens);
    await expect(ask(fixture, RUN)).rejects.toThrow(/9 are needed/);
    await expect(ask(fixture, { action: 'keep' })).rejects.toThrow(/Nothing was learned/);
  });

  it('measures, trains, keeps, comes back after a reload, and goes back to the shipped net exactly', async () => {
    const fixture = await bootTrainable();
    const { engine, store } = fixture;
    // Nothing may move, so that the same LensNet gives the same scores again.
    const id = await open(fixture, { maxActions: 0 });
    await ingest(fixture, prose(1500));
    for (let i = 0; i < 12; i++) await scoresNow(fixture);
    const shipped = await bytesOf(fixture);
    await ask(fixture, RUN);
    const done = await settled(fixture);
    expect(done).toMatchObject({ phase: 'done', step: 2, problem: null, hasCandidate: true });
    expect(done.dataset).toMatchObject({ trainStates: 6, heldOutStates: 3 });
    expect(done.after).toMatchObject({ step: 2, states: 3 });
    expect(done.before!.answered).toEqual({ hits: 0, n: 0, ci95: null });
    expect(done.after!.points.length).toBeGreaterThan(6);

    const trained = await bytesOf(fixture);
    expect(trained).not.toEqual(shipped);
    const { inUse } = await ask(fixture, { action: 'keep' });
    expect(inUse.origin).toBe('trained');
    expect(hashes(fixture).at(-1)).toBe(`${fixture.model.hash}+lensnet-${inUse.mark}`);
    const kept = await scoresNow(fixture);

    await engine.dispose();
    const again = await bootTrainable({ store });
    await again.engine.handle({ kind: 'openSession', sessionId: id });
    expect((await ask(again, { action: 'status' })).inUse.mark).toBe(inUse.mark);
    expect(await bytesOf(again)).toEqual(trained);

    await ask(again, { action: 'useShipped' });
    expect(hashes(again).at(-1)).toBe(fixture.model.hash);
    expect(await bytesOf(again)).toEqual(shipped);
    const back = await scoresNow(again);
    expect(back).not.toEqual(kept);
    const imported = await ask(again, { action: 'import', fileName: 'mine', bytes: trained });
    expect(imported.inUse).toMatchObject({ origin: 'imported', mark: inUse.mark });
  });

  it('learns from questions made of the history alone, without one pass of the base, and measures them', async () => {
    const fixture = await bootTrainable();
    await open(fixture);
    await ingest(fixture, prose(2500));
    const { supply } = await ask(fixture, { action: 'status' });
    expect(supply.sentences).toBeGreaterThan(12);
    const before = fixture.model.work.slots;
    await ask(fixture, { ...RUN, states: 0, questions: 12, steps: 3 });
    const done = await settled(fixture);
    expect(done).toMatchObject({ phase: 'done', step: 3, problem: null });
    expect(done.dataset).toMatchObject({ trainStates: 0, trainQuestions: 8, heldOutQuestions: 4 });
    expect([done.before!.cloze.n, done.after!.cloze.n]).toEqual([4, 4]);
    expect(done.before!.spearman).toBeNull();
    expect(fixture.model.work.slots).toBe(before);
    expect(done.losses.every(({ total }) => Number.isFinite(total) && total > 0)).toBe(true);
  });

  it('trains the variant that scores, and what is kept scores while that is asked for', async () => {
    const model = await trainableModel();
    const workshop = model.lensWorkshops.get('dual-cross-attention')!;
    const perceiver = await workshop.createNet(await workshop.shippedWeights(), 'shipped');
    const fixture = await bootTrainable({
      model: {
        ...model,
        otherLensNets: new Map([['perceiver' as const, perceiver]]),
        lensWorkshops: new Map([...model.lensWorkshops, ['perceiver' as const, workshop]]),
      },
    });
    await open(fixture, { maxActions: 0 });
    await ingest(fixture, prose(1500));
    await fixture.engine.handle({ kind: 'setConfig', changes: { lensVariant: 'perceiver' } });
    await scoresNow(fixture);
    expect((await ask(fixture, { action: 'status' })).variant).toBe('perceiver');
    await ask(fixture, RUN);
    await settled(fixture);
    const { inUse } = await ask(fixture, { action: 'keep' });
    expect(inUse).toMatchObject({ origin: 'trained', variant: 'perceiver' });
    const kept = await scoresNow(fixture);
    await fixture.engine.handle({ kind: 'setConfig', changes: { lensVariant: 'default' } });
    expect(await scoresNow(fixture)).not.toEqual(kept);
    expect(await ask(fixture, { action: 'status' })).toMatchObject({
      variant: 'dual-cross-attention',
      inUse: { variant: 'perceiver' },
    });
  });

  it('refuses a file of another shape by name, and a run beside a run', async () => {
    const fixture = await bootTrainable();
    await open(fixture);
    await ingest(fixture, prose(1500));
    const narrow = new Uint8Array(syntheticLensNet(2, 3, SIZE).bytes.slice(0));
    const wrong = ask(fixture, { action: 'import', fileName: 'narrow.safetensors', bytes: narrow });
    await expect(wrong).rejects.toMatchObject({ code: 'bad-weights' });
    await expect(wrong).rejects.toThrow(/narrow\.safetensors/);
    await ask(fixture, RUN);
    await expect(ask(fixture, RUN)).rejects.toMatchObject({ code: 'busy' });
    await expect(ask(fixture, { action: 'keep' })).rejects.toMatchObject({ code: 'busy' });
    expect(await ask(fixture, { action: 'discard' })).toMatchObject({ phase: 'idle', hasCandidate: false });
  });

  it('ends up with the same weights however often it was paused', async () => {
    const weights: Uint8Array[] = [];
    for (const pauses of [false, true]) {
      const fixture = await bootTrainable();
      await open(fixture);
      await ingest(fixture, prose(1500));
      await ask(fixture, { ...RUN, steps: 4 });
      if (pauses) {
        await until(async () => (await ask(fixture, { action: 'pause' })).phase === 'paused');
        await until(async () => (await ask(fixture, { action: 'resume' })).phase === 'training');
        await until(async () => (await ask(fixture, { action: 'pause' })).phase !== 'training');
        await ask(fixture, { action: 'resume' });
      }
      expect(await settled(fixture)).toMatchObject({ phase: 'done', step: 4 });
      weights.push(await bytesOf(fixture));
    }
    expect(weights[0]).toEqual(weights[1]);
  });

  it('stops with a problem when the device fails, and offers the last good weights, also to the next worker', async () => {
    const failing = (workshop: LensWorkshop): LensWorkshop => ({
      ...workshop,
      createTrainer: async (...file) => {
        const trainer: LensTrainer = await workshop.createTrainer(...file);
        const addExample = trainer.addExample.bind(trainer);
        let examples = 0;
        trainer.addExample = (example) =>
          ++examples > 6 ? Promise.reject(new Error('The GPU was lost.')) : addExample(example);
        return trainer;
      },
    });
    const fixture = await bootTrainable({ model: await trainableModel(failing) });
    const id = await open(fixture);
    await ingest(fixture, prose(1500));
    await ask(fixture, { ...RUN, steps: 3 });
    const report = await settled(fixture);
    expect(report).toMatchObject({ phase: 'stopped', step: 1, hasCandidate: true });
    expect(report.problem?.message).toMatch(/after step 1: The GPU was lost/);
    const learned = await bytesOf(fixture);

    await fixture.engine.dispose();
    const again = await bootTrainable({ store: fixture.store });
    await again.engine.handle({ kind: 'openSession', sessionId: id });
    const found = await ask(again, { action: 'status' });
    expect(found).toMatchObject({ phase: 'stopped', step: 1, problem: { code: 'training-interrupted' } });
    expect((await ask(again, { action: 'keep' })).inUse.origin).toBe('trained');
    expect(await bytesOf(again)).toEqual(learned);
  });
});
