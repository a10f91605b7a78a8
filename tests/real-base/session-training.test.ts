/**
 * Training on a session with real weights: each LensNet that ships, and the heads of SmolLM2 (`MEGACONTEXT_SMOLLM2`),
 * from counterfactuals and from questions about the session's own sentences, measured before and after.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Engine } from '../../src/runtime/engine/engine.ts';
import type { LensTrainingReport, LensTrainingRequest } from '../../src/runtime/lens-training/messages.ts';
import { bootEngineWith, ingest, open } from '../../src/runtime/testing/engine-fixture.ts';
import { openModel, root } from '../../tools/open-model.ts';

const SLOW_MS = 600_000;
const LOOK_EVERY_MS = 50;
const CHARACTERS = 4000;
/** Two thirds of each are learned from. */
const RUN = { action: 'start', states: 9, questions: 9, steps: 4, learningRate: 3e-4, seed: 1 } as const;
/** Places take some twenty passes of the base each: for a large one they are left out. */
const QUESTIONS_ALONE = { ...RUN, states: 0, questions: 12 } as const;
const smollm2 = process.env['MEGACONTEXT_SMOLLM2'];

let engine: Engine | null = null;
afterEach(async () => {
  await engine?.dispose();
  engine = null;
});

/** A session about the beginning of the example, trained to the end. */
async function train(
  name: string,
  config: Record<string, unknown>,
  run: Extract<LensTrainingRequest, { action: 'start' }>,
) {
  const { model } = await openModel(name, 'wasm');
  const fixture = await bootEngineWith(model);
  engine = fixture.engine;
  await open(fixture, { budgetTokens: 256, recentTokens: 64, ...config });
  const text = readFileSync(join(root, 'public/examples/harbour-chronicle.txt'), 'utf8');
  await ingest(fixture, text.slice(0, CHARACTERS));
  const ask = (request: LensTrainingRequest): Promise<LensTrainingReport> =>
    fixture.engine.handle({ kind: 'lensTraining', request });
  const weights = async (): Promise<Uint8Array> => {
    const { file } = await fixture.engine.handle({ kind: 'exportLens' });
    return new Uint8Array(await file.arrayBuffer());
  };
  const shipped = await weights();
  await ask(run);
  let report = await ask({ action: 'status' });
  while (report.phase !== 'done' && report.phase !== 'stopped') {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    report = await ask({ action: 'status' });
  }
  expect(report.problem).toBeNull();
  expect(await weights()).not.toEqual(shipped);
  return { report, inUse: (await ask({ action: 'keep' })).inUse };
}

it.each(['dual-cross-attention', 'transformer', 'perceiver'] as const)(
  'teaches the shipped %s from both, and measures the same before and after',
  async (variant) => {
    const { report, inUse } = await train('tiny', { lensVariant: variant }, RUN);
    const { before, after, dataset } = report;
    expect(dataset).toMatchObject({
      trainStates: 6,
      heldOutStates: 3,
      trainQuestions: 6,
      heldOutQuestions: 3,
    });
    for (const measure of [before!, after!]) {
      expect(measure).toMatchObject({ states: 3, cloze: { n: 3 } });
      expect(Math.abs(measure.spearman!)).toBeLessThanOrEqual(1);
    }
    expect(after!.points.length).toBe(before!.points.length);
    expect(inUse).toMatchObject({ origin: 'trained', variant });
  },
  SLOW_MS,
);

it.skipIf(smollm2 === undefined)(
  'teaches the heads of SmolLM2 from questions about its own sentences',
  async () => {
    const { report, inUse } = await train(smollm2!, {}, QUESTIONS_ALONE);
    expect(report.dataset).toMatchObject({ trainQuestions: 8, heldOutQuestions: 4 });
    expect([report.before!.cloze.n, report.after!.cloze.n]).toEqual([4, 4]);
    expect(inUse).toMatchObject({ origin: 'trained', variant: 'dual-cross-attention' });
  },
  SLOW_MS,
);
